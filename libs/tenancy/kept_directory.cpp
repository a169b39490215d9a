#include "libs/tenancy/kept_directory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libs/base/hex.hpp"
#include "libs/tenancy/directory_document.hpp"

namespace vigia::tenancy {
namespace {

constexpr std::string_view kMagic = "vigia-directory ";
constexpr std::string_view kVersion = "1";

/// "vigia-directory 1 SHA256 BYTES\n"
std::string head_of(std::string_view document) {
  return fmt::format("{}{} {} {}\n", kMagic, kVersion, sha256_hex(document), document.size());
}

Result<std::string> damaged(const std::string& path, std::string_view why) {
  return fail(ErrorCode::kCorrupt, fmt::format("{}: {}", path, why));
}

/// The document of a kept file, checked against its head. What has no head is a file of an earlier
/// version, always a JSON object: taken as it is, since it has nothing to be checked against.
Result<std::string> document_of(std::string text, const std::string& path) {
  if (!text.empty() && text.front() == '{') return text;
  if (!text.starts_with(kMagic)) return damaged(path, "empty, or no directory of Vigía");
  const std::size_t end = text.find('\n');
  if (end == std::string::npos) return damaged(path, "cut within its head");
  const std::string_view head = std::string_view(text).substr(0, end + 1);
  std::string document = text.substr(end + 1);
  if (head == head_of(document)) return document;
  const std::string_view version =
      head.substr(kMagic.size(), head.find(' ', kMagic.size()) - kMagic.size());
  if (version != kVersion) {
    return damaged(path,
                   fmt::format("of version \"{}\", this program reads {}", version, kVersion));
  }
  return damaged(path, fmt::format("its {} bytes are not those that were written (checksum)",
                                   document.size()));
}

/// The folder's own entry, without which a rename may not outlive a power cut.
bool sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool is_good = ::fsync(file) == 0;
  ::close(file);
  return is_good;
}

bool write_all(int file, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// How long ago the file was written; nothing where that cannot be told.
Duration age_of(const std::string& path, std::int64_t now_ms) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return Duration::zero();
  const auto then = std::chrono::seconds(status.st_mtim.tv_sec);
  return std::max<Duration>(std::chrono::milliseconds(now_ms) - then, Duration::zero());
}

Result<KeptDirectory> load_one(const std::string& path, std::int64_t now_ms) {
  auto text = read_directory_file(path);
  if (!text) return forward(text);
  auto document = document_of(*std::move(text), path);
  if (!document) return forward(document);
  auto snapshot = read_document(*document, path);
  if (!snapshot) return forward(snapshot);
  return KeptDirectory{*std::move(snapshot), *std::move(document), age_of(path, now_ms), false};
}

}  // namespace

Result<std::string> read_directory_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const bool is_missing = errno == ENOENT;
    return fail(is_missing ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  }
  std::string text;
  std::array<char, 16U << 10U> room{};
  while (file && text.size() <= kDirectoryBytesMax) {
    file.read(room.data(), room.size());
    text.append(room.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be read", path));
  if (text.size() > kDirectoryBytesMax) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: larger than {} bytes", path, kDirectoryBytesMax));
  }
  return text;
}

KeptFile::Loaded KeptFile::load(std::int64_t now_ms) const {
  Loaded loaded;
  for (const bool is_previous : {false, true}) {
    const std::string path = is_previous ? path_ + ".previous" : path_;
    auto one = load_one(path, now_ms);
    if (one) {
      one->is_previous = is_previous;
      loaded.directory = *std::move(one);
      return loaded;
    }
    if (one.error().code == ErrorCode::kNotFound) continue;
    loaded.problems.push_back(one.error().message);
    if (one.error().code == ErrorCode::kUnavailable) continue;  // perhaps readable the next time
    // Out of the way, and kept for a person: the next store would else make it the previous one.
    std::rename(path.c_str(), (path + ".damaged").c_str());
  }
  return loaded;
}

Result<void> KeptFile::store(std::string_view document) const {
  const std::string beside = path_ + ".new";
  const auto failed = [this](std::string_view step) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: cannot be {}: {}", path_, step, std::strerror(errno)));
  };
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("created");
  bool is_good = write_all(file, head_of(document)) && write_all(file, document);
  is_good = is_good && ::fsync(file) == 0;
  // On some file systems (NFS) only close tells that a write has failed.
  is_good = ::close(file) == 0 && is_good;
  if (!is_good) return failed("written");
  // Between the two renames a reader finds the one before alone, and goes by that.
  const bool is_first = ::access(path_.c_str(), F_OK) != 0;
  if (!is_first && std::rename(path_.c_str(), (path_ + ".previous").c_str()) != 0) {
    return failed("kept as the previous one");
  }
  if (std::rename(beside.c_str(), path_.c_str()) != 0) return failed("renamed");
  if (!sync_folder(path_)) return failed("made durable");
  return {};
}

void KeptFile::touch() const { ::utimensat(AT_FDCWD, path_.c_str(), nullptr, 0); }

}  // namespace vigia::tenancy
