#include "services/collector/side/side_reserve.hpp"

#include <algorithm>

namespace vigia::collector::side {
namespace {

constexpr auto kLookInterval = std::chrono::seconds(1);

}  // namespace

SideReserve::SideReserve(SideReserveSettings settings, const Clock& clock,
                         disk_log::FileSystem& files)
    : settings_(std::move(settings)), clock_(clock), files_(files) {}

/// What an earlier run kept: on a full disk it could not be taken anew.
void SideReserve::resume() {
  const std::string path = settings_.directory + "/reserve";
  std::uint64_t before = 0;
  if (const auto old = files_.open_to_read(path)) before = (*old)->size().value_or(0);
  if (!files_.create_directory(settings_.directory)) return;
  auto file = files_.create(path);
  if (!file) return;
  file_ = *std::move(file);
  grow(std::min(before, settings_.bytes_max));
}

void SideReserve::grow(std::uint64_t bytes) {
  static const std::string zeros(kStepBytes, '\0');
  while (bytes_ < bytes) {
    const auto step = std::min<std::uint64_t>(zeros.size(), bytes - bytes_);
    // Zeros are written, not a hole: a hole takes no room, and so keeps none.
    if (!file_->append({std::string_view(zeros).substr(0, step)})) {
      (void)file_->truncate(bytes_);
      return;
    }
    bytes_ += step;
  }
}

void SideReserve::keep() {
  if (settings_.bytes_max == 0 || !settings_.free_bytes) return;
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  if (looked_ != TimePoint{} && now < looked_ + kLookInterval) return;
  looked_ = now;
  const std::uint64_t free = settings_.free_bytes();
  // With so much free nothing has to be kept, and a file that nobody needs is not made.
  if (free >= kPlenty * settings_.bytes_max) return;
  if (!file_) resume();
  const std::uint64_t wanted = std::min(settings_.bytes_max, (free + bytes_) / kParts);
  if (file_ && wanted >= bytes_ + kStepBytes) grow(wanted);
}

bool SideReserve::give(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes_ == 0) return false;
  const std::uint64_t left = bytes_ - std::min(bytes_, bytes);
  // The room is given by shortening: the file stays for what is freed later.
  if (!file_->truncate(left)) return false;
  bytes_ = left;
  return true;
}

}  // namespace vigia::collector::side
