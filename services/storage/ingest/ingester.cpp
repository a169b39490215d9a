#include "services/storage/ingest/ingester.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/service/log.hpp"
#include "services/storage/ingest/log_reports.hpp"
#include "services/storage/store/patience.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr std::string_view kCursor = "heads";
constexpr std::int64_t kEpochMs = 60'000;
// What lies further ahead of clock and records is kept apart from what comes in order.
constexpr TimestampMs kAheadMs = 5 * 60'000;
constexpr std::size_t kExpectedAtOnce = 16;
// Of a series at once: each may close a chunk, which takes ten times its memory.
constexpr std::size_t kItemsAtOnce = 4'096;
constexpr Duration kStoredWait = std::chrono::seconds(1);
/// Twice what the log itself waits for before it passes over what the device cannot read.
constexpr auto kReplayReadPatience = std::chrono::minutes(1);
constexpr auto kReplayReadRetry = std::chrono::milliseconds(200);
constexpr auto kFaultPause = std::chrono::milliseconds(50);
/// Of a record with which a fault of ours comes: memory that was short may be there again.
constexpr int kReplayTries = 3;

// Past three quarters of its cap the log is emptied by closing all chunks early, a part at a time.
bool is_nearly_full(const disk_log::DiskLogStats& stats, std::uint64_t bytes_max) {
  return stats.bytes > bytes_max / 4 * 3;
}

template <typename T>
std::span<const T> take_some(std::span<const T>& all) {
  const auto some = all.first(std::min(all.size(), kItemsAtOnce));
  all = all.subspan(some.size());
  return some;
}

/// The next record, the log's patience with an unreadable disk waited out.
Result<std::optional<disk_log::DiskRecord>> next_patiently(disk_log::Cursor& cursor) {
  const auto deadline = std::chrono::steady_clock::now() + kReplayReadPatience;
  for (;;) {
    auto record = cursor.next(Duration(0));
    if (record || std::chrono::steady_clock::now() >= deadline) return record;
    std::this_thread::sleep_for(kReplayReadRetry);
  }
}

}  // namespace

Ingester::Ingester(Key /*key*/, IngesterSettings settings, const IngesterParts& parts)
    : settings_(std::move(settings)),
      heads_(parts.heads),
      chunks_(parts.chunks),
      times_(parts.times),
      clock_(parts.clock),
      copies_(parts.copies),
      pending_("samples under way", settings_.pending_bytes_max),
      start_(clock_.steady()) {}

Result<std::unique_ptr<Ingester>> Ingester::open(IngesterSettings settings,
                                                 const IngesterParts& parts) {
  auto ingester = std::make_unique<Ingester>(Key{}, std::move(settings), parts);
  const Clock& clock = parts.clock;
  disk_log::DiskLogSettings log;
  log.directory = ingester->settings_.log_directory;
  log.bytes_max = ingester->settings_.log_bytes_max;
  log.segment_bytes = ingester->settings_.log_segment_bytes;
  log.owner_word = "customer";
  log.owner_share = 0;  // its records bear no customer: each holds several
  log.cursors.push_back({std::string(kCursor)});
  auto opened = disk_log::DiskLog::open(
      std::move(log), clock, {.on_cursors_lost = report_cursors_lost, .on_skip = report_skip});
  if (!opened) return forward(opened);
  ingester->log_ = std::move(*opened);
  // Before anything is taken: what comes now must find in the heads what came before the stop, or
  // it would be stored twice.
  if (auto replayed = ingester->replay(); !replayed) return forward(replayed);
  const auto minute =
      static_cast<heads::Epoch>(std::max<std::int64_t>(clock.wall_ms() / kEpochMs, 1));
  // Never behind what was replayed: epochs order the log, and a clock that was set back must not
  // make new records older than those.
  ingester->epoch_at_start_ = std::max(ingester->epoch_, minute);
  ingester->start_ = clock.steady();
  if (auto told = ingester->tell_replayed(); !told) return forward(told);
  ingester->late_ = std::make_unique<LateLane>(parts.heads, ingester->settings_.late_bytes_max);
  if (parts.copies != nullptr) {
    ingester->renewal_ = std::make_unique<CopyRenewal>(parts.heads, *parts.copies);
  }
  ingester->next_sweep_ = clock.steady() + ingester->settings_.sweep_interval;
  ingester->applier_ = std::thread([ingester = ingester.get()] { ingester->run(); });
  return ingester;
}

Ingester::~Ingester() { stop(); }

// Copies of what the log no longer holds may be all that there is.
Result<void> Ingester::tell_replayed() {
  if (copies_ == nullptr) return {};
  slots_.start(epoch_at_start_, clock_);
  const bool is_whole = replay_damaged_ == 0 && log_->stats().damaged_records == 0;
  return copies_->replayed(epoch_, is_whole);
}

Result<void> Ingester::replay() {
  disk_log::Cursor& cursor = log_->cursor(kCursor);
  applied_ = cursor.committed();
  while (true) {
    auto record = next_patiently(cursor);
    if (!record) return forward(record);
    if (!record->has_value()) return {};
    const disk_log::RecordHeader& header = (*record)->header;
    // Not ours: a head that is whole and says what we never write. Its body may be anything.
    if (!kept_customer_signal(header.tag.owner, header.tag.kind)) {
      cursor.pass_over(header, "its head is whole, and names no customer or no signal");
      continue;
    }
    if (auto replayed = replay_record(**record, cursor); !replayed) return replayed;
  }
}

// A fault that comes with each try must not keep the program from starting for ever: the record is
// passed over, and its file kept, so that what was acknowledged can still be read by a person.
Result<void> Ingester::replay_record(const disk_log::DiskRecord& record, disk_log::Cursor& cursor) {
  Result<heads::AppendCounts> applied;
  std::size_t items = 0;
  const auto attempt = [&] {
    const auto batch = IngestBatch::decode(record.body);
    if (!batch) return void(++replay_damaged_);
    // Again, as a whole, where the store refused: what was applied vanishes as a repeat.
    applied = store::patiently("the chunk store, to replay the write-ahead log",
                               [&] { return apply_batch(*batch, record.header, nullptr); });
    items = batch->items();
  };
  bool is_whole = false;
  for (int tries = 0; tries < kReplayTries && !is_whole; ++tries) {
    is_whole = contain_faults("storage: replaying a record", attempt);
  }
  if (!is_whole) {
    cursor.pass_over(record.header, "a fault of this program came with each try to replay it");
    return {};
  }
  if (!applied) return tl::unexpected<Error>(applied.error());
  replayed_ += items;
  if (applied->set_aside > 0) {
    cursor.pass_over(record.header,
                     fmt::format("a fault of this program keeps {} of its samples out of the store",
                                 applied->set_aside));
  }
  return {};
}

Result<void> Ingester::check_room(const IngestBatch& batch, lanes::HeldShare& share) const {
  if (batch.series.empty()) return {};
  const customers::CustomerNumber customer = batch.series.front().customer;
  if (auto taken = heads_.check_room(customer); !taken) return taken;
  if (auto taken = late_->check(lane_of(customer)); !taken) return taken;
  // Copies are encoded beside it.
  return share.grow_to(batch.memory_bytes() * (copies_ == nullptr ? 1 : 2));
}

void Ingester::write(IngestBatch batch, Done done) {
  const std::string customer = batch.series.empty() ? "" : lane_of(batch.series.front().customer);
  // Counted before the flag is read: the applier, which reads them the other way round, can't leave
  // in between.
  auto ticket = std::make_unique<Ticket>(items_pending_, batch.items(), pending_, customer);
  auto taken = check_room(batch, ticket->share);
  if (taken && is_stopping_)
    taken = fail(ErrorCode::kUnavailable, "storage is stopping, try again");
  if (!taken) {
    ticket.reset();
    return done(tl::unexpected<Error>(taken.error()));
  }
  if (copies_ != nullptr && !batch.series.empty()) {
    return write_with_copies(std::move(batch), std::move(ticket), std::move(done));
  }
  log(std::move(batch), std::move(ticket), std::move(done));
}

// On this disk and in the store at once. Where the store refuses, the batch is in the heads all the
// same, as it is after a kill: nothing was promised, and its repeat vanishes.
void Ingester::write_with_copies(IngestBatch batch, std::unique_ptr<Ticket> ticket, Done done) {
  auto rows = copies_->rows_of(batch);
  if (!rows) {
    ticket.reset();
    return done(tl::unexpected<Error>(rows.error()));
  }
  ticket->copy.emplace(*copies_, slots_.now(clock_));
  const store::OpenSlot slot = ticket->copy->slot();
  const auto answer = std::make_shared<AnswerOfBoth>(std::move(done));
  log(std::move(batch), std::move(ticket),
      [answer](Result<heads::AppendCounts> counts) { answer->applied(std::move(counts)); });
  copies_->keep(slot, *std::move(rows),
                [answer](Result<void> kept) { answer->kept(std::move(kept)); });
}

void Ingester::log(IngestBatch batch, std::unique_ptr<Ticket> ticket, Done done) {
  disk_log::DiskRecord record{
      {.tag = {.owner = CustomerId::provider().text(), .kind = kept_number(Signal::kMetrics)}},
      batch.encode()};
  record.header.items = static_cast<std::uint32_t>(ticket->items);
  record.header.received_ms = clock_.wall_ms();
  log_->append(std::move(record),
               [this, ticket = std::move(ticket), batch = std::move(batch),
                done = std::move(done)](const Result<disk_log::RecordHeader>& header) mutable {
                 if (!header) {
                   ticket.reset();
                   return done(tl::unexpected<Error>(header.error()));
                 }
                 const std::lock_guard lock(mutex_);
                 queue_.push_back({std::move(batch), *header, std::move(done), std::move(ticket)});
                 wake_.notify_one();
               });
}

// Whatever a turn throws, what waits is taken up by the next one: nobody else would.
void Ingester::run() {
  for (bool goes_on = true; goes_on;) {
    if (contain_faults("storage: a turn of the applier", [&] { goes_on = take_turn(); })) continue;
    std::this_thread::sleep_for(kFaultPause);
  }
}

/// False where it was the last one.
bool Ingester::take_turn() {
  std::unique_lock lock(mutex_);
  if (queue_.empty()) {
    if (is_stopping_ && items_pending_ == 0) return false;
    // Without writes nobody wakes the applier, and a sweep would wait for the next one. A thirtieth
    // keeps it on time to some percent.
    wake_.wait_for(lock, settings_.sweep_interval / 30);
  }
  std::deque<Item> items;
  items.swap(queue_);
  lock.unlock();
  // One by one: a fault costs its own request, not those behind it, which may be other customers'.
  for (Item& item : items) contain_faults("storage: a record", [&] { apply(item); });
  contain_faults("storage: closing chunks early", [this] {
    (void)heads_.relieve();  // where the store refuses, the sweep says why
    close_some();
  });
  if (clock_.steady() >= next_sweep_) {
    const bool is_whole = contain_faults("storage: sweep", [this] { sweep(); });
    next_sweep_ = clock_.steady() + settings_.sweep_interval;
    // Last: whoever sees it counted and moves the clock on then knows that another one is due.
    ++(is_whole ? sweeps_ : sweep_failures_);
  }
  return true;
}

void Ingester::apply(Item& item) {
  std::vector<heads::StoreWork> late;
  Result<heads::AppendCounts> counts =
      fail(ErrorCode::kInternal, "storage: a fault of this program");
  contain_faults("storage: applying a record",
                 [&] { counts = apply_batch(item.batch, item.header, &late); });
  if (item.ticket->copy) copies_->applied(item.ticket->copy->slot(), epoch_);
  if (!counts || late.empty()) {
    return finish(std::move(item.ticket), std::move(counts), item.done);
  }
  // Where it throws, the item's end answers and gives back what it held.
  contain_faults("storage: handing on late samples", [&] {
    late_->submit(std::move(late),
                  [this, known = *counts, done = std::move(item.done),
                   ticket = std::move(item.ticket)](Result<heads::AppendCounts> more) mutable {
                    if (more) *more += known;
                    finish(std::move(ticket), std::move(more), done);
                  });
  });
}

void Ingester::finish(std::unique_ptr<Ticket> ticket, Result<heads::AppendCounts> counts,
                      const Done& done) {
  ticket.reset();  // before the answer: who sends again at once finds the room
  if (counts) {
    const std::lock_guard lock(mutex_);
    counts_ += *counts;
  }
  contain_faults("storage: answering a write", [&] { done(std::move(counts)); });
}

Result<heads::AppendCounts> Ingester::apply_batch(const IngestBatch& batch,
                                                  const disk_log::RecordHeader& header,
                                                  std::vector<heads::StoreWork>* late) {
  const bool is_replay = late == nullptr;
  note_position(header, is_replay);
  note_times(batch, header);
  heads::AppendCounts counts;
  for (std::size_t i = 0; i < batch.series.size(); ++i) {
    // Some at a time, so that the memory of several heads is fetched at once.
    if (i % kExpectedAtOnce == 0) {
      const std::size_t end = std::min(i + kExpectedAtOnce, batch.series.size());
      for (std::size_t next = i; next < end; ++next) heads_.expect(batch.series[next].id);
      // What the store refuses stays in memory, and the intake is refused in time (check_room).
      auto relieved = heads_.relieve();
      if (!relieved && is_replay) return forward(relieved);
    }
    const SeriesBatch& series = batch.series[i];
    if (is_replay) {
      replayed_series_max_ = std::max(replayed_series_max_, series.id);
      replayed_customer_max_ = std::max(replayed_customer_max_, series.customer);
    }
    const FaultOwner owner(series.customer.value);
    const heads::SeriesRef ref{series.customer, series.id, series.is_new && !is_replay};
    const std::size_t late_before = is_replay ? 0 : late->size();
    heads::AppendCounts own;
    Result<void> applied;
    const bool is_whole = contain_faults("storage: applying a series",
                                         [&] { applied = apply_series(ref, series, late, own); });
    if (!applied) return forward(applied);
    if (!is_whole) {
      if (!is_replay)
        // It is counted as a whole: what the late lane has of it must not be stored behind that.
        late->erase(late->begin() + static_cast<std::ptrdiff_t>(late_before), late->end());
      const std::size_t items = series.samples.size() + series.histograms.size();
      own.set_aside = items - (own.stored + own.repeats + own.conflicts);
    }
    counts += own;
  }
  return counts;
}

Result<void> Ingester::apply_series(const heads::SeriesRef& ref, const SeriesBatch& series,
                                    std::vector<heads::StoreWork>* late,
                                    heads::AppendCounts& counts) {
  std::span<const Sample> samples = series.samples;
  std::span<const chunk::HistogramSample> histograms = series.histograms;
  for (;;) {
    const auto some = take_some(samples);
    const auto others = samples.empty() ? take_some(histograms) : decltype(histograms)();
    std::vector<heads::StoreWork> work;
    counts += heads_.append_known(ref, some, others, epoch_, late != nullptr ? *late : work);
    for (heads::StoreWork& one : work) {
      const auto stored = heads_.append_stored(std::move(one));
      if (!stored) return forward(stored);
      counts += *stored;
    }
    if (samples.empty() && histograms.empty()) return {};
    auto relieved = heads_.relieve();
    if (!relieved && late == nullptr) return relieved;
  }
}

void Ingester::note_position(const disk_log::RecordHeader& header, bool is_replay) {
  const auto minute =
      static_cast<heads::Epoch>(std::max<std::int64_t>(header.received_ms / kEpochMs, 1));
  epoch_ = std::max(epoch_, is_replay ? minute : steady_epoch());
  // The first record of each minute: what is not yet on disk is kept by its head's oldest epoch,
  // and this says from where on the log is still needed for it.
  epoch_starts_.try_emplace(epoch_, header.position);
  if (is_replay && copies_ != nullptr) copies_->applied(0, epoch_);
  applied_ = header.next;
}

heads::Epoch Ingester::steady_epoch() const {
  const auto minutes =
      std::chrono::duration_cast<std::chrono::minutes>(clock_.steady() - start_).count();
  return epoch_at_start_ + static_cast<heads::Epoch>(minutes);
}

// Before the samples are applied: where a whole stream is ahead of the clock, that one is behind.
void Ingester::note_times(const IngestBatch& batch, const disk_log::RecordHeader& header) {
  customers::CustomerNumber customer;
  TimestampMs newest_ms = 0;
  const auto note = [&] {
    if (newest_ms > 0) times_.note(customer, newest_ms);
  };
  for (const SeriesBatch& series : batch.series) {
    if (series.customer != customer) {
      note();
      customer = series.customer;
      newest_ms = 0;
    }
    for (const Sample& sample : series.samples) {
      newest_ms = std::max(newest_ms, sample.timestamp_ms);
    }
    for (const chunk::HistogramSample& sample : series.histograms) {
      newest_ms = std::max(newest_ms, sample.timestamp_ms);
    }
  }
  note();
  heads_.set_ahead_limit(std::max(times_.latest_ms(clock_), header.received_ms) + kAheadMs);
}

void Ingester::sweep() {
  heads::SweepTime time;
  time.now_ms = times_.latest_ms(clock_);
  time.now = std::max(epoch_, steady_epoch());
  // While the log is short of room what this lets go is waited for, a little: the next sweep is
  // far.
  const bool is_log_short = is_nearly_full(log_->stats(), settings_.log_bytes_max);
  heads_.set_log_short(is_log_short);
  if (is_log_short) (void)heads_.await_stored(kStoredWait);
  const heads::Epoch late = late_->oldest();  // before the heads: what is done meanwhile is in them
  const auto oldest = heads_.sweep(time);
  const auto done = oldest ? checkpoint(heads::older(late, *oldest))
                           : Result<void>(tl::unexpected<Error>(oldest.error()));
  if (renewal_ != nullptr) renewal_->look(late, slots_.now(clock_));
  if (!done) {
    ++sweep_failures_;
    service::log_error("closing chunks failed, trying again", {{"error", done.error().message}});
  }
}

Result<void> Ingester::close_all() {
  CHECK(!applier_.joinable());
  heads::SweepTime time;
  time.now_ms = times_.latest_ms(clock_);
  time.now = std::max(epoch_, steady_epoch());
  time.close_all = true;
  const auto oldest = heads_.sweep(time);
  if (!oldest) return forward(oldest);
  if (*oldest != heads::kNoEpoch) {
    return fail(ErrorCode::kUnavailable, "storage: samples of the log are not in the store yet");
  }
  return checkpoint(heads::kNoEpoch);
}

// In pieces between records, so that writing out millions of chunks stops no writer for long.
void Ingester::close_some() {
  if (!is_nearly_full(log_->stats(), settings_.log_bytes_max)) return;
  if (auto closed = heads_.close_part(next_part_); !closed) return;  // the sweep says why
  next_part_ = (next_part_ + 1) % heads::HeadSet::kParts;
  if (next_part_ == 0) next_sweep_ = clock_.steady();  // lets the log go
}

bool Ingester::is_taking() const { return !log_->stats().is_full; }

// What the cursor passes is never read again, so the store has it on disk before.
Result<void> Ingester::checkpoint(heads::Epoch oldest) {
  if (auto synced = chunks_.sync(); !synced) return synced;
  disk_log::LogPosition position = applied_;
  if (oldest != heads::kNoEpoch) {
    // Of a minute without records the next one's begin: nothing in between was written.
    const auto start = epoch_starts_.lower_bound(oldest);
    if (start != epoch_starts_.end()) position = std::min(position, start->second);
  }
  log_->cursor(kCursor).commit(position);
  // Starts before are never asked for again: the oldest epoch of what is open only grows.
  const heads::Epoch keep = oldest == heads::kNoEpoch ? epoch_ : std::min(oldest, epoch_);
  epoch_starts_.erase(epoch_starts_.begin(), epoch_starts_.lower_bound(keep));
  if (late_ != nullptr) late_->let_go(keep);
  if (copies_ != nullptr) copies_->release(oldest, slots_.now(clock_));
  return {};
}

IngesterStats Ingester::stats() const {
  IngesterStats stats;
  {
    const std::lock_guard lock(mutex_);
    stats.counts = counts_;
  }
  stats.replayed = replayed_;
  stats.replay_damaged = replay_damaged_;
  stats.items_pending = items_pending_;
  stats.late_pending = late_->items();
  stats.owed = late_->owed().stats();
  stats.sweeps = sweeps_;
  stats.sweep_failures = sweep_failures_;
  if (renewal_ != nullptr) stats.renewal = renewal_->stats();
  stats.log = log_->stats();
  return stats;
}

void Ingester::set_short(bool is_short) {
  pending_.set_short(is_short);
  late_->set_short(is_short);
}

void Ingester::stop() {
  is_stopping_ = true;
  wake_.notify_one();
  if (applier_.joinable()) applier_.join();
  if (renewal_ != nullptr) renewal_->stop();
  if (late_ != nullptr) late_->stop();
}

}  // namespace vigia::storage::ingest
