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

#include "libs/base/crc32c.hpp"
#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

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

SpoolFile::SpoolFile(int descriptor, Later later, const SpoolCounters& counters, const Clock& clock)
    : descriptor_(descriptor), later_(std::move(later)), counters_(counters), clock_(clock) {}

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
    add_sums(bytes.substr(0, static_cast<std::size_t>(count)));
    bytes.remove_prefix(static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
  return {};
}

/// Of what comes at `size_`.
void SpoolFile::add_sums(std::string_view bytes) {
  std::uint64_t used = size_ % kBlockBytes;
  while (!bytes.empty()) {
    if (used == 0) sums_.push_back(0);
    const std::string_view part = bytes.substr(0, kBlockBytes - used);
    sums_.back() = crc32c(part, sums_.back());
    bytes.remove_prefix(part.size());
    used = 0;
  }
}

void SpoolFile::seal(access::ByteShares::HeldBytes held) {
  held_.emplace(std::move(held));
  read_until_ = clock_.steady() + kReadGrace +
                std::chrono::seconds(static_cast<std::int64_t>(size_ / kBytesPerSecondMin));
}

Result<void> SpoolFile::check_time() const {
  if (clock_.steady() <= read_until_) return {};
  counters_.unread.add();
  return fail(ErrorCode::kDeadline, "the answer was read too slowly");
}

Result<std::optional<std::string>> SpoolFile::read(std::uint64_t at, std::size_t count,
                                                   int flags) const {
  if (at >= size_) return failure(EIO);
  std::uint64_t end = std::min<std::uint64_t>(size_, at + count);
  // Whoever reads on begins with a block then, and no block is read twice.
  if (const std::uint64_t last = end / kBlockBytes * kBlockBytes; last > at) end = last;
  const std::uint64_t from = at / kBlockBytes * kBlockBytes;
  const std::uint64_t to = std::min(size_, (end + kBlockBytes - 1) / kBlockBytes * kBlockBytes);
  auto blocks = read_blocks(from, to, flags);
  if (!blocks || !*blocks) return blocks;
  if (auto same = check_sums(from, **blocks); !same) return tl::unexpected<Error>(same.error());
  (*blocks)->resize(end - from);
  (*blocks)->erase(0, at - from);
  return blocks;
}

/// All of them, or nothing where some are not in the page cache.
Result<std::optional<std::string>> SpoolFile::read_blocks(std::uint64_t from, std::uint64_t to,
                                                          int flags) const {
  std::string blocks(to - from, '\0');
  for (std::size_t used = 0; used < blocks.size();) {
    const iovec into{blocks.data() + used, blocks.size() - used};
    const ssize_t got = preadv2(descriptor_, &into, 1, static_cast<off_t>(from + used), flags);
    if (got < 0 && errno == EINTR) continue;
    // Not in the page cache, or a file system that cannot tell.
    if (got < 0 && flags != 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) return std::nullopt;
    if (got <= 0) return failure(got < 0 ? errno : EIO);
    used += static_cast<std::size_t>(got);
  }
  return blocks;
}

Result<void> SpoolFile::check_sums(std::uint64_t from, std::string_view blocks) const {
  for (std::size_t block = from / kBlockBytes; !blocks.empty(); ++block) {
    const std::string_view one = blocks.substr(0, kBlockBytes);
    if (crc32c(one) != sums_[block]) {
      counters_.damaged.add();
      service::log_error("the disk has changed a large answer, which breaks off",
                         {{"offset", std::to_string(block * kBlockBytes)}});
      return fail(ErrorCode::kCorrupt, "the answer was damaged on the router's disk");
    }
    blocks.remove_prefix(one.size());
  }
  return {};
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
