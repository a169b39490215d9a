#include "services/monitor/store/anchor.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "libs/base/crc32c.hpp"

namespace vigia::monitor::store {
namespace {

constexpr mode_t kPrivateFile = 0600;
constexpr std::string_view kMagic = "vigia-anchor 1 ";
constexpr std::size_t kIdCharacters = 32;
constexpr std::size_t kRevisionDigits = 20;
constexpr std::size_t kLineBytes = 78;
/// Apart, so that a write that tears one sector leaves the other place alone.
constexpr off_t kPlaceBytes = 4096;

/// "vigia-anchor 1 ID REVISION CRC32C\n"
std::string line_of(const DatabaseMark& mark) {
  const std::string content =
      fmt::format("{}{} {:0{}}", kMagic, mark.database, mark.revision, kRevisionDigits);
  return fmt::format("{} {:08x}\n", content, crc32c(content));
}

std::optional<DatabaseMark> read_line(std::string_view line) {
  if (line.size() != kLineBytes || !line.starts_with(kMagic)) return std::nullopt;
  DatabaseMark mark;
  mark.database = line.substr(kMagic.size(), kIdCharacters);
  const auto digits = line.substr(kMagic.size() + kIdCharacters + 1, kRevisionDigits);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), mark.revision);
  const bool is_good = error == std::errc() && end == digits.data() + digits.size();
  if (!is_good || line != line_of(mark)) return std::nullopt;
  return mark;
}

}  // namespace

Result<Anchor> Anchor::open(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivateFile);
  if (file < 0) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: cannot be opened for writing: {}", path, std::strerror(errno)));
  }
  Anchor anchor(path, file);
  anchor.read();
  return anchor;
}

Anchor::Anchor(Anchor&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      mark_(std::move(other.mark_)),
      damaged_places_(other.damaged_places_),
      next_place_(other.next_place_) {}

Anchor& Anchor::operator=(Anchor&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(mark_, other.mark_);
  std::swap(damaged_places_, other.damaged_places_);
  std::swap(next_place_, other.next_place_);
  return *this;
}

Anchor::~Anchor() {
  if (file_ >= 0) ::close(file_);
}

void Anchor::read() {
  // Two places, written in turns: a write that is cut off by a power loss damages one of them, and
  // the other still holds the mark before it.
  for (int place = 0; place < 2; ++place) {
    std::array<char, kLineBytes> room{};
    const ssize_t got = ::pread(file_, room.data(), room.size(), place * kPlaceBytes);
    const std::string_view line(room.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    // A place that was never written: behind the end, or a hole before the other one.
    if (line.empty() || line == std::string(line.size(), '\0')) continue;
    auto mark = read_line(line);
    if (!mark) {
      ++damaged_places_;
    } else if (!mark_ || mark->revision >= mark_->revision) {
      mark_ = std::move(mark);
      next_place_ = 1 - place;
    }
  }
}

Result<void> Anchor::note(const DatabaseMark& mark) {
  const std::string line = line_of(mark);
  const auto failed = [this] {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
  };
  const ssize_t written = ::pwrite(file_, line.data(), line.size(), next_place_ * kPlaceBytes);
  if (written != static_cast<ssize_t>(line.size())) return failed();
  // Before the caller goes on: a mark that is lost says of a newer database that it is sound, and
  // of one that lost its end as well.
  if (::fdatasync(file_) != 0) return failed();
  mark_ = mark;
  next_place_ = 1 - next_place_;
  return {};
}

}  // namespace vigia::monitor::store
