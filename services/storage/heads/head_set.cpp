#include "services/storage/heads/head_set.hpp"

#include <algorithm>
#include <tuple>

#include "libs/chunk/chunk_reader.hpp"
#include "libs/service/log.hpp"
#include "services/storage/heads/histogram_rows.hpp"
#include "services/storage/heads/past_note.hpp"
#include "services/storage/histograms/same_histogram.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::heads {
namespace {

// The more wait, the fewer are rows of their own.
constexpr std::size_t kLateMax = 512;
constexpr std::size_t kHistogramsMax = 60;
// A run of late samples looks this far ahead in one read.
constexpr TimestampMs kMemoSpanMs = 3'600'000;
// Of all series together. A replay of 300,000 series takes some 200 MiB for as long as it lasts.
constexpr std::size_t kRunBytesMax = 256U << 20U;

std::optional<double> value_in(const chunk::OpenChunk& chunk, const chunk::BlockPool& blocks,
                               TimestampMs time_ms) {
  if (chunk.samples() == 0 || time_ms < chunk.first_ms() || time_ms > chunk.last_ms()) {
    return std::nullopt;
  }
  const std::string bytes = chunk.bytes(blocks);
  chunk::ChunkReader reader(bytes);
  for (Sample sample; reader.next(sample) && sample.timestamp_ms <= time_ms;) {
    if (sample.timestamp_ms == time_ms) return sample.value;
  }
  return std::nullopt;
}

template <typename T>
const T* found_at(const std::vector<T>& samples, TimestampMs time_ms) {
  const auto at = find_time(samples, time_ms);
  return at != samples.end() && at->timestamp_ms == time_ms ? &*at : nullptr;
}

HeadExtras& extras_of(Head& head) {
  if (head.extras == nullptr) head.extras = std::make_unique<HeadExtras>();
  return *head.extras;
}

// Late work may be done minutes after its epoch, beside samples of later ones.
void note_append(Head& head, Epoch& oldest, Epoch epoch) {
  oldest = older(oldest, epoch);
  head.last_append = std::max(head.last_append, epoch);
}

const Error kForgotten{ErrorCode::kUnavailable,
                       "storage: the series was let go while its samples waited, try again"};

TimestampMs first_ms(const StoreWork& work) {
  TimestampMs first = INT64_MAX;
  for (const Sample& sample : work.samples) first = std::min(first, sample.timestamp_ms);
  for (const auto& sample : work.histograms) first = std::min(first, sample.timestamp_ms);
  return first;
}

// A run of late samples is looked for in one read where it is in order.
template <typename T>
void sort_by_time(std::vector<T>& samples) {
  std::stable_sort(samples.begin(), samples.end(), [](const T& left, const T& right) {
    return left.timestamp_ms < right.timestamp_ms;
  });
}

// With its memory, which clear() would keep.
template <typename T>
void give_back(std::vector<T>& samples) {
  std::vector<T>().swap(samples);
}

}  // namespace

AppendCounts& AppendCounts::operator+=(const AppendCounts& other) {
  stored += other.stored;
  late += other.late;
  repeats += other.repeats;
  conflicts += other.conflicts;
  histograms += other.histograms;
  histogram_repeats += other.histogram_repeats;
  set_aside += other.set_aside;
  if (!first_conflict) first_conflict = other.first_conflict;
  return *this;
}

void AppendCounts::add_conflict(const SeriesRef& series, TimestampMs time_ms) {
  ++conflicts;
  if (!first_conflict) first_conflict = Conflict{series, time_ms};
}

HeadSet::HeadSet(StoredSeries& store, const Clock& clock, const Memory& memory,
                 customers::PastWrites* past)
    : store_(store),
      clock_(clock),
      past_(past),
      memory_max_(memory.open_max),
      run_bytes_max_(std::min(kRunBytesMax, memory.open_max / 2)),
      closed_(store, memory.closed_max, ClosedPatience(), memory.gathering) {}

HeadSet::Shard& HeadSet::shard_of(store::SeriesId series) {
  return shards_[series.value % kShards];
}

std::uint64_t HeadSet::next_version() {
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall_ns(), 1));
  // The wall clock makes versions rise over restarts, the +1 where it stands still or goes back.
  std::uint64_t last = last_version_;
  while (!last_version_.compare_exchange_weak(last, std::max(last + 1, now))) {
  }
  return std::max(last + 1, now);
}

// Rows of one series that are damaged, or more than can be read at once, must not keep what comes
// for it, or for others, out of the store; in a replay they would keep the start from its end.
bool HeadSet::is_unreadable(const Error& error) {
  if (error.code != ErrorCode::kCorrupt && error.code != ErrorCode::kOverLimit) return false;
  if (unread_series_++ == 0) {
    service::log_error(
        "stored rows of a series cannot be read; its samples are taken without them, repeats may "
        "be stored twice (further such series are only counted)",
        {{"error", error.message}});
  }
  return true;
}

// Not worth waiting for.
void HeadSet::expect(store::SeriesId series) const {
  const Shard& shard = shards_[series.value % kShards];
  const std::unique_lock lock(shard.mutex, std::try_to_lock);
  if (!lock.owns_lock()) return;
  const auto at = shard.heads.find(series.value);
  if (at != shard.heads.end()) at->second.chunk.expect(shard.blocks);
}

// Its end must not find the shard locked by whoever lets it go.
class HeadSet::Turn {
 public:
  Turn() = default;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (shard_ == nullptr) return;
    const std::lock_guard lock(shard_->mutex);
    const auto at = shard_->waiting.find(series_);
    if (--at->second.works == 0) shard_->waiting.erase(at);
  }
  /// REQUIRES: the shard is locked.
  void take(Shard& shard, std::uint64_t series, TimestampMs first_ms, TimestampMs last_ms) {
    Waiting& waiting = shard.waiting[series];
    ++waiting.works;
    waiting.first_ms = std::min(waiting.first_ms, first_ms);
    waiting.last_ms = std::max(waiting.last_ms, last_ms);
    shard_ = &shard;
    series_ = series;
  }

 private:
  Shard* shard_ = nullptr;
  std::uint64_t series_ = 0;
};

void HeadSet::take_turn(Shard& shard, StoreWork& work) {
  TimestampMs last_ms = INT64_MIN;
  for (const Sample& sample : work.samples) last_ms = std::max(last_ms, sample.timestamp_ms);
  for (const auto& sample : work.histograms) last_ms = std::max(last_ms, sample.timestamp_ms);
  const auto turn = std::make_shared<Turn>();
  work.turn = turn;
  turn->take(shard, work.series.id.value, first_ms(work), last_ms);
}

AppendCounts HeadSet::append_known(const SeriesRef& series, std::span<const Sample> samples,
                                   std::span<const HistogramSample> histograms, Epoch epoch,
                                   std::vector<StoreWork>& work) {
  AppendCounts counts;
  if (samples.empty() && histograms.empty()) return counts;
  Shard& shard = shard_of(series.id);
  StoreWork rest{series, {}, {}, epoch};  // before the lock, and so let go after it
  const std::lock_guard lock(shard.mutex);
  // First, where a throw costs nothing: what Accounted notes at its end must not ask for memory.
  shard.held.try_emplace(series.customer.value, 0);
  const auto [at, is_added] = shard.heads.try_emplace(series.id.value);
  Head& head = at->second;
  if (is_added) {
    head.customer = series.customer;
    head.awaits_store = !is_surely_new(series, epoch);
  }
  // Notes what the head holds now and, at the end of the block, what it holds then: however it is
  // left, the sums are right.
  const Accounted accounted(*this, shard, head, is_added ? 0 : head.memory_bytes());
  if (head.awaits_store) {
    rest.samples.assign(samples.begin(), samples.end());
    rest.histograms.assign(histograms.begin(), histograms.end());
  } else {
    const Target target{series, shard, head, epoch, nullptr};
    const PastNote note(past_, series.customer, samples, histograms, counts.stored);
    const auto found = shard.waiting.find(series.id.value);
    const Waiting waiting = found != shard.waiting.end() ? found->second : Waiting();
    const auto append_all = [&](const auto& all, auto& left) {
      for (const auto& sample : all) {
        const TimestampMs at_ms = sample.timestamp_ms;
        const bool is_behind = at_ms >= waiting.first_ms && at_ms <= waiting.last_ms;
        if (is_behind || !append_one(target, sample, counts)) left.push_back(sample);
      }
    };
    append_all(samples, rest.samples);
    append_all(histograms, rest.histograms);
  }
  if (rest.items() > 0) {
    take_turn(shard, rest);
    head.last_append = std::max(head.last_append, epoch);  // so that it is there for the rest
    work.push_back(std::move(rest));
  }
  return counts;
}

Result<AppendCounts> HeadSet::append_stored(StoreWork work) {
  if (auto room = closed_.await_room(); !room) return forward(room);
  if (auto asked = ask_newest(work); !asked) return forward(asked);
  AppendCounts counts;
  sort_by_time(work.samples);
  sort_by_time(work.histograms);
  const PastNote note(past_, work.series.customer, work.samples, work.histograms, counts.stored);
  if (auto done = append_each(work, work.samples, counts); !done) return forward(done);
  if (auto done = append_each(work, work.histograms, counts); !done) return forward(done);
  return counts;
}

// Nothing is appended to a head that awaits the store, so nothing of it goes there meanwhile.
Result<void> HeadSet::ask_newest(const StoreWork& work) {
  Shard& shard = shard_of(work.series.id);
  std::unique_lock lock(shard.mutex);
  auto at = shard.heads.find(work.series.id.value);
  if (at == shard.heads.end()) return tl::unexpected<Error>(kForgotten);
  if (!at->second.awaits_store) return {};
  lock.unlock();
  // Without the lock: a read from disk would keep all series of the shard waiting.
  // What is on its way there is asked first: what arrives in between is then seen in the store.
  const auto on_its_way = closed_.newest(work.series.id);
  auto newest = store_.newest(work.series.customer, work.series.id, first_ms(work));
  if (!newest && is_unreadable(newest.error())) newest = std::optional<TimestampMs>();
  if (!newest) return forward(newest);
  lock.lock();
  at = shard.heads.find(work.series.id.value);
  if (at == shard.heads.end()) return tl::unexpected<Error>(kForgotten);
  at->second.newest_ms = std::max(newest->value_or(INT64_MIN), on_its_way.value_or(INT64_MIN));
  at->second.awaits_store = false;
  return {};
}

template <typename T>
Result<void> HeadSet::append_each(const StoreWork& work, const std::vector<T>& samples,
                                  AppendCounts& counts) {
  Shard& shard = shard_of(work.series.id);
  for (std::size_t i = 0; i < samples.size();) {
    std::unique_lock lock(shard.mutex);
    const auto at = shard.heads.find(work.series.id.value);
    if (at == shard.heads.end()) return tl::unexpected<Error>(kForgotten);
    const Accounted accounted(*this, shard, at->second, at->second.memory_bytes());
    // What was read is true only if nothing was closed since: otherwise a sample that has just gone
    // from the head would be found in neither, and be stored twice.
    const bool is_memo_true = memo_.series == work.series.id && memo_.closings == shard.closings;
    if (is_memo_true && found_run_ != nullptr) keep_run(at->second, std::move(found_run_));
    const Target target{work.series, shard, at->second, work.epoch,
                        is_memo_true ? &memo_ : nullptr};
    if (append_one(target, samples[i], counts)) {
      ++i;
      continue;
    }
    const std::uint64_t closings = shard.closings;
    lock.unlock();  // what is closed meanwhile makes the memo untrue: then it is read again
    if (auto read = read_memo(work, closings, samples[i].timestamp_ms); !read) return read;
  }
  return {};
}

bool HeadSet::append_one(const Target& target, const Sample& sample, AppendCounts& counts) {
  Head& head = target.head;
  const bool is_late = sample.timestamp_ms <= head.newest_ms;
  if (is_late || sample.timestamp_ms > ahead_limit_ms_) return append_late(target, sample, counts);
  const store::SeriesId id = target.ref.id;
  if (head.chunk.samples() > 0 &&
      (head.chunk.samples() >= chunk_samples_max(id) ||
       window_of(id, sample.timestamp_ms) != window_of(id, head.chunk.first_ms()))) {
    close_chunk(id, head);
  }
  if (head.extras != nullptr) drop_run(head);  // the repeats are over
  head.chunk.append(target.shard.blocks, sample);
  head.newest_ms = sample.timestamp_ms;
  note_append(head, head.oldest_in_chunk, target.epoch);
  ++counts.stored;
  return true;
}

bool HeadSet::append_one(const Target& target, const HistogramSample& sample,
                         AppendCounts& counts) {
  Head& head = target.head;
  const bool is_late = sample.timestamp_ms <= head.newest_ms;
  if (is_late || sample.timestamp_ms > ahead_limit_ms_) return append_late(target, sample, counts);
  const store::SeriesId id = target.ref.id;
  HeadExtras& extras = extras_of(head);
  if (!extras.histograms.empty() && (extras.histograms.size() >= kHistogramsMax ||
                                     window_of(id, sample.timestamp_ms) !=
                                         window_of(id, extras.histograms.front().timestamp_ms))) {
    close_histograms(id, head);
  }
  extras.histograms.push_back(sample);
  extras.encoded_bytes += encoded_bytes(extras.histograms.back());
  head.newest_ms = sample.timestamp_ms;
  note_append(head, extras.oldest_histogram, target.epoch);
  ++counts.stored;
  ++counts.histograms;
  return true;
}

bool HeadSet::append_late(const Target& target, const Sample& sample, AppendCounts& counts) {
  const Known known = known_of(target, sample);
  if (known == Known::kAskStore) return false;
  if (known != Known::kNew) {
    if (known == Known::kConflict) counts.add_conflict(target.ref, sample.timestamp_ms);
    if (known == Known::kRepeat) ++counts.repeats;
    return true;
  }
  HeadExtras& extras = extras_of(target.head);
  if (extras.late.size() >= kLateMax) {
    close_late(target.ref.id, target.head);
  }
  extras.late.insert(find_time(extras.late, sample.timestamp_ms), sample);
  note_append(target.head, extras.oldest_late, target.epoch);
  ++counts.stored;
  ++counts.late;
  return true;
}

bool HeadSet::append_late(const Target& target, const HistogramSample& sample,
                          AppendCounts& counts) {
  const Known known = known_of(target, sample);
  if (known == Known::kAskStore) return false;
  if (known != Known::kNew) {
    if (known == Known::kConflict) counts.add_conflict(target.ref, sample.timestamp_ms);
    counts.repeats += known == Known::kRepeat ? 1 : 0;
    counts.histogram_repeats += known == Known::kRepeat ? 1 : 0;
    return true;
  }
  HeadExtras& extras = extras_of(target.head);
  if (extras.late_histograms.size() >= kHistogramsMax) {
    close_late(target.ref.id, target.head);
  }
  const auto placed =
      extras.late_histograms.insert(find_time(extras.late_histograms, sample.timestamp_ms), sample);
  extras.encoded_bytes += encoded_bytes(*placed);
  note_append(target.head, extras.oldest_late, target.epoch);
  ++counts.stored;
  ++counts.late;
  ++counts.histograms;
  return true;
}

HeadSet::Known HeadSet::known_of(const Target& target, const Sample& sample) {
  const TimestampMs time_ms = sample.timestamp_ms;
  const auto compared = [&](double known) {
    return is_same_value(known, sample.value) ? Known::kRepeat : Known::kConflict;
  };
  if (const auto value = value_in(target.head.chunk, target.shard.blocks, time_ms))
    return compared(*value);
  if (HeadExtras* extras = target.head.extras.get(); extras != nullptr) {
    if (const Sample* late = found_at(extras->late, time_ms)) return compared(late->value);
    if (extras->run != nullptr && extras->run->covers(time_ms)) {
      const auto value = extras->run->value_at(time_ms);
      if (!extras->run->is_damaged()) return value.has_value() ? compared(*value) : Known::kNew;
      drop_run(target.head);
    }
  }
  if (target.memo == nullptr || !target.memo->covers(time_ms)) return Known::kAskStore;
  const Sample* stored = found_at(target.memo->samples, time_ms);
  return stored != nullptr ? compared(stored->value) : Known::kNew;
}

HeadSet::Known HeadSet::known_of(const Target& target, const HistogramSample& sample) {
  const TimestampMs time_ms = sample.timestamp_ms;
  const HistogramSample* known = nullptr;
  if (HeadExtras* extras = target.head.extras.get(); extras != nullptr) {
    known = found_at(extras->histograms, time_ms);
    if (known == nullptr) known = found_at(extras->late_histograms, time_ms);
  }
  if (known == nullptr) {
    if (target.memo == nullptr || !target.memo->covers(time_ms)) return Known::kAskStore;
    known = found_at(target.memo->histograms, time_ms);
  }
  if (known == nullptr) return Known::kNew;
  const bool is_same = histograms::is_same_histogram(known->encoded, sample.encoded);
  return is_same ? Known::kRepeat : Known::kConflict;
}

// Closed chunks first: what is stored in between is then seen twice at worst, and only once here.
Result<std::vector<store::ChunkRow>> HeadSet::rows_of(const SeriesRef& series, TimestampMs from_ms,
                                                      TimestampMs to_ms) {
  const auto key = [](const store::ChunkRow& row) {
    return std::tie(row.first_ms, row.version, row.encoding);
  };
  std::vector<store::ChunkRow> closed = closed_.rows_of(series.id);
  auto rows = store_.read(series.customer, series.id, from_ms, to_ms);
  if (!rows) return rows;
  for (store::ChunkRow& row : closed) {
    const bool is_stored =
        std::any_of(rows->begin(), rows->end(),
                    [&](const store::ChunkRow& stored) { return key(stored) == key(row); });
    if (!is_stored && row.first_ms <= to_ms && row.last_ms >= from_ms) {
      rows->push_back(std::move(row));
    }
  }
  std::sort(rows->begin(), rows->end(),
            [&](const store::ChunkRow& left, const store::ChunkRow& right) {
              return key(left) < key(right);
            });
  return rows;
}

Result<void> HeadSet::read_memo(const StoreWork& work, std::uint64_t closings,
                                TimestampMs time_ms) {
  memo_ = {work.series.id, closings, time_ms, time_ms + kMemoSpanMs, {}, {}};
  found_run_.reset();
  const auto rows = rows_of(work.series, memo_.from_ms, memo_.to_ms);
  Result<store::MergedRows> merged =
      rows ? store::merge_rows(*rows)
           : Result<store::MergedRows>(tl::unexpected<Error>(rows.error()));
  if (!merged && is_unreadable(merged.error())) return {};  // the memo holds nothing of this hour
  if (!merged) {
    memo_ = {};
    return forward(merged);
  }
  found_run_ = find_run(*rows, memo_.from_ms, memo_.to_ms);
  memo_.samples = std::move(merged->samples);
  memo_.histograms = std::move(merged->histograms);
  return {};
}

void HeadSet::keep_run(Head& head, std::unique_ptr<StoredRun> run) {
  drop_run(head);
  if (run == nullptr || run_bytes_ + run->memory_bytes() > run_bytes_max_) return;
  run_bytes_ += run->memory_bytes();
  extras_of(head).run = std::move(run);
}

void HeadSet::drop_run(Head& head) {
  if (head.extras == nullptr || head.extras->run == nullptr) return;
  run_bytes_ -= head.extras->run->memory_bytes();
  head.extras->run.reset();
}

void HeadSet::give(store::SeriesId series, Head& head, std::vector<store::ChunkRow> rows,
                   Epoch oldest) {
  ++shard_of(series).closings;  // before, so that whoever reads the store meanwhile reads it again
  drop_run(head);
  closed_.add(head.customer, std::move(rows), oldest);
}

void HeadSet::close_chunk(store::SeriesId series, Head& head) {
  chunk::BlockPool& blocks = shard_of(series).blocks;
  give(series, head,
       {{series, head.chunk.first_ms(), head.chunk.last_ms(), store::kInOrder,
         store::Encoding::kFloats, head.chunk.bytes(blocks)}},
       head.oldest_in_chunk);
  // Only after it was given: what throws leaves the head as it was, and nothing is lost.
  head.chunk.clear(blocks);
  head.oldest_in_chunk = kNoEpoch;
}

void HeadSet::close_histograms(store::SeriesId series, Head& head) {
  HeadExtras& extras = *head.extras;
  give(series, head, histogram_rows(series, extras.histograms, store::kInOrder),
       extras.oldest_histogram);
  extras.encoded_bytes -= encoded_bytes(extras.histograms);
  give_back(extras.histograms);
  extras.oldest_histogram = kNoEpoch;
}

void HeadSet::close_late(store::SeriesId series, Head& head) {
  HeadExtras& extras = *head.extras;
  // Later rows have higher versions; of two samples of one time the lower version's is kept, so the
  // first one that was stored stays.
  const std::uint64_t version = next_version();
  std::vector<store::ChunkRow> rows = pack_rows(series, extras.late, version);
  for (store::ChunkRow& row : histogram_rows(series, extras.late_histograms, version)) {
    rows.push_back(std::move(row));
  }
  give(series, head, std::move(rows), extras.oldest_late);
  extras.encoded_bytes -= encoded_bytes(extras.late_histograms);
  give_back(extras.late);
  give_back(extras.late_histograms);
  extras.oldest_late = kNoEpoch;
}

}  // namespace vigia::storage::heads
