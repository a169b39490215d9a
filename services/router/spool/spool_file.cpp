#include "services/router/spool/spool_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libs/base/fault.hpp"

namespace vigia::router::spool {
namespace {

constexpr int kOwnerOnly = 0600;

tl::unexpected<Error> failure(int error) {
  return fail(ErrorCode::kUnavailable, std::generic_category().message(error));
}

/// A file on its way out: whoever lets it go closes it.
class Closing {
 public:
  Closing(int descriptor, std::optional<access::ByteShares::HeldBytes> held)
      : held_(std::move(held)), descriptor_(descriptor) {}
  Closing(Closing&& other) noexcept
      : held_(std::move(other.held_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  Closing& operator=(Closing&&) = delete;
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;
  ~Closing() { close(); }
  void operator()() { close(); }

 private:
  void close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    held_.reset();  // the disk has its bytes back
  }

  std::optional<access::ByteShares::HeldBytes> held_;
  int descriptor_;
};

/// Where the file system knows no files without a name: for an instant it has one.
int open_and_unlink(const std::string& folder) {
  std::string name = folder + "/vigia-router-XXXXXX";
  const int descriptor = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor >= 0) unlink(name.c_str());
  return descriptor;
}

}  // namespace

Result<int> SpoolFile::open_unnamed(const std::string& folder) {
  int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    descriptor = open_and_unlink(folder);
  }
  if (descriptor < 0) return failure(errno);
  return descriptor;
}

SpoolFile::SpoolFile(int descriptor, Later later, service::Counter& unread, const Clock& clock)
    : descriptor_(descriptor), later_(std::move(later)), unread_(unread), clock_(clock) {}

// Its last reader may be an event loop.
SpoolFile::~SpoolFile() {
  Closing closing(descriptor_, std::move(held_));
  contain_faults("a large answer's end", [&] { later_(std::move(closing)); });
}

Result<void> SpoolFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failure(count < 0 ? errno : ENOSPC);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
  return {};
}

void SpoolFile::seal(access::ByteShares::HeldBytes held) {
  held_.emplace(std::move(held));
  read_until_ = clock_.steady() + kReadGrace +
                std::chrono::seconds(static_cast<std::int64_t>(size_ / kBytesPerSecondMin));
}

Result<void> SpoolFile::check_time() const {
  if (clock_.steady() <= read_until_) return {};
  unread_.add();
  return fail(ErrorCode::kDeadline, "the answer was read too slowly");
}

Result<std::optional<std::string>> SpoolFile::read(std::uint64_t at, std::size_t count,
                                                   int flags) const {
  std::string piece(std::min<std::uint64_t>(count, size_ - std::min(at, size_)), '\0');
  const iovec into{piece.data(), piece.size()};
  ssize_t got = 0;
  do {
    got = preadv2(descriptor_, &into, 1, static_cast<off_t>(at), flags);
  } while (got < 0 && errno == EINTR);
  // Not in the page cache, or a file system that cannot tell.
  if (got < 0 && flags != 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) return std::nullopt;
  if (got <= 0) return failure(got < 0 ? errno : EIO);
  piece.resize(static_cast<std::size_t>(got));
  return piece;
}

Result<std::optional<std::string>> SpoolFile::read_at_once(std::uint64_t at,
                                                           std::size_t count) const {
  if (auto in_time = check_time(); !in_time) return tl::unexpected<Error>(in_time.error());
  return read(at, count, RWF_NOWAIT);
}

void SpoolFile::read_later(std::uint64_t at, std::size_t count,
                           Task<void(Result<std::string>)> done) const {
  later_([self = shared_from_this(), at, count, done = std::move(done)] {
    auto in_time = self->check_time();
    if (!in_time) return done(tl::unexpected<Error>(in_time.error()));
    auto piece = self->read(at, count, 0);
    if (!piece) return done(tl::unexpected<Error>(piece.error()));
    done(std::move(**piece));
  });
}

}  // namespace vigia::router::spool
