// How long the write-ahead log takes to replay after a kill: series that have written every 15 s
// for two hours, so that some of what the log holds is in closed chunks and some is not. On a clock
// of its own: minutes and windows pass as they would.
#include <condition_variable>
#include <mutex>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr TimestampMs kStart = 1'764'028'800'000;  // midnight: windows begin and end
constexpr std::int64_t kStepMs = 15'000;
constexpr std::uint64_t kSeriesPerRequest = 300;
constexpr std::uint64_t kUnderWayMax = 64;

class Storage {
 public:
  Storage(const std::string& folder, const Clock& clock) {
    store_ = store::rocksdb::kv::open_rocksdb({folder}).value();
    cold_ = store::rocksdb::RocksDbColdStore::open(*store_, clock, 64U << 20U).value();
    CHECK(cold_->number_of(CustomerId::provider()).value().value == 1);  // whose the samples are
    stored_series_ = std::make_unique<heads::StoredSeries>(cold_->chunks(), *cold_);
    heads_ = std::make_unique<heads::HeadSet>(*stored_series_, clock);
    IngesterSettings settings;
    settings.log_directory = folder + "/wal";
    ingester_ = Ingester::open(settings, {*heads_, cold_->chunks(), times_, clock}).value();
  }
  void write(IngestBatch batch) {
    ingester_->write(std::move(batch), [this](const Result<heads::AppendCounts>& counts) {
      CHECK(counts.has_value());
      const std::lock_guard lock(mutex_);
      --under_way_;
      wake_.notify_one();
    });
    std::unique_lock lock(mutex_);
    ++under_way_;
    wake_.wait(lock, [this] { return under_way_ < static_cast<std::int64_t>(kUnderWayMax); });
  }
  void drain() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return under_way_ == 0; });
  }
  std::uint64_t replayed() const { return ingester_->stats().replayed; }

 private:
  std::unique_ptr<store::rocksdb::kv::OrderedStore> store_;
  std::unique_ptr<store::rocksdb::RocksDbColdStore> cold_;
  std::unique_ptr<heads::StoredSeries> stored_series_;
  std::unique_ptr<heads::HeadSet> heads_;
  customers::RecordTimes times_;
  std::unique_ptr<Ingester> ingester_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::int64_t under_way_ = 0;
};

IngestBatch request_of(std::uint64_t first_series, int step) {
  IngestBatch batch;
  for (std::uint64_t s = first_series; s < first_series + kSeriesPerRequest; ++s) {
    const double value =
        static_cast<double>(s * 1000 + static_cast<std::uint64_t>(step) * (s % 97));
    batch.series.push_back({{1}, {s}, step == 0, {{kStart + step * kStepMs, value}}, {}});
  }
  return batch;
}

void restart(benchmark::State& state) {
  const auto series = static_cast<std::uint64_t>(state.range(0));
  const auto steps = static_cast<int>(state.range(1));
  for (auto _ : state) {
    const TemporaryFolder folder;
    ManualClock clock(kStart * 1'000'000);
    {
      Storage storage(folder.path(), clock);
      for (int step = 0; step < steps; ++step) {
        for (std::uint64_t s = 1; s <= series; s += kSeriesPerRequest) {
          storage.write(request_of(s, step));
        }
        storage.drain();
        clock.advance(std::chrono::milliseconds(kStepMs));
      }
    }
    const auto begin = std::chrono::steady_clock::now();
    const Storage storage(folder.path(), clock);
    const auto took = std::chrono::steady_clock::now() - begin;
    const double seconds = std::chrono::duration<double>(took).count();
    const auto replayed = static_cast<double>(storage.replayed());
    state.counters["restart_s"] = seconds;
    state.counters["replayed_per_series"] = replayed / static_cast<double>(series);
    state.counters["replayed_per_s"] = replayed / seconds;
  }
}

BENCHMARK(restart)
    ->Args({6'000, 400})
    ->Args({30'000, 400})
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace vigia::storage::ingest
