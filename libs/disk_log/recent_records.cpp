#include "libs/disk_log/recent_records.hpp"

#include <algorithm>
#include <utility>

namespace vigia::disk_log {
namespace {

/// A body that is counted for as long as anybody has it.
struct CountedBody {
  CountedBody(std::string& from, std::uint64_t all_bytes,
              std::shared_ptr<std::atomic<std::uint64_t>> sum)
      : body(std::move(from)), bytes(all_bytes), held(std::move(sum)) {
    *held += bytes;
  }
  ~CountedBody() { *held -= bytes; }
  CountedBody(const CountedBody&) = delete;
  CountedBody& operator=(const CountedBody&) = delete;

  const std::string body;
  const std::uint64_t bytes;
  const std::shared_ptr<std::atomic<std::uint64_t>> held;
};

}  // namespace

RecentRecords::RecentRecords(std::uint64_t bytes_max, std::size_t readers)
    : bytes_max_(bytes_max),
      readers_(readers),
      held_(std::make_shared<std::atomic<std::uint64_t>>(0)) {}

std::uint64_t RecentRecords::bytes_of(const RecordTag& tag, const std::string& body) {
  return sizeof(Entry) + sizeof(CountedBody) + tag.owner.size() + tag.route.size() +
         tag.note.size() + body.capacity();
}

RecentRecords::Body RecentRecords::hold(const RecordTag& tag, std::string& body) {
  const std::uint64_t bytes = bytes_of(tag, body);
  if (bytes > bytes_max_) return nullptr;
  const std::lock_guard lock(mutex_);
  if (!make_room(bytes)) return nullptr;
  const auto held = std::make_shared<const CountedBody>(body, bytes, held_);
  return {held, &held->body};
}

bool RecentRecords::make_room(std::uint64_t bytes) {
  while (*held_ + bytes > bytes_max_) {
    if (entries_.empty()) return false;
    entries_.pop_front();
  }
  return true;
}

void RecentRecords::put(const RecordHeader& header, Body body) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({header, std::move(body), readers_});
}

void RecentRecords::let_go() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  entries_.shrink_to_fit();
}

std::optional<DiskRecord> RecentRecords::take(LogPosition position) {
  const std::lock_guard lock(mutex_);
  const auto found = std::lower_bound(
      entries_.begin(), entries_.end(), position,
      [](const Entry& entry, LogPosition wanted) { return entry.header.position < wanted; });
  if (found == entries_.end() || found->header.position != position) return std::nullopt;
  if (found->readers_left > 1) {
    --found->readers_left;
    return DiskRecord{.header = found->header, .recent = found->body};
  }
  DiskRecord record{.header = std::move(found->header), .recent = std::move(found->body)};
  entries_.erase(found);
  return record;
}

}  // namespace vigia::disk_log
