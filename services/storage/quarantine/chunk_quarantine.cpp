#include "services/storage/quarantine/chunk_quarantine.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::storage::quarantine {
namespace {

constexpr std::uint64_t kBlockBytes = 4'096;
constexpr std::string_view kEnding = ".chunk";
constexpr std::string_view kDraftEnding = ".new";
constexpr std::string_view kDamagedEnding = ".damaged";
// No chunk of the heads is a hundredth of it.
constexpr std::size_t kFileBytesMax = 256U << 20U;

std::uint64_t room_of(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

// "c3", by which shares are counted: a file that is damaged still says whose it is.
std::string owner_of(const std::string& name) { return name.substr(0, name.find('-')); }

}  // namespace

ChunkQuarantine::ChunkQuarantine(QuarantineSettings settings, disk_log::FileSystem& files,
                                 const Clock& clock)
    : settings_(std::move(settings)), files_(files), clock_(clock) {
  look();
}

void ChunkQuarantine::look() {
  const auto names = files_.list(settings_.directory);
  if (!names) {
    if (names.error().code == ErrorCode::kNotFound) return;
    service::log_error("chunks in quarantine cannot be looked at, they wait for the next start",
                       {{"folder", settings_.directory}, {"why", names.error().message}});
    return;
  }
  for (const std::string& name : *names) {
    // Of a write that a kill ended: what it was of is in the write-ahead log.
    if (name.ends_with(kDraftEnding)) (void)files_.remove(path_of(name));
    if (!name.ends_with(kEnding) && !name.ends_with(kDamagedEnding)) continue;
    const auto file = files_.open_to_read(path_of(name));
    const auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
    count(name, room_of(size.value_or(0)));
  }
  note_owners();
}

void ChunkQuarantine::count(const std::string& name, std::uint64_t bytes) {
  bytes_by_name_[name] = bytes;
  bytes_by_owner_[owner_of(name)] += bytes;
  bytes_ += bytes;
}

Result<void> ChunkQuarantine::check_room(const std::string& owner, std::uint64_t bytes) const {
  const std::uint64_t total = bytes_ + bytes;
  const auto at = bytes_by_owner_.find(owner);
  const std::uint64_t own = (at == bytes_by_owner_.end() ? 0 : at->second) + bytes;
  const bool is_much = total > settings_.bytes_max / 2 && own > settings_.bytes_max / 4;
  if (!is_much && total <= settings_.bytes_max) return {};
  return fail(ErrorCode::kOverLimit,
              fmt::format("{} has no room for more chunks of {} ({} of {} bytes): find out why the "
                          "store refuses them; a start gives them to it again",
                          settings_.directory, owner, bytes_, settings_.bytes_max));
}

// Written beside, synced, named, and the folder synced: a kill at any moment leaves no half of it
// under its name.
Result<void> ChunkQuarantine::write(const std::string& name, const std::string& file) {
  if (auto made = files_.create_directory(settings_.directory); !made) return made;
  const std::string draft = path_of(name) + std::string(kDraftEnding);
  const auto put = [&]() -> Result<void> {
    auto out = files_.create(draft);
    if (!out) return forward(out);
    if (auto written = (*out)->append({file}); !written) return written;
    if (auto synced = (*out)->sync(); !synced) return synced;
    if (auto named = files_.rename(draft, path_of(name)); !named) return named;
    return files_.sync_directory(settings_.directory);
  };
  Result<void> done = put();
  // What is left of it takes room on a disk that may have none.
  if (!done) {
    (void)files_.remove(draft);
    (void)files_.remove(path_of(name));
  }
  return done;
}

Result<std::string> ChunkQuarantine::keep(QuarantinedChunk chunk) {
  const std::lock_guard lock(mutex_);
  std::string name = name_of(chunk);
  if (bytes_by_name_.contains(name)) return name;
  chunk.taken_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall_ns(), 1));
  const std::string file = encode(chunk);
  const std::uint64_t room = room_of(file.size());
  if (auto checked = check_room(owner_of(name), room); !checked) return forward(checked);
  if (auto written = write(name, file); !written) return forward(written);
  count(name, room);
  note_owners();
  return name;
}

std::vector<std::string> ChunkQuarantine::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, bytes] : bytes_by_name_) {
    if (name.ends_with(kEnding)) names.push_back(name);
  }
  return names;
}

Result<QuarantinedChunk> ChunkQuarantine::read(const std::string& name) const {
  const auto file = files_.open_to_read(path_of(name));
  if (!file) return forward(file);
  const auto size = (*file)->size();
  if (!size) return forward(size);
  if (*size > kFileBytesMax) return fail(ErrorCode::kCorrupt, "no chunk is as large");
  std::string bytes;
  if (auto got = (*file)->read_at(0, *size, bytes); !got) return forward(got);
  return decode(bytes);
}

Result<void> ChunkQuarantine::remove(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : names) {
    if (auto removed = files_.remove(path_of(name)); !removed) return removed;
    const auto at = bytes_by_name_.find(name);
    if (at == bytes_by_name_.end()) continue;
    bytes_ -= at->second;
    bytes_by_owner_[owner_of(name)] -= at->second;
    bytes_by_name_.erase(at);
  }
  note_owners();
  return files_.sync_directory(settings_.directory);
}

void ChunkQuarantine::mark_damaged(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const std::string damaged = name + std::string(kDamagedEnding);
  if (!files_.rename(path_of(name), path_of(damaged))) return;  // the next start finds it again
  auto counted = bytes_by_name_.extract(name);
  if (counted.empty()) return;
  counted.key() = damaged;
  bytes_by_name_.insert(std::move(counted));
}

// Told from a copy: whoever answers a read must not wait for the disk, as `keep` does under its
// lock.
void ChunkQuarantine::note_owners() {
  std::vector<customers::CustomerNumber> owners;
  for (const auto& [owner, bytes] : bytes_by_owner_) {
    customers::CustomerNumber number;
    const auto read = std::from_chars(owner.data() + 1, owner.data() + owner.size(), number.value);
    if (bytes > 0 && read.ec == std::errc()) owners.push_back(number);
  }
  const std::lock_guard lock(owners_mutex_);
  owners_ = std::move(owners);
}

std::vector<customers::CustomerNumber> ChunkQuarantine::owners() const {
  const std::lock_guard lock(owners_mutex_);
  return owners_;
}

QuarantineStats ChunkQuarantine::stats() const {
  const std::lock_guard lock(mutex_);
  QuarantineStats stats;
  stats.bytes = bytes_;
  for (const auto& [name, bytes] : bytes_by_name_) {
    ++(name.ends_with(kEnding) ? stats.chunks : stats.damaged);
  }
  return stats;
}

}  // namespace vigia::storage::quarantine
