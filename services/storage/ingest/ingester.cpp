#include "services/storage/ingest/ingester.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::storage {
namespace {

constexpr std::string_view kCursor = "heads";
constexpr std::int64_t kEpochMs = 60'000;
constexpr std::size_t kExpectedAtOnce = 16;
/// Twice what the log itself waits for before it passes over what the device cannot read.
constexpr auto kReplayReadPatience = std::chrono::minutes(1);
constexpr auto kReplayReadRetry = std::chrono::milliseconds(200);

// Past three quarters of its cap the log is emptied by closing all chunks early.
bool is_nearly_full(const pipeline::DiskLogStats& stats, std::uint64_t bytes_max) {
  return stats.bytes > bytes_max / 4 * 3;
}

void report_skip(const pipeline::SkippedPassage& skipped) {
  service::log_error(
      "a passage of the write-ahead log cannot be read; the replay goes on behind it",
      {{"file", skipped.path},
       {"from_byte", std::to_string(skipped.begin)},
       {"to_byte", std::to_string(skipped.end)},
       {"why", skipped.why}});
}

/// The next record, the log's patience with an unreadable disk waited out.
Result<std::optional<pipeline::DiskRecord>> next_patiently(pipeline::Cursor& cursor) {
  const auto deadline = std::chrono::steady_clock::now() + kReplayReadPatience;
  for (;;) {
    auto record = cursor.next(Duration(0));
    if (record || std::chrono::steady_clock::now() >= deadline) return record;
    std::this_thread::sleep_for(kReplayReadRetry);
  }
}

}  // namespace

Ingester::Ingester(Key /*key*/, IngesterSettings settings, HeadSet& heads, ChunkStore& chunks,
                   const Clock& clock)
    : settings_(std::move(settings)),
      heads_(heads),
      chunks_(chunks),
      clock_(clock),
      pending_("samples under way", settings_.pending_bytes_max) {}

Result<std::unique_ptr<Ingester>> Ingester::open(IngesterSettings settings, HeadSet& heads,
                                                 ChunkStore& chunks, const Clock& clock) {
  auto ingester = std::make_unique<Ingester>(Key{}, std::move(settings), heads, chunks, clock);
  pipeline::DiskLogSettings log;
  log.directory = ingester->settings_.log_directory;
  log.bytes_max = ingester->settings_.log_bytes_max;
  log.customer_share = 0;  // its records bear no customer: each holds several
  log.cursors.push_back({std::string(kCursor)});
  auto opened = pipeline::DiskLog::open(std::move(log), clock, {.on_skip = report_skip});
  if (!opened) return forward(opened);
  ingester->log_ = std::move(*opened);
  if (auto replayed = ingester->replay(); !replayed) return forward(replayed);
  ingester->late_ = std::make_unique<LateLane>(heads, ingester->settings_.late_bytes_max);
  ingester->next_sweep_ = clock.steady() + ingester->settings_.sweep_interval;
  ingester->applier_ = std::thread([ingester = ingester.get()] { ingester->run(); });
  return ingester;
}

Ingester::~Ingester() { stop(); }

Result<void> Ingester::replay() {
  pipeline::Cursor& cursor = log_->cursor(kCursor);
  applied_ = cursor.committed();
  while (true) {
    auto record = next_patiently(cursor);
    if (!record) return forward(record);
    if (!record->has_value()) return {};
    const pipeline::RecordHeader& header = (*record)->header;
    const auto batch = IngestBatch::decode((*record)->body);
    if (!batch) {
      ++replay_damaged_;
      continue;
    }
    if (auto applied = apply_batch(*batch, header, nullptr); !applied) return forward(applied);
    replayed_ += batch->items();
  }
}

void Ingester::write(IngestBatch batch, Done done) {
  const std::size_t items = batch.items();
  const std::string customer = batch.series.empty() ? "" : lane_of(batch.series.front().customer);
  auto share = std::make_shared<HeldShare>(pending_, customer);
  auto taken = late_->check(customer);
  if (taken) taken = share->grow_to(batch.memory_bytes());
  // Counted before the flag is read: the applier, which reads them the other way round, can't leave
  // in between.
  items_pending_ += items;
  if (taken && is_stopping_)
    taken = fail(ErrorCode::kUnavailable, "storage is stopping, try again");
  if (!taken) {
    items_pending_ -= items;
    return done(tl::unexpected<Error>(taken.error()));
  }
  pipeline::DiskRecord record{{CustomerId::provider()}, batch.encode()};
  record.header.signal = Signal::kMetrics;
  record.header.items = static_cast<std::uint32_t>(items);
  record.header.received_ms = clock_.wall_ms();
  log_->append(std::move(record),
               [this, items, share = std::move(share), batch = std::move(batch),
                done = std::move(done)](const Result<pipeline::RecordHeader>& header) mutable {
                 if (!header) {
                   items_pending_ -= items;
                   return done(tl::unexpected<Error>(header.error()));
                 }
                 const std::lock_guard lock(mutex_);
                 queue_.push_back({std::move(batch), *header, std::move(done), std::move(share)});
                 wake_.notify_one();
               });
}

void Ingester::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (queue_.empty()) {
      if (is_stopping_ && items_pending_ == 0) return;
      wake_.wait_for(lock, settings_.sweep_interval / 30);
    }
    std::deque<Item> items;
    items.swap(queue_);
    lock.unlock();
    for (Item& item : items) apply(item);
    if (clock_.steady() >= next_sweep_) {
      sweep();
      next_sweep_ = clock_.steady() + settings_.sweep_interval;
    }
    lock.lock();
  }
}

void Ingester::apply(Item& item) {
  std::vector<StoreWork> late;
  auto counts = apply_batch(item.batch, item.header, &late);
  const std::size_t items = item.batch.items();
  if (!counts || late.empty()) return finish(items, std::move(counts), item.done);
  late_->submit(std::move(late), [this, items, known = *counts, done = std::move(item.done),
                                  share = std::move(item.share)](Result<AppendCounts> more) {
    if (more) *more += known;
    finish(items, std::move(more), done);
  });
}

void Ingester::finish(std::size_t items, Result<AppendCounts> counts, const Done& done) {
  items_pending_ -= items;
  if (counts) {
    const std::lock_guard lock(mutex_);
    counts_ += *counts;
  }
  done(std::move(counts));
}

Result<AppendCounts> Ingester::apply_batch(const IngestBatch& batch,
                                           const pipeline::RecordHeader& header,
                                           std::vector<StoreWork>* late) {
  note_position(header);
  AppendCounts counts;
  std::vector<StoreWork> work;
  for (std::size_t i = 0; i < batch.series.size(); ++i) {
    // Some at a time, so that the memory of several heads is fetched at once.
    if (i % kExpectedAtOnce == 0) {
      const std::size_t end = std::min(i + kExpectedAtOnce, batch.series.size());
      for (std::size_t next = i; next < end; ++next) heads_.expect(batch.series[next].id);
    }
    const SeriesBatch& series = batch.series[i];
    const SeriesRef ref{series.customer, series.id, series.is_new && late != nullptr};
    const auto known = heads_.append_known(ref, series.samples, series.histograms, epoch_,
                                           late != nullptr ? *late : work);
    if (!known) return tl::unexpected<Error>(known.error());
    counts += *known;
    for (StoreWork& one : work) {
      const auto stored = heads_.append_stored(std::move(one));
      if (!stored) return tl::unexpected<Error>(stored.error());
      counts += *stored;
    }
    work.clear();
  }
  return counts;
}

void Ingester::note_position(const pipeline::RecordHeader& header) {
  const auto minute = static_cast<Epoch>(std::max<std::int64_t>(header.received_ms / kEpochMs, 1));
  epoch_ = std::max(epoch_, minute);
  epoch_starts_.try_emplace(epoch_, header.position);
  applied_ = header.next;
}

void Ingester::sweep() {
  SweepTime time;
  time.now_ms = clock_.wall_ms();
  time.now =
      std::max(epoch_, static_cast<Epoch>(std::max<std::int64_t>(time.now_ms / kEpochMs, 1)));
  time.close_all = is_nearly_full(log_->stats(), settings_.log_bytes_max);
  const Epoch late = late_->oldest();  // before the heads: what is done meanwhile is in them
  const auto oldest = heads_.sweep(time);
  const auto done = oldest ? checkpoint(older(late, *oldest))
                           : Result<void>(tl::unexpected<Error>(oldest.error()));
  ++sweeps_;
  if (!done) {
    ++sweep_failures_;
    service::log_error("closing chunks failed, trying again", {{"error", done.error().message}});
  }
}

// What the cursor passes is never read again, so the store has it on disk before.
Result<void> Ingester::checkpoint(Epoch oldest) {
  if (auto synced = chunks_.sync(); !synced) return synced;
  pipeline::LogPosition position = applied_;
  if (oldest != kNoEpoch) {
    const auto start = epoch_starts_.lower_bound(oldest);
    if (start != epoch_starts_.end()) position = std::min(position, start->second);
  }
  log_->cursor(kCursor).commit(position);
  const Epoch keep = oldest == kNoEpoch ? epoch_ : std::min(oldest, epoch_);
  epoch_starts_.erase(epoch_starts_.begin(), epoch_starts_.lower_bound(keep));
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
  stats.sweeps = sweeps_;
  stats.sweep_failures = sweep_failures_;
  stats.log = log_->stats();
  return stats;
}

void Ingester::stop() {
  is_stopping_ = true;
  wake_.notify_one();
  if (applier_.joinable()) applier_.join();
  if (late_ != nullptr) late_->stop();
}

}  // namespace vigia::storage
