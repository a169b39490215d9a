// What a graph over two years costs: one metric of a hundred nodes from roll-ups of a day and of an
// hour, among those of nine other metrics; and, beside it, a day of raw samples. Through remote
// read in chunks, without its network. What an hour and a day of raw cost beside a month and beside
// two years of it: the same, or reads grow dearer the longer a store is kept. And a round of the
// roller over marks of which none is over.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include "libs/base/check.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/read/remote_read.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::rolling {
namespace {

constexpr std::uint32_t kFirstDay = 19'710;
constexpr std::uint32_t kDays = 730;
constexpr TimestampMs kStart = TimestampMs{kFirstDay} * store::kDayMs;
constexpr TimestampMs kEnd = kStart + kDays * store::kDayMs;
constexpr TimestampMs kStep = 15'000;
constexpr int kNodes = 100;
constexpr int kMetrics = 10;
constexpr TimestampMs kSamplesOfRow = 240;
constexpr TimestampMs kRowMs = 2 * 3'600'000;  // a row spans no more

// A gauge of memory, in pages.
class Gauge {
 public:
  explicit Gauge(std::uint32_t seed) : state_(seed * 2'654'435'761U + 1) {}
  double next() {
    state_ = state_ * 1'664'525U + 1'013'904'223U;
    value_ += static_cast<double>(static_cast<int>(state_ >> 20U) - 2'048) * 4'096;
    return value_;
  }

 private:
  std::uint32_t state_;
  double value_ = 4e9;
};

// Of each series.
struct Held {
  int metrics = kMetrics;
  bool has_rollups = true;
  std::uint32_t raw_days = 1;  // the last ones
  TimestampMs raw_step_ms = kStep;
};

class Store {
 public:
  explicit Store(const Held& held) : held_(held) {
    open();
    for (int metric = 0; metric < held_.metrics; ++metric) bring(metric);
    CHECK(cold_->chunks().sync().has_value());
    CHECK(store_->compact().has_value());
    heads_.reset();
    stored_.reset();
    cold_.reset();
    store_.reset();
    open();  // as after a restart: nothing of it is in memory
    RollupNote note;
    note.raw_gone_day = kFirstDay + kDays - 400;
    note.is_marked = true;
    note.made_from = {0, 0, 0};
    CHECK(cold_->chunks().due_days()->set_note(write_note(note)).has_value());
    book_ = RollupBook::open(*cold_->chunks().due_days(), {true, true, true}).value();
    reader_ = std::make_unique<read::SeriesReader>(*heads_, cold_->chunks());
    remote_read_ = std::make_unique<read::RemoteRead>(cold_->catalog(), *reader_,
                                                      read::ReadLimits(), answers_);
    remote_read_->use_rollups(*book_);
  }
  // Bytes of the answer.
  std::size_t read(const std::string& rollup, TimestampMs from_ms, TimestampMs to_ms) {
    wire::remote_read::Query query{from_ms, to_ms, {{MatchType::kEqual, "__name__", "metric_0"}}};
    if (!rollup.empty()) query.matchers.push_back({MatchType::kEqual, "__rollup__", rollup});
    auto stream = remote_read_
                      ->chunks("cliente-a", customer_,
                               {{query}, wire::remote_read::ResponseType::kStreamedXorChunks},
                               std::make_shared<const store::WorkLimit>())
                      .value();
    std::size_t bytes = 0;
    for (;;) {
      const auto piece = stream->next(std::chrono::steady_clock::time_point::max()).value();
      if (piece->empty()) return bytes;
      bytes += piece->size();
      stream->memory().release(piece->size());
    }
  }

 private:
  void open() {
    store_ = store::rocksdb::kv::open_rocksdb({folder_.path()}).value();
    cold_ = store::rocksdb::RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
    cold_->chunks().due_days()->set_marking(false);
    stored_ = std::make_unique<heads::StoredSeries>(cold_->chunks(), *cold_);
    heads_ = std::make_unique<heads::HeadSet>(*stored_, clock_);
  }
  void bring(int metric) {
    const std::uint64_t seed = cold_->catalog().seed_of(customer_).value();
    std::vector<store::NewSeries> series;
    for (int node = 0; node < kNodes; ++node) {
      Labels labels = Labels::from({{"__name__", fmt::format("metric_{}", metric)},
                                    {"customer_id", customer_.text()},
                                    {"node_id", fmt::format("prod-node-{:05}", node)}});
      const auto hash = store::hash_labels(seed, to_string(labels));
      series.push_back({std::move(labels), hash, {kFirstDay, kFirstDay + kDays}, {}, false});
    }
    CHECK(cold_->catalog().resolve(customer_, series).has_value());
    for (const store::NewSeries& one : series) {
      if (held_.has_rollups) put_rollups({"", one.id});
      for (std::uint32_t days = held_.raw_days; days > 0; --days) {
        put_raw({"", one.id}, kEnd - days * store::kDayMs);
      }
    }
  }
  // Of a sample each five minutes: how many there are changes only how long this takes.
  void put_rollups(const store::SeriesKey& key) {
    constexpr TimestampMs kEach = 300'000;
    Gauge gauge(static_cast<std::uint32_t>(key.id.value));
    std::vector<Sample> samples;
    for (TimestampMs at = kStart + kEach; at <= kEnd; at += kEach)
      samples.push_back({at, gauge.next()});
    for (const Resolution resolution : {Resolution::kHour, Resolution::kDay}) {
      std::map<std::uint32_t, std::vector<Window>> periods;
      for (const Window& window : rollup::windows_of(samples, rollup::width_ms(resolution))) {
        periods[period_of(resolution, day_of_window(window.end_ms))].push_back(window);
      }
      std::vector<store::ClosedChunk> rows;
      for (const auto& [period, windows] : periods) {
        rows.push_back(window_row(key, resolution, windows));
      }
      CHECK(store::put_now(cold_->chunks(), customer_, rows).has_value());
    }
  }
  void put_raw(const store::SeriesKey& key, TimestampMs day_ms) {
    Gauge gauge(static_cast<std::uint32_t>(key.id.value));
    const auto of_row = std::min<TimestampMs>(kSamplesOfRow, kRowMs / held_.raw_step_ms);
    std::vector<store::ClosedChunk> rows;
    for (TimestampMs at = day_ms; at < day_ms + store::kDayMs;) {
      chunk::ChunkWriter writer;
      for (TimestampMs i = 0; i < of_row; ++i, at += held_.raw_step_ms) {
        writer.append({at, gauge.next()});
      }
      rows.push_back({key.metric,
                      {key.id, writer.first_ms(), writer.last_ms(), store::kInOrder,
                       store::Encoding::kFloats, std::string(writer.bytes())},
                      Resolution::kRaw});
    }
    CHECK(store::put_now(cold_->chunks(), customer_, rows).has_value());
  }

  const Held held_;
  TemporaryFolder folder_;
  SystemClock clock_;
  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  std::unique_ptr<store::rocksdb::kv::OrderedStore> store_;
  std::unique_ptr<store::rocksdb::RocksDbColdStore> cold_;
  std::unique_ptr<heads::StoredSeries> stored_;
  std::unique_ptr<heads::HeadSet> heads_;
  std::unique_ptr<RollupBook> book_;
  std::unique_ptr<read::SeriesReader> reader_;
  lanes::CustomerShares answers_{"answers", 256U << 20U};
  std::unique_ptr<read::RemoteRead> remote_read_;
};

double resident_mb() {
  rusage usage{};
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return static_cast<double>(usage.ru_maxrss) / 1'024;
}

// The first of each is after a restart; the fastest and the slowest are told as well.
void two_years(benchmark::State& state, const std::string& rollup, TimestampMs from_ms) {
  static Store store{Held()};
  const double before = resident_mb();
  std::size_t bytes = 0;
  for (auto _ : state) bytes = store.read(rollup, from_ms, kEnd - 1);
  state.counters["answer_bytes"] = static_cast<double>(bytes);
  state.counters["more_memory_mb"] = resident_mb() - before;
}

BENCHMARK_CAPTURE(two_years, of_1d, "1d:sum", kStart)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(two_years, of_1h, "1h:sum", kStart)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(two_years, one_day_raw, "", kEnd - store::kDayMs)->Unit(benchmark::kMillisecond);

// By how many days of raw there are.
void raw_of(benchmark::State& state, TimestampMs span_ms) {
  static std::map<std::int64_t, std::unique_ptr<Store>> stores;
  auto& store = stores[state.range(0)];
  if (store == nullptr) {
    const auto days = static_cast<std::uint32_t>(state.range(0));
    store = std::make_unique<Store>(Held{1, false, days, 300'000});
  }
  for (auto _ : state) benchmark::DoNotOptimize(store->read("", kEnd - span_ms, kEnd - 1));
}

BENCHMARK_CAPTURE(raw_of, a_day, store::kDayMs)->Arg(30)->Arg(kDays)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(raw_of, an_hour, 3'600'000)->Arg(30)->Arg(kDays)->Unit(benchmark::kMillisecond);

// A million series that write all the time: each has a mark of today.
void round_of_marks(benchmark::State& state) {
  const TemporaryFolder folder;
  SystemClock clock;
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  const auto rows = store::rocksdb::kv::open_rocksdb({folder.path()}).value();
  const auto cold = store::rocksdb::RocksDbColdStore::open(*rows, clock, 64U << 20U).value();
  for (std::uint64_t first = 1; first < static_cast<std::uint64_t>(state.range(0));
       first += 1'000) {
    std::vector<store::ClosedChunk> chunks;
    for (std::uint64_t series = first; series < first + 1'000; ++series) {
      chunks.push_back(
          {"", {{series}, kEnd + 5, kEnd + 9, store::kInOrder, store::Encoding::kFloats, "data"}});
    }
    CHECK(store::put_now(cold->chunks(), customer, chunks).has_value());
  }
  const auto book = RollupBook::open(*cold->chunks().due_days(), {true, true, true}).value();
  CHECK(book->set_marked(0).has_value());
  RollerSources sources;
  sources.now_ms = [] { return kEnd + store::kDayMs; };  // the grace is not over
  sources.first_day = [] { return 0U; };
  Roller roller(*cold, *book, std::move(sources));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(!roller.roll_round());
  state.counters["first_round_ms"] =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  for (auto _ : state) CHECK(!roller.roll_round());
}

BENCHMARK(round_of_marks)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vigia::storage::rolling
