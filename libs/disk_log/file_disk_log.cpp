#include "libs/disk_log/file_disk_log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/base/random.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::size_t kCursorNameBytesMax = 200;
/// A log is cut into at least this many segments, so that dropping the oldest drops a part.
constexpr std::uint64_t kSegmentsMin = 4;
constexpr std::uint64_t kSegmentBytesMin = 4096;

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

/// Of the newest records, each of whom has them once.
std::size_t count_readers(const std::vector<CursorSettings>& cursors) {
  return static_cast<std::size_t>(
      std::count_if(cursors.begin(), cursors.end(),
                    [](const CursorSettings& cursor) { return cursor.reads_on; }));
}

// A fault of ours at every turn (no memory, say) must not become a loop that takes a core.
constexpr auto kFaultPause = std::chrono::milliseconds(100);

}  // namespace

FileDiskLog::FileDiskLog(DiskLogSettings settings, const Clock& clock, DiskLogEvents events,
                         FileSystem& files)
    : settings_(std::move(settings)),
      clock_(clock),
      files_(files),
      state_(settings_, clock, files, std::move(events)),
      recent_(settings_.recent_bytes_max, count_readers(settings_.cursors)),
      evidence_(settings_.directory, files) {
  settings_.segment_bytes =
      std::clamp(settings_.segment_bytes, kSegmentBytesMin,
                 std::max(kSegmentBytesMin, settings_.bytes_max / kSegmentsMin));
}

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
    cursors_.emplace_back(LogCursor::Parts{state_, files_, clock_, settings_, recent_}, i);
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

// What waits is written together and made durable by one sync; then, and only then, it is answered.
// Between batches the thread makes room and keeps the cursors' file.
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
  if (!pending_.empty()) wait_for_others(lock);
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

/// Without the lock, and not to be woken: each record that comes would cost two switches of
/// threads.
void FileDiskLog::wait_for_others(std::unique_lock<std::mutex>& lock) {
  if (std::chrono::steady_clock::now() >= synced_ + settings_.sync_gap) return;
  lock.unlock();
  std::this_thread::sleep_until(synced_ + settings_.sync_gap);
  lock.lock();
}

std::vector<Pending> FileDiskLog::take_batch(std::unique_lock<std::mutex>& lock) {
  CHECK(lock.owns_lock());
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  while (count < pending_.size() &&
         (count == 0 || pending_[count - 1].has_more || bytes < settings_.segment_bytes)) {
    bytes += pending_[count++].bytes();
  }
  std::vector<Pending> batch;
  batch.reserve(count);  // before anything is taken: where it throws, all waits for the next turn
  const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(count);
  std::move(pending_.begin(), end, std::back_inserter(batch));
  pending_.erase(pending_.begin(), end);
  pending_bytes_ -= bytes;
  return batch;
}

/// Whatever happens, everybody in the batch has an answer.
void FileDiskLog::write_batch(std::vector<Pending> batch) {
  Result<void> written = unwritten();
  contain_faults("a write of the disk log", [&] { written = try_batch(batch); });
  // One fdatasync for the batch, so one answer for all of it. Answers first, then the readers: who
  // counts at the answer has counted a record before any reader gives it.
  is_full_ = !written;
  const std::uint64_t last_sequence = batch.back().header.sequence;
  if (written) contain_faults("what is kept of the newest records", [&] { keep_recent(batch); });
  for (Pending& pending : batch) answer(std::move(pending), written);
  if (written) state_.extend(active_bytes_, last_sequence);
  // Closed here rather than before the next write: a segment that is closed can go as soon as it is
  // passed, also where nothing is appended for days.
  if (active_ && active_bytes_ >= settings_.segment_bytes) {
    state_.close_active();
    active_.reset();
  }
}

/// Durable from here on; no reader is told of it yet.
void FileDiskLog::keep_recent(std::vector<Pending>& batch) {
  for (Pending& pending : batch) {
    if (pending.recent) recent_.put(pending.header, std::move(pending.recent));
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
  Result<void> written = unwritten();
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
      state_.contents().release(pending.header.tag.owner, bytes);
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
  synced_ = std::chrono::steady_clock::now();
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

}  // namespace vigia::disk_log
