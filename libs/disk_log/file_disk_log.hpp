// The disk log on a file system: who appends waits in a queue, and one thread writes what waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/disk_log/disk_log.hpp"
#include "libs/disk_log/log_cursor.hpp"
#include "libs/disk_log/log_state.hpp"
#include "libs/disk_log/recent_records.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/segment_evidence.hpp"

namespace vigia::disk_log {

/// A record that waits for the writer.
struct Pending {
  RecordHeader header;
  StoredBody body;
  DiskLog::Done done;     // of records that belong together the last one's
  bool has_more = false;  // the next one belongs to it
  RecentRecords::Body recent = {};
  std::size_t bytes() const {
    return kRecordPrefixBytes + header.tag.owner.size() + header.tag.route.size() +
           header.tag.note.size() + body.bytes.size();
  }
};

/// The log itself. Thread contract: that of DiskLog; one thread of its own writes.
class FileDiskLog final : public DiskLog {
 public:
  FileDiskLog(DiskLogSettings settings, const Clock& clock, DiskLogEvents events,
              FileSystem& files);
  ~FileDiskLog() override;
  FileDiskLog(const FileDiskLog&) = delete;
  FileDiskLog& operator=(const FileDiskLog&) = delete;

  /// Finds what is in the folder, then begins to write. Once, before anything else.
  Result<void> start();
  void let_go_of_recent() override { recent_.let_go(); }
  void append(DiskRecord record, Done done) override;
  void append_all(std::vector<DiskRecord> records, Done done) override;
  Result<RecordHeader> append_and_wait(DiskRecord record) override;
  Cursor& cursor(std::string_view name) override { return cursors_[state_.cursor_index(name)]; }
  DiskLogStats stats() const override;
  Result<void> check_share(const std::string& owner) const override {
    return state_.contents().check_share(owner);
  }
  std::vector<OwnerBytes> held_by_owner() const override {
    return state_.contents().held_by_owner();
  }
  Result<void> sync_cursors() override;

 private:
  // Whoever appends (log_appends.cpp).
  Result<void> check(const DiskRecord& record);
  /// Takes header and body.
  Pending packed(DiskRecord& record);
  Result<void> admit(const std::string& owner, std::uint64_t bytes, bool is_moved);
  void queue(std::span<Pending> group, std::size_t bytes);
  tl::unexpected<Error> full(std::string message) const;
  tl::unexpected<Error> unwritten() const;
  // The writer's thread.
  void run();
  bool take_turn();
  void wait_for_others(std::unique_lock<std::mutex>& lock);
  std::vector<Pending> take_batch(std::unique_lock<std::mutex>& lock);
  void write_batch(std::vector<Pending> batch);
  Result<void> try_batch(std::vector<Pending>& batch);
  void keep_recent(std::vector<Pending>& batch);
  void answer(Pending pending, const Result<void>& written);
  Result<void> write_durably(std::vector<Pending>& batch, std::uint64_t bytes);
  Result<void> ensure_room(std::uint64_t bytes);
  Result<void> ensure_segment();
  void abandon_segment(std::uint64_t last_sequence);
  bool tend();
  void remove_passed(bool needs_room = false);
  void keep_evidence();
  void make_evidence_fit(std::uint64_t bytes);

  DiskLogSettings settings_;
  const Clock& clock_;
  FileSystem& files_;
  LogState state_;
  RecentRecords recent_;
  SegmentEvidence evidence_;  // the writer's own, once it runs
  std::unique_ptr<DirectoryLock> folder_;
  std::deque<LogCursor> cursors_;  // in the settings' order; a deque keeps references valid

  mutable std::mutex mutex_;  // guards the five below
  std::condition_variable arrived_;
  std::deque<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  TimePoint refuse_until_{};  // after a failed write; until then appends are refused at once
  bool is_stopping_ = false;

  std::mutex cursor_file_mutex_;

  std::atomic<std::uint64_t> appended_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> sync_failures_{0};
  std::atomic<bool> is_full_{false};

  // The writer's own.
  std::unique_ptr<File> active_;
  std::uint64_t active_number_ = 0;
  std::uint64_t active_bytes_ = 0;
  std::uint64_t marker_ = 0;
  TimePoint synced_{};
  TimePoint tended_ = std::chrono::steady_clock::now();
  bool has_freed_room_ = false;  // removed a passed segment before the cursors said so
  bool has_more_ = false;  // of what tend does in pieces; between them appends have their turn
  std::thread writer_;     // last: it uses all of the above
};

}  // namespace vigia::disk_log
