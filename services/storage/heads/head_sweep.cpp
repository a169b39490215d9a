// HeadSet: writing out what is over, and copies for readers.
#include <algorithm>

#include "libs/base/fault.hpp"
#include "services/storage/heads/head_set.hpp"

namespace vigia::storage::heads {
namespace {

// A window that has ended waits so long for samples that are under way.
constexpr TimestampMs kGraceMs = 15 * 60'000;
// In epochs, which are minutes. A series that still takes samples of an old window is catching up:
// its chunk fills soon enough.
constexpr Epoch kQuiet = 10;
constexpr Epoch kLateWait = 10;
constexpr Epoch kForget = 180;
// Of whoever closes everything, at an end.
constexpr Duration kStoredWait = std::chrono::minutes(5);

bool is_over(store::SeriesId series, const Head& head, TimestampMs first_ms,
             const SweepTime& time) {
  if (time.close_all) return true;
  return window_end_ms(series, window_of(series, first_ms)) + kGraceMs <= time.now_ms &&
         head.last_append + kQuiet <= time.now;
}

}  // namespace

void HeadSet::sweep_head(store::SeriesId series, Head& head, const SweepTime& time) {
  if (head.chunk.samples() > 0 && is_over(series, head, head.chunk.first_ms(), time)) {
    close_chunk(series, head);
  }
  if (head.extras == nullptr) return;
  drop_run(head);
  HeadExtras& extras = *head.extras;
  if (!extras.histograms.empty() &&
      is_over(series, head, extras.histograms.front().timestamp_ms, time)) {
    close_histograms(series, head);
  }
  if (extras.oldest_late != kNoEpoch &&
      (time.close_all || extras.oldest_late + kLateWait <= time.now)) {
    close_late(series, head);
  }
  if (extras.histograms.empty() && extras.oldest_late == kNoEpoch) head.extras.reset();
}

Epoch HeadSet::sweep_shard(Shard& shard, const SweepTime& time, std::uint64_t& chunk_bytes) {
  Epoch oldest = kNoEpoch;
  const std::lock_guard lock(shard.mutex);
  for (auto at = shard.heads.begin(); at != shard.heads.end();) {
    Head& head = at->second;
    {
      const Accounted accounted(*this, shard, head, head.memory_bytes());
      contain_faults("storage: closing a series",
                     [&] { sweep_head(store::SeriesId{at->first}, head, time); });
    }
    const bool is_waited_for = shard.waiting.contains(at->first);
    if (head.is_empty() && !is_waited_for && head.last_append + kForget <= time.now) {
      account(shard, head.customer, head.memory_bytes(), 0);
      at = shard.heads.erase(at);
      continue;
    }
    // The log is cut below this epoch, so a head that still holds samples holds the log.
    oldest = older(oldest, head.oldest());
    chunk_bytes += head.chunk.memory_bytes();
    ++at;
  }
  return oldest;
}

Result<Epoch> HeadSet::sweep(const SweepTime& time) {
  Epoch oldest = kNoEpoch;
  std::uint64_t chunk_bytes = 0;
  for (Shard& shard : shards_) {
    // Without a lock, and before each: what one shard closes is all by which the bound is exceeded.
    if (auto room = closed_.await_much_room(); !room) return forward(room);
    oldest = older(oldest, sweep_shard(shard, time, chunk_bytes));
  }
  chunk_bytes_ = chunk_bytes;
  if (time.close_all) {
    if (auto stored = closed_.await_stored(kStoredWait); !stored) return forward(stored);
  }
  // After the heads: a chunk that went from one to the other meanwhile is then seen in either.
  return older(oldest, closed_.oldest());
}

Result<void> HeadSet::close_part(std::size_t part) {
  if (auto room = closed_.await_much_room(); !room) return room;
  Shard& shard = shards_[part % kShards];
  const std::lock_guard lock(shard.mutex);
  for (auto& [series, head] : shard.heads) {
    const Accounted accounted(*this, shard, head, head.memory_bytes());
    contain_faults("storage: closing a series", [&, id = store::SeriesId{series}, at = &head] {
      sweep_head(id, *at, {.close_all = true});
    });
  }
  return {};
}

std::vector<SeriesRef> HeadSet::open_until(Epoch epoch) const {
  std::vector<SeriesRef> open;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [series, head] : shard.heads) {
      if (!head.is_empty() && head.oldest() <= epoch) open.push_back({head.customer, {series}});
    }
  }
  for (const auto& [customer, series] : closed_.waiting_until(epoch)) {  // after the heads
    open.push_back({customer, series});
  }
  return open;
}

HeadView HeadSet::read(store::SeriesId series) const {
  HeadView view = read_head(series);
  view.closed = closed_.rows_of(series);  // after the head: see sweep
  // Heads are forgotten for memory before what was closed is stored. Where it is nobody's by now,
  // the store has it.
  if (view.customer.value == 0) view.customer = closed_.owner_of(series);
  return view;
}

HeadView HeadSet::read_head(store::SeriesId series) const {
  HeadView view;
  const Shard& shard = shards_[series.value % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.heads.find(series.value);
  if (at == shard.heads.end()) return view;
  const Head& head = at->second;
  view.customer = head.customer;
  if (head.chunk.samples() > 0) {
    view.chunk = head.chunk.bytes(shard.blocks);
    view.chunk_first_ms = head.chunk.first_ms();
    view.chunk_last_ms = head.chunk.last_ms();
  }
  if (head.extras == nullptr) return view;
  view.late = head.extras->late;
  view.histograms.reserve(head.extras->histograms.size() + head.extras->late_histograms.size());
  std::merge(head.extras->histograms.begin(), head.extras->histograms.end(),
             head.extras->late_histograms.begin(), head.extras->late_histograms.end(),
             std::back_inserter(view.histograms),
             [](const HistogramSample& left, const HistogramSample& right) {
               return left.timestamp_ms < right.timestamp_ms;
             });
  return view;
}

HeadStats HeadSet::stats() const {
  HeadStats stats;
  stats.chunk_bytes = chunk_bytes_;
  stats.closed = closed_.stats();
  stats.unread_series = unread_series_;
  stats.memory_bytes = memory_;
  stats.closed_for_memory = closed_for_memory_;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    stats.open_series += shard.heads.size();
  }
  return stats;
}

}  // namespace vigia::storage::heads
