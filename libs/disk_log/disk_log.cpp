#include "libs/disk_log/disk_log.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/base/random.hpp"
#include "libs/disk_log/log_cursor.hpp"
#include "libs/disk_log/log_state.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/segment_evidence.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::size_t kCursorNameBytesMax = 200;
/// A log is cut into at least this many segments, so that dropping the oldest drops a part.
constexpr std::uint64_t kSegmentsMin = 4;
constexpr std::uint64_t kSegmentBytesMin = 4096;
// A fault of ours at every turn (no memory, say) must not become a loop that takes a core.
constexpr auto kFaultPause = std::chrono::milliseconds(100);

struct Pending {
  RecordHeader header;
  StoredBody body;
  DiskLog::Done done;     // of records that belong together the last one's
  bool has_more = false;  // the next one belongs to it
  std::size_t bytes() const {
    return kRecordPrefixBytes + header.customer.text().size() + header.route.size() +
           header.verdicts.size() + body.bytes.size();
  }
};

Result<void> check_cursors(const std::vector<CursorSettings>& cursors) {
  if (cursors.empty())
    return fail(ErrorCode::kInvalid, "a disk log without cursors would keep nothing");
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
  for (std::size_t i = 0; i < cursors.size(); ++i) {
    const std::string& name = cursors[i].name;
    if (name.empty() || name.size() > kCursorNameBytesMax ||
        name.find_first_not_of(kAllowed) != std::string::npos)
      return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no name for a cursor", name));
    for (std::size_t j = 0; j < i; ++j) {
      if (cursors[j].name == name)
        return fail(ErrorCode::kInvalid, fmt::format("two cursors are called {}", name));
    }
  }
  return {};
}

/// The log itself: appends from any thread, one thread that writes.
class FileDiskLog final : public DiskLog {
 public:
  FileDiskLog(DiskLogSettings settings, const Clock& clock, DiskLogEvents events, FileSystem& files)
      : settings_(std::move(settings)),
        clock_(clock),
        files_(files),
        state_(settings_, clock, files, std::move(events)),
        evidence_(settings_.directory, files) {
    settings_.segment_bytes =
        std::clamp(settings_.segment_bytes, kSegmentBytesMin,
                   std::max(kSegmentBytesMin, settings_.bytes_max / kSegmentsMin));
  }
  ~FileDiskLog() override;
  FileDiskLog(const FileDiskLog&) = delete;
  FileDiskLog& operator=(const FileDiskLog&) = delete;

  Result<void> start();
  void append(DiskRecord record, Done done) override;
  void append_all(std::vector<DiskRecord> records, Done done) override;
  Result<RecordHeader> append_and_wait(DiskRecord record) override;
  Cursor& cursor(std::string_view name) override { return cursors_[state_.cursor_index(name)]; }
  DiskLogStats stats() const override;
  std::vector<CustomerBytes> held_by_customer() const override {
    return state_.contents().held_by_customer();
  }
  Result<void> sync_cursors() override;

 private:
  Result<void> check(const DiskRecord& record);
  Result<void> admit(const CustomerId& customer, std::uint64_t bytes);
  tl::unexpected<Error> full(std::string message) const;
  void run();
  bool take_turn();
  std::vector<Pending> take_batch(std::unique_lock<std::mutex>& lock);
  void write_batch(std::vector<Pending> batch);
  Result<void> try_batch(std::vector<Pending>& batch);
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
  TimePoint tended_ = std::chrono::steady_clock::now();
  bool has_freed_room_ = false;  // removed a passed segment before the cursors said so
  bool has_more_ = false;  // of what tend does in pieces; between them appends have their turn
  std::thread writer_;     // last: it uses all of the above
};

Result<void> FileDiskLog::start() {
  if (auto checked = check_cursors(settings_.cursors); !checked) return checked;
  if (auto made = files_.create_directory(settings_.directory); !made) return made;
  auto folder = files_.lock(settings_.directory);
  if (!folder) return forward(folder);
  folder_ = *std::move(folder);
  if (auto recovered = state_.recover(); !recovered) return recovered;
  evidence_.recover();
  keep_evidence();
  for (std::size_t i = 0; i < settings_.cursors.size(); ++i)
    cursors_.emplace_back(LogCursor::Parts{state_, files_, clock_, settings_}, i);
  writer_ = std::thread([this] { run(); });
  return {};
}

FileDiskLog::~FileDiskLog() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  arrived_.notify_all();
  if (writer_.joinable()) writer_.join();
  state_.interrupt_all();
}

tl::unexpected<Error> FileDiskLog::full(std::string message) const {
  return tl::unexpected<Error>(
      Error{ErrorCode::kUnavailable, std::move(message), settings_.full_retry_interval});
}

Result<void> FileDiskLog::check(const DiskRecord& record) {
  if (record.header.verdicts.size() > kVerdictBytesMax ||
      record.header.route.size() > kRouteBytesMax || record.body.size() > kRecordBytesMax ||
      record.body.size() > settings_.bytes_max)
    return fail(ErrorCode::kTooLarge,
                fmt::format("a record of {} bytes is over the disk log's limit",
                            record.body.size() + record.header.verdicts.size()));
  return {};
}

void FileDiskLog::append(DiskRecord record, Done done) {
  auto checked = check(record);
  if (checked) {
    // Compressed and summed by the caller, before the lock: the writer is one thread for all.
    StoredBody body = pack_body(std::move(record.body), record.header.encoding);
    Pending pending{std::move(record.header), std::move(body), std::move(done), false};
    const std::size_t bytes = pending.bytes();
    const std::unique_lock lock(mutex_);
    checked = admit(pending.header.customer, bytes);
    if (checked) {
      pending_bytes_ += bytes;
      pending_.push_back(std::move(pending));
      arrived_.notify_one();
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
      StoredBody body = pack_body(std::move(record.body), record.header.encoding);
      group.push_back({std::move(record.header), std::move(body), nullptr, true});
      bytes += group.back().bytes();
    }
    group.back().has_more = false;
    const std::unique_lock lock(mutex_);
    checked = admit(group.back().header.customer, bytes);
    if (checked) {
      group.back().done = std::move(done);
      pending_bytes_ += bytes;
      std::move(group.begin(), group.end(), std::back_inserter(pending_));
      arrived_.notify_one();
      return;
    }
  }
  refused_ += records.size();
  done(forward(checked));
}

/// Reserves the bytes where they may be queued. REQUIRES: mutex_ is held.
Result<void> FileDiskLog::admit(const CustomerId& customer, std::uint64_t bytes) {
  if (is_stopping_) return full("the disk log is closing");
  if (clock_.steady() < refuse_until_)
    return full("the disk does not take the log's data at present");
  // With nothing waiting one record always fits, however large: else it would never be taken.
  if (!pending_.empty() && pending_bytes_ + bytes > settings_.pending_bytes_max)
    return full("the disk does not keep up with what arrives");
  const std::uint64_t own = state_.contents().reserved(customer);
  // Half of the queue is always there for the others while one customer sends faster than the disk.
  if (settings_.customer_share > 0 && own > 0 && own + bytes > settings_.pending_bytes_max / 2)
    return full("the disk does not keep up with what this customer sends");
  if (state_.is_blocked(pending_bytes_ + bytes))
    return full("the disk log is full of data that a required destination has not taken yet");
  auto reserved = state_.contents().reserve(customer, bytes);
  if (!reserved) reserved.error().retry_after = settings_.full_retry_interval;
  return reserved;
}

Result<RecordHeader> FileDiskLog::append_and_wait(DiskRecord record) {
  std::promise<Result<RecordHeader>> promise;
  auto answer = promise.get_future();
  append(std::move(record),
         [&promise](const Result<RecordHeader>& header) { promise.set_value(header); });
  auto result = answer.get();
  // `done` runs before readers can see the record (write_batch); this caller wants both.
  if (result) state_.wait_until_readable(result->sequence);
  return result;
}

void FileDiskLog::run() {
  for (bool goes_on = true; goes_on;) {
    if (contain_faults("a turn of the disk log", [&] { goes_on = take_turn(); })) continue;
    std::this_thread::sleep_for(kFaultPause);
  }
}

/// False where it was the last one.
bool FileDiskLog::take_turn() {
  std::unique_lock lock(mutex_);
  arrived_.wait_until(lock, has_more_ ? tended_ : tended_ + settings_.cursor_interval,
                      [this] { return !pending_.empty() || is_stopping_; });
  // What was taken over before the stop is still written: its senders wait for an answer.
  const bool is_last = is_stopping_ && pending_.empty();
  std::vector<Pending> batch = take_batch(lock);
  lock.unlock();
  if (!batch.empty()) write_batch(std::move(batch));
  const auto now = std::chrono::steady_clock::now();
  if (is_last) state_.mark_dirty();  // the file of cursors says where the newest segment ends
  if (is_last || has_more_ || now >= tended_ + settings_.cursor_interval) {
    tended_ = now;
    has_more_ = false;  // where tend throws, it is tried again after its interval
    contain_faults("upkeep of the disk log", [this] { has_more_ = tend(); });
  }
  return !is_last;
}

std::vector<Pending> FileDiskLog::take_batch(std::unique_lock<std::mutex>& lock) {
  CHECK(lock.owns_lock());
  std::vector<Pending> batch;
  std::uint64_t bytes = 0;
  while (!pending_.empty() &&
         (batch.empty() || batch.back().has_more || bytes < settings_.segment_bytes)) {
    bytes += pending_.front().bytes();
    pending_bytes_ -= pending_.front().bytes();
    batch.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  return batch;
}

/// Whatever happens, everybody in the batch has an answer.
void FileDiskLog::write_batch(std::vector<Pending> batch) {
  Result<void> written = full("a fault of this program, see its log");
  contain_faults("a write of the disk log", [&] { written = try_batch(batch); });
  // One fdatasync for the batch, so one answer for all of it. Answers first, then the readers: who
  // counts at the answer has counted a record before any reader gives it.
  is_full_ = !written;
  const std::uint64_t last_sequence = batch.back().header.sequence;
  for (Pending& pending : batch) answer(std::move(pending), written);
  if (written) state_.extend(active_bytes_, last_sequence);
  // Closed here rather than before the next write: a segment that is closed can go as soon as it is
  // passed, also where nothing is appended for days.
  if (active_ && active_bytes_ >= settings_.segment_bytes) {
    state_.close_active();
    active_.reset();
  }
}

Result<void> FileDiskLog::try_batch(std::vector<Pending>& batch) {
  std::uint64_t bytes = 0;
  for (const Pending& pending : batch) bytes += pending.bytes();
  // Room is made for the whole batch before its first byte: a batch that fails half-way would have
  // dropped records for nothing.
  if (auto made = ensure_room(bytes); !made) return made;
  make_evidence_fit(bytes);
  const std::uint64_t sync_failures = sync_failures_;
  Result<void> written = full("a fault of this program, see its log");
  contain_faults("a write of the disk log", [&] {
    const Result<void> opened = ensure_segment();
    written = opened ? write_durably(batch, bytes) : opened;
  });
  if (written) return written;
  // After a failed fdatasync the kernel may have thrown the pages away and say no more of it, so a
  // second one that succeeds proves nothing: this file is never synced again.
  abandon_segment(batch.back().header.sequence);
  // A disk that is full takes data before it keeps evidence; one that fails is no reason to let it
  // go.
  if (sync_failures_ == sync_failures && written.error().code == ErrorCode::kUnavailable) {
    while (evidence_.remove_oldest()) continue;
  }
  written.error().code = ErrorCode::kUnavailable;
  written.error().retry_after = settings_.full_retry_interval;
  const std::lock_guard lock(mutex_);
  refuse_until_ = clock_.steady() + settings_.full_retry_interval;
  return written;
}

/// Before the cursors can give the record. What is on disk is acknowledged, whatever our books say.
void FileDiskLog::answer(Pending pending, const Result<void>& written) {
  const std::uint64_t bytes = pending.bytes();
  ++(written ? appended_ : refused_);
  contain_faults("the books of the disk log", [&] {
    if (written)
      state_.contents().keep(pending.header);
    else
      state_.contents().release(pending.header.customer, bytes);
  });
  if (!pending.done) return;
  contain_faults("an answer of the disk log", [&] {
    if (written)
      pending.done(std::move(pending.header));
    else
      pending.done(tl::unexpected<Error>(written.error()));
  });
}

Result<void> FileDiskLog::ensure_room(std::uint64_t bytes) {
  auto made = state_.make_room(bytes);
  remove_passed(state_.needs_passed_room(bytes));
  if (made) return {};
  if (active_ && active_bytes_ > kSegmentHeaderBytes) {
    // The active segment is the oldest: closed, it can go as soon as the cursors have passed it.
    state_.close_active();
    active_.reset();
  }
  made = state_.make_room(bytes);
  remove_passed(state_.needs_passed_room(bytes));
  return made ? made : full(made.error().message);
}

Result<void> FileDiskLog::ensure_segment() {
  if (active_) return {};
  // A new one for each segment: after a crash a file may show blocks of an older segment, whose
  // records must not pass for this one's.
  marker_ = random_u64();
  const NewSegment begun = state_.begin_segment(marker_);
  active_number_ = begun.number;
  active_bytes_ = kSegmentHeaderBytes;
  auto file = files_.create(state_.path_of(active_number_));
  if (!file) return forward(file);
  active_ = *std::move(file);
  const std::string header = encode_segment_header({active_number_, marker_, begun.previous_end});
  // Not synced by itself: the first batch's fdatasync covers it. A kill before that leaves a file
  // of a header at most, which the next start removes (recover_segments).
  if (auto written = active_->append({header}); !written) return written;
  return files_.sync_directory(settings_.directory);
}

Result<void> FileDiskLog::write_durably(std::vector<Pending>& batch, std::uint64_t bytes) {
  // One writev for heads and bodies, none of them copied. Reserved, since `parts` points into it.
  std::vector<std::string> heads;
  heads.reserve(batch.size());
  std::vector<std::string_view> parts;
  parts.reserve(batch.size() * 2);
  std::uint64_t sequence = state_.next_sequence();
  std::uint64_t offset = active_bytes_;
  for (Pending& pending : batch) {
    pending.header.sequence = sequence++;
    pending.header.stored_bytes = static_cast<std::uint32_t>(pending.bytes());
    pending.header.position = {active_number_, offset};
    offset += pending.bytes();
    pending.header.next = {active_number_, offset};
    heads.push_back(encode_record_head(pending.header, pending.body, marker_));
    parts.push_back(heads.back());
    parts.push_back(pending.body.bytes);
  }
  CHECK(offset == active_bytes_ + bytes);
  if (auto written = active_->append(parts); !written) return written;
  ++syncs_;
  if (auto synced = active_->sync(); !synced) {
    ++sync_failures_;
    return synced;
  }
  // Only now: where the write or the sync fails, this is where the file is cut back to.
  active_bytes_ = offset;
  return {};
}

/// After a failed write or sync: what the segment holds durably stays readable, the rest was
/// refused and is cut off. Nothing is written to this file again. Where it cannot be cut, a restart
/// may give refused records once more, as if their answer had been lost: their numbers, which go up
/// to `last_sequence`, are not given to others.
void FileDiskLog::abandon_segment(std::uint64_t last_sequence) {
  bool is_cut = false;
  if (active_) is_cut = active_->truncate(active_bytes_) && active_->sync();
  active_.reset();
  if (!is_cut) state_.skip_sequences(last_sequence);
  if (active_bytes_ > kSegmentHeaderBytes) {
    state_.close_active();
  } else {  // nothing in it: a disk that is full for days is not to collect them
    state_.forget_active();
    (void)files_.remove(state_.path_of(active_number_));
  }
  remove_passed();
}

/// The cursors go to disk first: after a kill they tell what was dropped with the files, and that a
/// file that is missing was passed. Where they cannot be written the files stay, but for one: a
/// full disk takes the cursors in its room. More go only where their room is needed.
void FileDiskLog::remove_passed(bool needs_room) {
  if (!state_.has_passed_segment()) return;
  bool is_synced = sync_cursors().has_value();
  while (is_synced || needs_room || !has_freed_room_) {
    const auto number = state_.take_passed();
    if (!number) break;
    keep_evidence();
    // Where the cursors are on disk, a kill from here on leaves nothing to mend: the file goes at
    // the next start, or is gone and known to be passed. Where they are not, the next start tells
    // of a segment that is missing: a loss too many, not one too few.
    evidence_.remove_segment(*number);
    has_freed_room_ = true;
    if (!is_synced) is_synced = sync_cursors().has_value();
  }
  if (is_synced) has_freed_room_ = false;
}

void FileDiskLog::keep_evidence() {
  for (const std::uint64_t segment : state_.take_damaged_segments()) evidence_.keep(segment);
}

/// Evidence and log together hold no more than the log may.
void FileDiskLog::make_evidence_fit(std::uint64_t bytes) {
  const auto is_held = [this](std::uint64_t segment) { return state_.holds(segment); };
  for (std::uint64_t beside = evidence_.bytes_beside(is_held);
       beside > 0 && state_.needs_passed_room(bytes + beside);
       beside = evidence_.bytes_beside(is_held)) {
    if (!evidence_.remove_oldest()) return;
  }
}

/// True where there is more of it to do soon.
bool FileDiskLog::tend() {
  state_.watch_clock();
  const bool has_more = state_.expire();
  keep_evidence();
  state_.notice().keep();
  remove_passed();
  (void)sync_cursors();  // a failure is tried again at the next turn
  return has_more;
}

Result<void> FileDiskLog::sync_cursors() {
  const std::lock_guard lock(cursor_file_mutex_);
  const auto bytes = state_.take_dirty_cursors();
  if (!bytes) return {};
  const std::string path = state_.cursors_path();
  // Sync, rename, sync the folder: at any moment `cursors` is the old file or the new one, whole.
  const std::string fresh = path + ".new";
  auto done = [&]() -> Result<void> {
    auto file = files_.create(fresh);
    if (!file) return forward(file);
    if (auto written = (*file)->append({*bytes}); !written) return written;
    if (auto synced = (*file)->sync(); !synced) return synced;
    if (auto renamed = files_.rename(fresh, path); !renamed) return renamed;
    return files_.sync_directory(settings_.directory);
  }();
  // take_dirty_cursors has cleared the mark before the file was written.
  if (!done) state_.mark_dirty();
  return done;
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

}  // namespace

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::kTooOld:
      return "too_old";
    case DropReason::kCap:
      return "cap";
    case DropReason::kDamaged:
      return "damaged";
  }
  return "damaged";
}

Result<std::unique_ptr<DiskLog>> DiskLog::open(DiskLogSettings settings, const Clock& clock,
                                               DiskLogEvents events, FileSystem& files) {
  auto log = std::make_unique<FileDiskLog>(std::move(settings), clock, std::move(events), files);
  if (auto started = log->start(); !started) return forward(started);
  return log;
}

}  // namespace vigia::disk_log
