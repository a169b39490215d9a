// What label queries with a range cost over 100,000 series of one customer, each with a chunk on
// every day of a week: half of the series ended three days ago.
#include <algorithm>
#include <ctime>
#include <future>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/api/label_api.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::api {
namespace {

constexpr TimestampMs kStart = 1'764'028'800'000;  // midnight
constexpr int kSeries = 100'000;
constexpr int kDays = 7;
constexpr int kDaysOfEnded = 4;
constexpr int kSeriesAtOnce = 1'000;

// An answer is made in its caller's thread: whatever else the machine does is left out.
double thread_cpu_ms() {
  timespec time{};
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

class Store {
 public:
  Store() {
    for (int first = 0; first < kSeries; first += kSeriesAtOnce) bring(first);
    CHECK(cold_->chunks().sync().has_value());
    CHECK(store_->compact().has_value());
  }
  net::Response ask(const std::string& what, const std::string& range) {
    net::Request request;
    request.headers.add("x-vigia-customer", customer_.text());
    request.query = "matcher=__name__%3D~.%2B" + range;
    if (what == "all values") request.query = range.substr(range.empty() ? 0 : 1);
    if (what == "names") return api_.labels(request);
    if (what == "series") return api_.series(request);
    return api_.values(request, "node_id");
  }

 private:
  static int days_of(int series) { return series % 2 == 0 ? kDays : kDaysOfEnded; }
  void bring(int first) {
    const std::uint64_t seed = cold_->catalog().seed_of(customer_).value();
    std::vector<store::NewSeries> series;
    for (int n = first; n < first + kSeriesAtOnce; ++n) {
      const std::string node = fmt::format("node-{:06}", n / 20);
      const auto day = store::day_of(kStart);
      const auto last = day + static_cast<std::uint32_t>(days_of(n)) - 1;
      Labels labels = Labels::from({{"__name__", fmt::format("metric_{}", n % 20)},
                                    {"customer_id", customer_.text()},
                                    {"node_id", node}});
      const auto hash = store::hash_labels(seed, to_string(labels));
      series.push_back({std::move(labels), hash, {day, last}, {}, false});
    }
    CHECK(cold_->catalog().resolve(customer_, series).has_value());
    for (int day = 0; day < kDays; ++day) put(series, first, day);
  }
  void put(const std::vector<store::NewSeries>& series, int first, int day) {
    std::vector<store::ClosedChunk> closed;
    const TimestampMs time_ms = kStart + day * store::kDayMs;
    for (int n = 0; n < kSeriesAtOnce; ++n) {
      if (day >= days_of(first + n)) continue;
      const auto& one = series[static_cast<std::size_t>(n)];
      closed.push_back({std::string(one.labels.metric_name()),
                        {one.id, time_ms, time_ms + 3'600'000, store::kInOrder,
                         store::Encoding::kFloats, std::string(240, 'x')},
                        Resolution::kRaw});
    }
    std::promise<Result<void>> done;
    cold_->chunks().put(customer_, closed,
                        [&](Result<void> put) { done.set_value(std::move(put)); });
    CHECK(done.get_future().get().has_value());
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  std::unique_ptr<store::rocksdb::kv::OrderedStore> store_ =
      store::rocksdb::kv::open_rocksdb({folder_.path()}).value();
  std::unique_ptr<store::rocksdb::RocksDbColdStore> cold_ =
      store::rocksdb::RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
  lanes::CustomerShares answers_{"answers under way", 512U << 20U};
  LabelApi api_{cold_->catalog(), answers_};
};

// All in one: the store is made once.
void label_queries(benchmark::State& state) {
  Store store;
  const std::string week = fmt::format("&start={}&end={}", kStart / 1000, kStart / 1000 + 604'799);
  const std::string today = fmt::format("&start={}", kStart / 1000 + 6 * 86'400);
  for (auto _ : state) {
    for (const char* what : {"names", "values", "series", "all values"}) {
      for (const auto& [name, range] :
           {std::pair{"no range", std::string()}, {"week", week}, {"today", today}}) {
        double best = 1e9;
        for (int turn = 0; turn < 3; ++turn) {
          const double begin = thread_cpu_ms();
          const auto answer = store.ask(what, range);
          best = std::min(best, thread_cpu_ms() - begin);
          CHECK(answer.status == 200);
        }
        state.counters[fmt::format("{}, {} (ms)", what, name)] = best;
      }
    }
  }
}

BENCHMARK(label_queries)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace vigia::storage::api
