// FileDiskLog: whoever appends. What the limits do not allow is refused here, before it waits.
#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/disk_log/file_disk_log.hpp"

namespace vigia::disk_log {

tl::unexpected<Error> FileDiskLog::full(std::string message) const {
  return tl::unexpected<Error>(
      Error{ErrorCode::kUnavailable, std::move(message), settings_.full_retry_interval});
}

// So short that no memory is asked for: it is what stands where memory has ended.
tl::unexpected<Error> FileDiskLog::unwritten() const { return full("fault, see log"); }

Result<void> FileDiskLog::check(const DiskRecord& record) {
  const RecordTag& tag = record.header.tag;
  if (tag.owner.size() > kOwnerBytesMax || tag.route.size() > kRouteBytesMax ||
      tag.note.size() > kNoteBytesMax || record.body.size() > kRecordBytesMax ||
      record.body.size() > settings_.bytes_max)
    return fail(ErrorCode::kTooLarge,
                fmt::format("a record of {} bytes is over the disk log's limit",
                            record.body.size() + tag.note.size()));
  return {};
}

/// What LZ4 does not change is as quick to read from the disk.
Pending FileDiskLog::packed(DiskRecord& record) {
  StoredBody body = pack_or_take(record.body, record.header.encoding);
  RecentRecords::Body recent;
  if (body.is_lz4) recent = recent_.hold(record.header.tag, record.body);
  return {.header = std::move(record.header),
          .body = std::move(body),
          .done = {},
          .recent = std::move(recent)};
}

void FileDiskLog::append(DiskRecord record, Done done) {
  auto checked = check(record);
  if (checked) {
    // Compressed and summed by the caller, before the lock: the writer is one thread for all.
    Pending pending = packed(record);
    pending.done = std::move(done);
    const std::size_t bytes = pending.bytes();
    const std::unique_lock lock(mutex_);
    checked = admit(pending.header.tag.owner, bytes, record.is_moved);
    if (checked) {
      queue({&pending, 1}, bytes);
      return;
    }
    done = std::move(pending.done);
  }
  ++refused_;
  done(forward(checked));
}

void FileDiskLog::append_all(std::vector<DiskRecord> records, Done done) {
  CHECK(!records.empty());
  Result<void> checked;
  std::uint64_t plain_bytes = 0;
  for (const DiskRecord& record : records) {
    if (checked) checked = check(record);
    plain_bytes += record.body.size();
  }
  if (plain_bytes > settings_.bytes_max)
    checked = fail(ErrorCode::kTooLarge,
                   fmt::format("{} bytes are over the disk log's limit", plain_bytes));
  if (checked) {
    std::vector<Pending> group;
    std::size_t bytes = 0;
    for (DiskRecord& record : records) {
      group.push_back(packed(record));
      group.back().has_more = true;
      bytes += group.back().bytes();
    }
    group.back().has_more = false;
    const std::unique_lock lock(mutex_);
    checked = admit(group.back().header.tag.owner, bytes, records.back().is_moved);
    if (checked) {
      group.back().done = std::move(done);
      queue(group, bytes);
      return;
    }
  }
  refused_ += records.size();
  done(forward(checked));
}

/// Records of one owner, whose bytes are reserved: all of them are queued or, where it throws,
/// none, and nothing is reserved. REQUIRES: mutex_ is held.
void FileDiskLog::queue(std::span<Pending> group, std::size_t bytes) {
  try {
    // At the end of a deque memory is asked for before the first of them moves.
    pending_.insert(pending_.end(), std::move_iterator(group.begin()),
                    std::move_iterator(group.end()));
  } catch (...) {
    state_.contents().release(group.front().header.tag.owner, bytes);
    throw;
  }
  pending_bytes_ += bytes;
  arrived_.notify_one();
}

/// Reserves the bytes where they may be queued. REQUIRES: mutex_ is held.
Result<void> FileDiskLog::admit(const std::string& owner, std::uint64_t bytes, bool is_moved) {
  if (is_stopping_) return full("the disk log is closing");
  if (clock_.steady() < refuse_until_)
    return full("the disk does not take the log's data at present");
  // With nothing waiting one record always fits, however large: else it would never be taken.
  if (!pending_.empty() && pending_bytes_ + bytes > settings_.pending_bytes_max)
    return full("the disk does not keep up with what arrives");
  const std::uint64_t own = state_.contents().reserved(owner);
  // Half of the queue is always there for the others while one owner sends faster than the disk.
  if (settings_.owner_share > 0 && own > 0 && own + bytes > settings_.pending_bytes_max / 2)
    return full(
        fmt::format("the disk does not keep up with what this {} sends", settings_.owner_word));
  if (state_.is_blocked(pending_bytes_ + bytes))
    return full("the disk log is full of data that a required destination has not taken yet");
  if (is_moved) {
    state_.contents().reserve_anyway(owner, bytes);
    return {};
  }
  auto reserved = state_.contents().reserve(owner, bytes);
  if (!reserved) reserved.error().retry_after = settings_.full_retry_interval;
  return reserved;
}

Result<RecordHeader> FileDiskLog::append_and_wait(DiskRecord record) {
  std::promise<Result<RecordHeader>> promise;
  auto answer = promise.get_future();
  // The promise goes with the record, so that one which a fault lets go is heard of too.
  append(std::move(record),
         [promise = std::move(promise)](const Result<RecordHeader>& header) mutable {
           promise.set_value(header);
         });
  Result<RecordHeader> result = unwritten();
  contain_faults("an answer of the disk log", [&] { result = answer.get(); });
  // `done` runs before readers can see the record (write_batch); this caller wants both.
  if (result) state_.wait_until_readable(result->sequence);
  return result;
}

DiskLogStats FileDiskLog::stats() const {
  DiskLogStats stats;
  state_.add_stats(stats);
  stats.appended_records = appended_;
  stats.refused_records = refused_;
  stats.syncs = syncs_;
  stats.sync_failures = sync_failures_;
  stats.is_full = is_full_ || state_.is_blocked(0);
  return stats;
}

}  // namespace vigia::disk_log
