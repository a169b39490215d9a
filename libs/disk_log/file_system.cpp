#include "libs/disk_log/file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <unistd.h>

namespace vigia::disk_log {
namespace {

/// What a device answers that cannot give back what it holds.
bool is_medium_fault(int number) {
  return number == EIO || number == ENODATA || number == EREMOTEIO || number == EBADMSG ||
         number == EUCLEAN;
}

tl::unexpected<Error> system_error(std::string_view action, const std::string& path, int number) {
  ErrorCode code = ErrorCode::kUnavailable;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  if (is_medium_fault(number)) code = ErrorCode::kCorrupt;
  return fail(code, fmt::format("{} {}: {}", action, path,
                                std::system_category().default_error_condition(number).message()));
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  Result<void> append(const std::vector<std::string_view>& parts) override {
    std::vector<iovec> pieces;
    pieces.reserve(parts.size());
    for (const std::string_view part : parts) {
      // writev takes pointers to non-const for the sake of readv; it does not write through them.
      if (!part.empty()) pieces.push_back({const_cast<char*>(part.data()), part.size()});
    }
    std::size_t first = 0;
    while (first < pieces.size()) {
      const auto count = static_cast<int>(std::min<std::size_t>(pieces.size() - first, IOV_MAX));
      const ssize_t written = ::writev(descriptor_.number(), &pieces[first], count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_error("writing", path_, errno);
      advance(pieces, first, static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> sync() override {
    if (::fdatasync(descriptor_.number()) != 0) return system_error("syncing", path_, errno);
    return {};
  }

  Result<void> truncate(std::uint64_t bytes) override {
    const auto length = static_cast<off_t>(bytes);
    if (::ftruncate(descriptor_.number(), length) != 0 ||
        ::lseek(descriptor_.number(), length, SEEK_SET) < 0)
      return system_error("cutting", path_, errno);
    return {};
  }

  Result<void> read_at(std::uint64_t offset, std::size_t count, std::string& out) const override {
    out.resize(count);
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = ::pread(descriptor_.number(), out.data() + done, count - done,
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error("reading", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    out.resize(done);
    return {};
  }

  Result<std::uint64_t> size() const override {
    const off_t end = ::lseek(descriptor_.number(), 0, SEEK_END);
    if (end < 0) return system_error("measuring", path_, errno);
    return static_cast<std::uint64_t>(end);
  }

 private:
  /// Takes `written` bytes off the front of pieces[first…].
  static void advance(std::vector<iovec>& pieces, std::size_t& first, std::size_t written) {
    while (written > 0) {
      iovec& piece = pieces[first];
      const std::size_t taken = std::min(written, piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + taken;
      piece.iov_len -= taken;
      written -= taken;
      if (piece.iov_len == 0) ++first;
    }
  }

  std::string path_;
  Descriptor descriptor_;
};

class PosixLock final : public DirectoryLock {
 public:
  explicit PosixLock(int descriptor) : descriptor_(descriptor) {}

 private:
  Descriptor descriptor_;  // flock ends with it
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    return open_file(path, O_RDWR | O_CREAT | O_TRUNC, "creating");
  }

  Result<std::unique_ptr<File>> open_to_read(const std::string& path) override {
    return open_file(path, O_RDONLY, "opening");
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("renaming", from, errno);
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error("removing", path, errno);
    return {};
  }

  Result<void> link(const std::string& path, const std::string& second) override {
    if (::link(path.c_str(), second.c_str()) != 0) return system_error("linking", path, errno);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::error_code code;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entries(directory, code);
    while (!code && entries != std::filesystem::directory_iterator()) {
      if (entries->is_regular_file(code)) names.push_back(entries->path().filename().string());
      entries.increment(code);
    }
    if (code) return system_error("listing", directory, code.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<void> create_directory(const std::string& directory) override {
    std::error_code code;
    std::vector<std::filesystem::path> made;
    for (auto path = std::filesystem::absolute(directory, code);
         !code && path.has_relative_path() && !std::filesystem::exists(path, code);
         path = path.parent_path())
      made.push_back(path);
    const bool is_new = std::filesystem::create_directories(directory, code);
    if (code) return system_error("creating folder", directory, code.value());
    if (is_new) {
      std::filesystem::permissions(directory, std::filesystem::perms::owner_all, code);
      if (code) return system_error("closing folder to others", directory, code.value());
    }
    // Where the power goes, a folder whose name is in no folder is gone with all that is in it.
    for (const auto& path : made) {
      if (auto synced = sync_directory(path.parent_path().string()); !synced) return synced;
    }
    return {};
  }

  Result<void> sync_directory(const std::string& directory) override {
    const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.number() < 0) return system_error("opening folder", directory, errno);
    if (::fsync(folder.number()) != 0) return system_error("syncing folder", directory, errno);
    return {};
  }

  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override {
    const std::string path = directory + "/lock";
    const int number = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (number < 0) return system_error("opening", path, errno);
    auto held = std::make_unique<PosixLock>(number);
    if (::flock(number, LOCK_EX | LOCK_NB) == 0) return held;
    if (errno != EWOULDBLOCK) return system_error("locking", path, errno);
    return fail(
        ErrorCode::kUnavailable,
        fmt::format("folder {} is in use by another process (its file `lock` is held)", directory));
  }

 private:
  static Result<std::unique_ptr<File>> open_file(const std::string& path, int flags,
                                                 std::string_view action) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (number < 0) return system_error(action, path, errno);
    return std::make_unique<PosixFile>(path, number);
  }
};

}  // namespace

FileSystem& system_files() {
  static PosixFileSystem files;
  return files;
}

}  // namespace vigia::disk_log
