#include "libs/disk_log/damage_notice.hpp"

#include <fmt/format.h>

namespace vigia::disk_log {

DamageNotice::DamageNotice(std::string path, FileSystem& files, const Clock& clock)
    : path_(std::move(path)), files_(files), clock_(clock) {}

void DamageNotice::recover() {
  const auto file = files_.open_to_read(path_);
  if (!file && file.error().code == ErrorCode::kNotFound) return;
  has_file_ = true;
  const std::lock_guard lock(mutex_);
  shown_from_ = clock_.steady();
}

void DamageNotice::found() {
  const std::lock_guard lock(mutex_);
  shown_from_ = clock_.steady();
}

bool DamageNotice::is_shown() const {
  const std::lock_guard lock(mutex_);
  return shown_from_ && clock_.steady() - *shown_from_ < kShown;
}

void DamageNotice::keep() {
  const bool is_wanted = is_shown();
  if (is_wanted == has_file_) return;
  const auto done = is_wanted ? write() : files_.remove(path_);
  if (done) has_file_ = is_wanted;
}

/// That the file is there is what counts: half of it says the same.
Result<void> DamageNotice::write() {
  auto file = files_.create(path_);
  if (!file) return forward(file);
  const std::string text = fmt::format(
      "damage was found at {} ms since 1970; shown until the program has run for an hour since\n",
      clock_.wall_ms());
  if (auto written = (*file)->append({text}); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  return files_.sync_directory(path_.substr(0, path_.rfind('/')));
}

}  // namespace vigia::disk_log
