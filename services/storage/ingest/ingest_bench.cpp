// The write path without its network: remote-write bodies decoded, series resolved, logged with
// fdatasync, put into heads, chunks closed. Reports samples per CPU-second of the whole process and
// series that it makes in one; memory of an open series, which is that of the whole process but for
// the load, so write buffers and what the heap cannot give back as well, and what the heads' books
// say of it; and bytes on disk per sample once all chunks are closed. Each with days marked for
// roll-ups or not (whoever compares them runs both in turns:
// --benchmark_enable_random_interleaving) and with marks what the roller takes for them, and what
// they are on disk.
//
// Data: what one node's agent sends, made up by rule: a third of the series never or rarely
// changes, the rest are counters of bytes, operations and CPU seconds, gauges of memory, and
// percentages; 15 s apart, aligned. Fixed seeds.
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libs/base/check.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/api/write_batch.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr TimestampMs kStart = 1'764'028'800'000;
constexpr TimestampMs kStep = 15'000;
constexpr int kSeriesPerNode = 300;

// One value after the other of a series of a node.
class HostSeries {
 public:
  HostSeries(int node, int number)
      : kind_(number % 12), random_(static_cast<unsigned>(node * 1000 + number)) {
    value_ = kind_ < 4 ? static_cast<double>(random_() % 100'000) * 4096
                       : static_cast<double>(random_() % 1'000'000);
  }
  double next() {
    switch (kind_) {
      case 0:
      case 1:
      case 2:  // sizes, limits, states: constant
        return value_;
      case 3:  // changes once in a while
        if (below(50) == 0) value_ += 1;
        return value_;
      case 4:
      case 5:  // counters of bytes
        value_ += static_cast<double>(below(200'000));
        return value_;
      case 6:
      case 7:  // counters of operations, often still
        value_ += below(3) == 0 ? static_cast<double>(below(40)) : 0;
        return value_;
      case 8:
      case 9:  // CPU seconds, in hundredths
        value_ += static_cast<double>(below(300)) / 100;
        return std::round(value_ * 100) / 100;
      case 10:  // memory, in pages
        value_ += (static_cast<double>(below(2001)) - 1000) * 4096;
        return value_;
      default:  // per cent with one digit
        return static_cast<double>(below(1000)) / 10;
    }
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  int kind_;
  std::mt19937 random_;
  double value_ = 0;
};

struct Node {
  std::string customer;
  std::vector<std::string> labels;
  std::vector<HostSeries> series;
};

std::vector<Node> make_nodes(int count) {
  std::vector<Node> nodes;
  for (int n = 0; n < count; ++n) {
    Node& node = nodes.emplace_back();
    node.customer = fmt::format("cliente-{}", n % 10);
    for (int s = 0; s < kSeriesPerNode; ++s) {
      node.labels.push_back(wire::remote_write::encode_labels(
          Labels::from({{"__name__", fmt::format("system_metric_{}_bytes_total", s / 4)},
                        {"customer_id", node.customer},
                        {"device", fmt::format("device-{}", s % 4)},
                        {"environment", "production"},
                        {"job", "vigia-agent"},
                        {"node_id", fmt::format("prod-node-{:05}", n)},
                        {"node_region", "us-east-1"}})));
      node.series.emplace_back(n, s);
    }
  }
  return nodes;
}

std::string next_body(Node& node, TimestampMs time_ms) {
  std::string message;
  for (std::size_t s = 0; s < node.series.size(); ++s) {
    wire::remote_write::append_sample(message, node.labels[s], {time_ms, node.series[s].next()});
  }
  return wire::remote_write::compress_request(message);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Of the process, after the allocator has given back what it can: all of its arenas count.
std::uint64_t resident_bytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t folder_bytes(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".sst") bytes += entry.file_size();
  }
  return bytes;
}

class Store {
 public:
  explicit Store(bool is_marking) {
    store_ = store::rocksdb::kv::open_rocksdb({folder_.path()}).value();
    cold_ = store::rocksdb::RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
    cold_->chunks().due_days()->set_marking(is_marking);
    stored_series_ = std::make_unique<heads::StoredSeries>(cold_->chunks(), *cold_);
    heads_ = std::make_unique<heads::HeadSet>(*stored_series_, clock_);
    IngesterSettings settings;
    settings.log_directory = folder_.path() + "/wal";
    ingester_ = Ingester::open(settings, {*heads_, cold_->chunks(), times_, clock_}).value();
  }
  void write(const std::string& customer, const std::string& body) {
    api::WriteBatch batch(cold_->catalog(), *cold_, CustomerId::parse(customer).value());
    CHECK(wire::remote_write::decode_request(body, {}, batch).has_value());
    CHECK(batch.resolve().has_value());
    IngestBatch accepted = batch.take();
    const std::size_t items = accepted.items();
    ingester_->write(std::move(accepted), [this, items](Result<heads::AppendCounts> counts) {
      CHECK(counts.has_value() && counts->stored == items);
      const std::lock_guard lock(mutex_);
      ++answered_;
      wake_.notify_one();
    });
    ++written_;
    std::unique_lock lock(mutex_);  // as many under way as a busy collector keeps
    wake_.wait(lock, [this] { return written_ - answered_ < 64; });
  }
  void drain() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return written_ == answered_; });
  }
  std::uint64_t head_bytes() const { return heads_->stats().memory_bytes; }
  void close() {
    ingester_->stop();
    CHECK(heads_->sweep({1, clock_.wall_ms(), true}).has_value());
    ingester_.reset();
    heads_.reset();
    stored_series_.reset();
  }
  // CPU seconds of the process for all days that are marked.
  double roll() {
    const double before = cpu_seconds();
    const auto book = rolling::RollupBook::open(*cold_->chunks().due_days(), {true, true, true});
    rolling::RollerSources sources;
    sources.now_ms = [] { return kStart + 9 * store::kDayMs; };
    sources.first_day = [] { return 0U; };
    rolling::RollerSettings settings;
    settings.pause_per_mark = Duration(0);
    rolling::Roller roller(*cold_, **book, std::move(sources), settings);
    while (roller.roll_round()) {
    }
    CHECK(roller.stats().days > 0 && roller.stats().failures == 0);
    return cpu_seconds() - before;
  }
  std::uint64_t rollup_bytes() {
    CHECK(store_->compact().has_value());
    using store::rocksdb::kv::Family;
    return store_->disk_bytes(Family::kRollup5m) + store_->disk_bytes(Family::kRollup1h) +
           store_->disk_bytes(Family::kRollup1d);
  }
  // Everything on disk, as it lies there in the end.
  std::uint64_t closed_bytes() {
    cold_.reset();
    CHECK(store_->compact().has_value());
    store_.reset();
    return folder_bytes(folder_.path());
  }

 private:
  TemporaryFolder folder_;
  SystemClock clock_;
  std::unique_ptr<store::rocksdb::kv::OrderedStore> store_;
  std::unique_ptr<store::rocksdb::RocksDbColdStore> cold_;
  std::unique_ptr<heads::StoredSeries> stored_series_;
  std::unique_ptr<heads::HeadSet> heads_;
  customers::RecordTimes times_;
  std::unique_ptr<Ingester> ingester_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::uint64_t written_ = 0;
  std::uint64_t answered_ = 0;
};

void host_metrics(benchmark::State& state) {
  const int node_count = static_cast<int>(state.range(0));
  const int steps = static_cast<int>(state.range(1));
  const bool is_marking = state.range(2) != 0;
  for (auto _ : state) {
    Store store(is_marking);
    double cpu = 0;
    double first_cpu = 0;  // of the step that makes the series
    const std::uint64_t memory_before = resident_bytes();
    auto nodes = std::make_unique<std::vector<Node>>(make_nodes(node_count));
    const std::uint64_t nodes_bytes = resident_bytes() - memory_before;
    for (int step = 0; step < steps; ++step) {
      std::vector<std::string> bodies;
      for (Node& node : *nodes) bodies.push_back(next_body(node, kStart + step * kStep));
      const double before = cpu_seconds();
      for (std::size_t n = 0; n < nodes->size(); ++n) store.write((*nodes)[n].customer, bodies[n]);
      store.drain();
      (step == 0 ? first_cpu : cpu) += cpu_seconds() - before;
    }
    const double series = static_cast<double>(node_count) * kSeriesPerNode;
    const double memory = static_cast<double>(resident_bytes() - memory_before - nodes_bytes);
    state.counters["samples_per_cpu_s"] = series * (steps - 1) / cpu;
    state.counters["new_series_per_cpu_s"] = series / first_cpu;
    state.counters["memory_per_series"] = memory / series;
    state.counters["head_books_per_series"] = static_cast<double>(store.head_bytes()) / series;
    store.close();
    if (is_marking) {
      state.counters["rolled_per_cpu_s"] = series * steps / store.roll();
      state.counters["rollups_per_sample"] =
          static_cast<double>(store.rollup_bytes()) / (series * steps);
    }
    state.counters["disk_per_sample"] =
        static_cast<double>(store.closed_bytes()) / (series * steps);
  }
}

BENCHMARK(host_metrics)
    ->ArgNames({"nodes", "steps", "marks"})
    ->Args({100, 1920, 0})  // 30,000 series, 8 hours
    ->Args({100, 1920, 1})
    ->Args({100, 60, 0})    // a quick look
    ->Args({100, 120, 0})   // 30,000 and
    ->Args({1000, 120, 0})  // 300,000 series, half an hour: what one more series costs
    ->Args({20, 1920, 0})   // 6,000 series, 8 hours: both of them in turns
    ->Args({20, 1920, 1})
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace vigia::storage::ingest
