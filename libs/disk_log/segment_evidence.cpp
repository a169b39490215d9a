#include "libs/disk_log/segment_evidence.hpp"

#include "libs/disk_log/segment_walk.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::string_view kSuffix = ".damaged";

std::uint64_t size_of(FileSystem& files, const std::string& path) {
  const auto file = files.open_to_read(path);
  const auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
  return size ? *size : 0;
}

}  // namespace

SegmentEvidence::SegmentEvidence(const std::string& directory, FileSystem& files)
    : directory_(directory), files_(files) {}

std::string SegmentEvidence::path_of(std::uint64_t segment) const {
  return segment_path(directory_, segment) + std::string(kSuffix);
}

void SegmentEvidence::recover() {
  const auto names = files_.list(directory_);
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.ends_with(kSuffix)) continue;
    const auto number = segment_number(name.substr(0, name.size() - kSuffix.size()));
    if (number) kept_[*number] = size_of(files_, path_of(*number));
  }
}

void SegmentEvidence::keep(std::uint64_t segment) {
  if (kept_.count(segment) > 0) return;
  const std::string path = segment_path(directory_, segment);
  const std::uint64_t bytes = size_of(files_, path);
  if (bytes == 0) return;  // gone, which is the damage
  // A second name costs no byte while the log holds the segment, and survives its removal without a
  // copy, which a full disk would not take.
  if (files_.link(path, path_of(segment)))
    (void)files_.sync_directory(directory_);
  else
    to_rename_.insert(segment);
  kept_[segment] = bytes;
  while (kept_.size() > kFilesMax && remove_oldest()) continue;
}

void SegmentEvidence::remove_segment(std::uint64_t segment) {
  const std::string path = segment_path(directory_, segment);
  if (to_rename_.erase(segment) > 0 && files_.rename(path, path_of(segment))) return;
  (void)files_.remove(path);  // left behind, it is found at the next start
}

std::uint64_t SegmentEvidence::bytes_beside(const IsHeld& is_held) const {
  std::uint64_t bytes = 0;
  for (const auto& [segment, size] : kept_) {
    if (!is_held(segment)) bytes += size;
  }
  return bytes;
}

bool SegmentEvidence::remove_oldest() {
  if (kept_.empty()) return false;
  const auto oldest = kept_.begin();
  if (to_rename_.erase(oldest->first) == 0) (void)files_.remove(path_of(oldest->first));
  kept_.erase(oldest);
  return true;
}

}  // namespace vigia::disk_log
