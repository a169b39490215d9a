#include "services/storage/heads/head_set.hpp"

#include <algorithm>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/chunks/row_merge.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kLateMax = 120;
constexpr std::size_t kHistogramsMax = 60;
// A run of late samples looks this far ahead in one read.
constexpr TimestampMs kMemoSpanMs = 3'600'000;
// Of all series together; beyond it each repeat is looked for in the store. A replay of 300,000
// series takes some 200 MiB for as long as it lasts.
constexpr std::size_t kRunBytesMax = 512U << 20U;

std::optional<double> value_in(const chunk::ChunkWriter& chunk, TimestampMs time_ms) {
  if (chunk.samples() == 0 || time_ms < chunk.first_ms() || time_ms > chunk.last_ms()) {
    return std::nullopt;
  }
  chunk::ChunkReader reader(chunk.bytes());
  for (Sample sample; reader.next(sample) && sample.timestamp_ms <= time_ms;) {
    if (sample.timestamp_ms == time_ms) return sample.value;
  }
  return std::nullopt;
}

template <typename T>
const T* found_at(std::vector<T>& samples, TimestampMs time_ms) {
  const auto at = find_time(samples, time_ms);
  return at != samples.end() && at->timestamp_ms == time_ms ? &*at : nullptr;
}

HeadExtras& extras_of(Head& head) {
  if (head.extras == nullptr) head.extras = std::make_unique<HeadExtras>();
  return *head.extras;
}

void note_append(Head& head, Epoch& oldest, Epoch epoch) {
  if (oldest == kNoEpoch) oldest = epoch;
  head.last_append = epoch;
}

}  // namespace

AppendCounts& AppendCounts::operator+=(const AppendCounts& other) {
  stored += other.stored;
  late += other.late;
  repeats += other.repeats;
  conflicts += other.conflicts;
  histograms += other.histograms;
  histogram_repeats += other.histogram_repeats;
  return *this;
}

HeadSet::HeadSet(ChunkStore& chunks, const Clock& clock) : chunks_(chunks), clock_(clock) {}

HeadSet::Shard& HeadSet::shard_of(SeriesId series) { return shards_[series.value % kShards]; }

std::uint64_t HeadSet::next_version() {
  last_version_ = std::max(last_version_ + 1,
                           static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall_ns(), 1)));
  return last_version_;
}

Result<Head*> HeadSet::head_of(Shard& shard, const SeriesRef& series, TimestampMs first_ms) {
  const auto [at, is_added] = shard.heads.try_emplace(series.id.value);
  Head& head = at->second;
  if (!is_added) return &head;
  head.customer = series.customer;
  if (series.is_new) return &head;
  auto newest = chunks_.newest(series.customer, series.id, first_ms);
  if (!newest) {
    shard.heads.erase(at);
    return forward(newest);
  }
  head.newest_ms = newest->value_or(INT64_MIN);
  return &head;
}

// Without the lock: only this thread adds and removes heads.
void HeadSet::expect(SeriesId series) const {
  const Shard& shard = shards_[series.value % kShards];
  const auto at = shard.heads.find(series.value);
  if (at == shard.heads.end()) return;
  const std::string_view bytes = at->second.chunk.bytes();
  if (!bytes.empty()) __builtin_prefetch(bytes.data() + bytes.size() - 1, 1);
}

Result<AppendCounts> HeadSet::append(const SeriesRef& series, const std::vector<Sample>& samples,
                                     Epoch epoch) {
  AppendCounts counts;
  if (samples.empty()) return counts;
  Shard& shard = shard_of(series.id);
  const std::lock_guard lock(shard.mutex);
  auto head = head_of(shard, series, samples.front().timestamp_ms);
  if (!head) return forward(head);
  const Target target{series, **head, epoch};
  for (const Sample& sample : samples) {
    if (auto appended = append_one(target, sample, counts); !appended) return forward(appended);
  }
  return counts;
}

Result<AppendCounts> HeadSet::append_histograms(const SeriesRef& series,
                                                const std::vector<HistogramSample>& histograms,
                                                Epoch epoch) {
  AppendCounts counts;
  if (histograms.empty()) return counts;
  Shard& shard = shard_of(series.id);
  const std::lock_guard lock(shard.mutex);
  auto head = head_of(shard, series, histograms.front().timestamp_ms);
  if (!head) return forward(head);
  const Target target{series, **head, epoch};
  for (const HistogramSample& sample : histograms) {
    if (auto appended = append_one(target, sample, counts); !appended) return forward(appended);
  }
  return counts;
}

Result<void> HeadSet::append_one(const Target& target, const Sample& sample, AppendCounts& counts) {
  Head& head = target.head;
  if (sample.timestamp_ms <= head.newest_ms) return append_late(target, sample, counts);
  const SeriesId id = target.ref.id;
  if (head.chunk.samples() > 0 &&
      (head.chunk.samples() >= chunk_samples_max(id) ||
       window_of(id, sample.timestamp_ms) != window_of(id, head.chunk.first_ms()))) {
    if (auto closed = close_chunk(id, head); !closed) return closed;
  }
  if (head.extras != nullptr) drop_run(head);  // the repeats are over
  head.chunk.append(sample);
  head.newest_ms = sample.timestamp_ms;
  note_append(head, head.oldest_in_chunk, target.epoch);
  ++counts.stored;
  return {};
}

Result<void> HeadSet::append_one(const Target& target, const HistogramSample& sample,
                                 AppendCounts& counts) {
  Head& head = target.head;
  if (sample.timestamp_ms <= head.newest_ms) return append_late(target, sample, counts);
  const SeriesId id = target.ref.id;
  HeadExtras& extras = extras_of(head);
  if (!extras.histograms.empty() && (extras.histograms.size() >= kHistogramsMax ||
                                     window_of(id, sample.timestamp_ms) !=
                                         window_of(id, extras.histograms.front().timestamp_ms))) {
    if (auto closed = close_histograms(id, head); !closed) return closed;
  }
  extras.histograms.push_back(sample);
  head.newest_ms = sample.timestamp_ms;
  note_append(head, extras.oldest_histogram, target.epoch);
  ++counts.stored;
  ++counts.histograms;
  return {};
}

Result<void> HeadSet::append_late(const Target& target, const Sample& sample,
                                  AppendCounts& counts) {
  std::optional<double> known = value_in(target.head.chunk, sample.timestamp_ms);
  if (!known.has_value() && target.head.extras != nullptr) {
    const Sample* late = found_at(target.head.extras->late, sample.timestamp_ms);
    if (late != nullptr) known = late->value;
  }
  if (!known.has_value()) {
    const auto stored = stored_value(target, sample.timestamp_ms);
    if (!stored) return tl::unexpected<Error>(stored.error());
    known = *stored;
  }
  if (known.has_value()) {
    ++(is_same_value(*known, sample.value) ? counts.repeats : counts.conflicts);
    return {};
  }
  HeadExtras& extras = extras_of(target.head);
  if (extras.late.size() >= kLateMax) {
    if (auto closed = close_late(target.ref.id, target.head); !closed) return closed;
  }
  extras.late.insert(find_time(extras.late, sample.timestamp_ms), sample);
  note_append(target.head, extras.oldest_late, target.epoch);
  ++counts.stored;
  ++counts.late;
  return {};
}

Result<void> HeadSet::append_late(const Target& target, const HistogramSample& sample,
                                  AppendCounts& counts) {
  HeadExtras& extras = extras_of(target.head);
  const HistogramSample* known = found_at(extras.histograms, sample.timestamp_ms);
  if (known == nullptr) known = found_at(extras.late_histograms, sample.timestamp_ms);
  if (known == nullptr) {
    if (auto read = remember_store(target, sample.timestamp_ms); !read) return read;
    known = found_at(memo_.histograms, sample.timestamp_ms);
  }
  if (known != nullptr) {
    const bool is_repeat = known->encoded == sample.encoded;
    ++(is_repeat ? counts.repeats : counts.conflicts);
    if (is_repeat) ++counts.histogram_repeats;
    return {};
  }
  if (extras.late_histograms.size() >= kHistogramsMax) {
    if (auto closed = close_late(target.ref.id, target.head); !closed) return closed;
  }
  extras.late_histograms.insert(find_time(extras.late_histograms, sample.timestamp_ms), sample);
  note_append(target.head, extras.oldest_late, target.epoch);
  ++counts.stored;
  ++counts.late;
  ++counts.histograms;
  return {};
}

Result<std::optional<double>> HeadSet::stored_value(const Target& target, TimestampMs time_ms) {
  const auto& extras = target.head.extras;
  if (extras != nullptr && extras->run != nullptr && extras->run->covers(time_ms)) {
    const auto value = extras->run->value_at(time_ms);
    if (!extras->run->is_damaged()) return value;
    drop_run(target.head);
  }
  if (auto read = remember_store(target, time_ms); !read) return forward(read);
  const Sample* stored = found_at(memo_.samples, time_ms);
  return stored != nullptr ? std::optional(stored->value) : std::nullopt;
}

void HeadSet::keep_run(Head& head, std::unique_ptr<StoredRun> run) {
  drop_run(head);
  if (run == nullptr || run_bytes_ + run->memory_bytes() > kRunBytesMax) return;
  run_bytes_ += run->memory_bytes();
  extras_of(head).run = std::move(run);
}

void HeadSet::drop_run(Head& head) {
  if (head.extras == nullptr || head.extras->run == nullptr) return;
  run_bytes_ -= head.extras->run->memory_bytes();
  head.extras->run.reset();
}

Result<void> HeadSet::remember_store(const Target& target, TimestampMs time_ms) {
  const SeriesId id = target.ref.id;
  if (memo_.series == id && time_ms >= memo_.from_ms && time_ms <= memo_.to_ms) return {};
  memo_ = {id, time_ms, time_ms + kMemoSpanMs, {}, {}};
  const auto rows = chunks_.read(target.ref.customer, id, memo_.from_ms, memo_.to_ms);
  Result<MergedRows> merged =
      rows ? merge_rows(*rows) : Result<MergedRows>(tl::unexpected<Error>(rows.error()));
  if (!merged) {
    memo_ = {};
    return forward(merged);
  }
  keep_run(target.head, find_run(*rows, memo_.from_ms, memo_.to_ms));
  memo_.samples = std::move(merged->samples);
  memo_.histograms = std::move(merged->histograms);
  return {};
}

Result<void> HeadSet::put(SeriesId series, Head& head, const std::vector<ChunkRow>& rows) {
  if (memo_.series == series) memo_ = {};
  drop_run(head);
  return chunks_.put(head.customer, rows);
}

Result<void> HeadSet::close_chunk(SeriesId series, Head& head) {
  auto written = put(series, head,
                     {{series, head.chunk.first_ms(), head.chunk.last_ms(), kInOrder,
                       Encoding::kFloats, std::string(head.chunk.bytes())}});
  if (!written) return written;
  head.chunk.reset();
  head.oldest_in_chunk = kNoEpoch;
  return {};
}

Result<void> HeadSet::close_histograms(SeriesId series, Head& head) {
  auto written = put(series, head, pack_rows(series, head.extras->histograms, kInOrder));
  if (!written) return written;
  head.extras->histograms.clear();
  head.extras->oldest_histogram = kNoEpoch;
  return {};
}

Result<void> HeadSet::close_late(SeriesId series, Head& head) {
  HeadExtras& extras = *head.extras;
  const std::uint64_t version = next_version();
  std::vector<ChunkRow> rows = pack_rows(series, extras.late, version);
  for (ChunkRow& row : pack_rows(series, extras.late_histograms, version)) {
    rows.push_back(std::move(row));
  }
  if (auto written = put(series, head, rows); !written) return written;
  extras.late.clear();
  extras.late_histograms.clear();
  extras.oldest_late = kNoEpoch;
  return {};
}

}  // namespace vigia::storage
