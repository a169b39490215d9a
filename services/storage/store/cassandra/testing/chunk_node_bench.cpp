// How many closed chunks a cluster takes and how soon it gives them back: on the node that
// VIGIA_CASSANDRA names and those it knows of, VIGIA_COPIES (1) of each. Run it beside nothing
// else.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/random.hpp"
#include "services/storage/store/cassandra/cassandra_cold_store.hpp"
#include "services/storage/store/cassandra/chunk_block.hpp"
#include "services/storage/store/cassandra/schema.hpp"
#include "services/storage/store/cassandra/testing/node_fixture.hpp"

namespace vigia::storage::store::cassandra {
namespace {

// Today: what is over by now is marked twice, for roll-ups (due_days.hpp).
const TimestampMs kStart = SystemClock().wall_ms() / kDayMs * kDayMs;
constexpr std::size_t kChunkBytes = 300;  // two hours at 15 s of host metrics, some 1.2 B a sample
constexpr int kChunksADay = 12;
constexpr int kReads = 400;

/// How closed chunks come.
struct Shape {
  std::size_t chunks;     ///< in a put
  std::size_t metrics;    ///< over which these are spread
  std::size_t puts;       ///< in all; each day of a series is in kChunksADay that follow each other
  std::size_t under_way;  ///< puts
};
// heads::ClosedBlock as it comes from the open series; all of one metric; and what a hundred hosts
// with 500 metrics each close in ten minutes, which is put by one thread.
constexpr Shape kAsTheyCome{64, 64, 240, 8};
constexpr Shape kOneMetric{64, 1, 1200, 8};
constexpr Shape kGathered{8192, 512, 12, 1};

using Seconds = std::chrono::duration<double>;

double now_s() { return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Waits for a place among so many, and for the end of all.
class Gate {
 public:
  explicit Gate(std::size_t places) : places_(places) {}
  void enter() {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [this] { return under_way_ < places_; });
    ++under_way_;
  }
  void leave(const Result<void>& outcome) {
    CHECK(outcome.has_value());
    const std::lock_guard lock(mutex_);
    --under_way_;
    came_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [this] { return under_way_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  const std::size_t places_;
  std::size_t under_way_ = 0;
};

std::string metric_name(std::size_t number) { return fmt::format("metric_{}", number); }

ClosedChunk chunk_of(std::size_t metric, std::uint64_t series, int window, std::string data) {
  const TimestampMs first_ms = kStart + window * kChunkSpanMs;
  return {metric_name(metric),
          {{series},
           first_ms,
           first_ms + kChunkSpanMs - 1,
           kInOrder,
           Encoding::kFloats,
           std::move(data)},
          Resolution::kRaw};
}

/// Rows that a put makes of these chunks, and their bytes.
std::pair<std::size_t, std::size_t> blocks_of(const std::vector<ClosedChunk>& chunks) {
  std::map<std::string, std::vector<const ChunkRow*>> by_metric;
  for (const ClosedChunk& chunk : chunks) by_metric[chunk.metric].push_back(&chunk.row);
  std::size_t rows = 0;
  std::size_t bytes = 0;
  for (const auto& [metric, some] : by_metric) {
    for (const ChunkBlock& block : make_blocks(some)) {
      ++rows;
      bytes += block.data.size();
    }
  }
  return {rows, bytes};
}

/// Series are numbered from 1.
void write(ChunkStore& chunks, const CustomerId& customer, const Shape& shape) {
  std::mt19937_64 random(7);
  std::vector<std::vector<ClosedChunk>> all(shape.puts);
  std::size_t rows = 0;
  std::size_t bytes = 0;
  for (std::size_t put = 0; put < shape.puts; ++put) {
    for (std::size_t i = 0; i < shape.chunks; ++i) {
      std::string data(kChunkBytes, '\0');
      for (char& byte : data) byte = static_cast<char>(random());
      const std::uint64_t series = put / kChunksADay * shape.chunks + i + 1;
      all[put].push_back(chunk_of(i % shape.metrics, series, static_cast<int>(put % kChunksADay),
                                  std::move(data)));
    }
    const auto [more_rows, more_bytes] = blocks_of(all[put]);
    rows += more_rows;
    bytes += more_bytes;
  }
  Gate gate(shape.under_way);
  const double start = now_s();
  for (const auto& some : all) {
    gate.enter();
    chunks.put(customer, some, [&gate](const Result<void>& outcome) { gate.leave(outcome); });
  }
  gate.wait();
  const double took = now_s() - start;
  fmt::print(
      "write, {} chunks of {} metrics in a put: {:.0f} blocks/s of {} bytes, {:.0f} chunks/s\n",
      shape.chunks, shape.metrics, static_cast<double>(rows) / took, bytes / rows,
      static_cast<double>(shape.puts * shape.chunks) / took);
}

/// A day of so many series of one metric, again and again.
void read(ChunkStore& chunks, const CustomerId& customer, const Shape& shape, std::size_t count) {
  std::vector<double> took;
  std::size_t found = 0;
  for (int i = 0; i < kReads; ++i) {
    std::vector<SeriesKey> keys;
    for (std::size_t one = 0; one < count; ++one) {
      const std::size_t place = one * shape.metrics;  // of the first metric's
      keys.push_back(
          {metric_name(0), {place % shape.chunks + place / shape.chunks * shape.chunks + 1}});
    }
    const double start = now_s();
    const auto cursor = chunks.read(customer, keys, {kStart, kStart + kDayMs - 1});
    for (;;) {
      const auto rows = cursor->next();
      CHECK(rows.has_value());
      if (rows->empty()) break;
      found += rows->size();
    }
    took.push_back(now_s() - start);
  }
  std::sort(took.begin(), took.end());
  fmt::print("read, a day of {} series ({} chunks): p50 {:.1f} ms, p99 {:.1f} ms\n", count,
             found / kReads, took[kReads / 2] * 1e3, took[kReads * 99 / 100] * 1e3);
}

int run() {
  std::setvbuf(stdout, nullptr, _IOLBF,
               BUFSIZ);  // what is measured is said, whatever comes after it
  const auto session = connected();
  if (!session) {
    fmt::print(stderr, "VIGIA_CASSANDRA names no node\n");
    return 2;
  }
  const SystemClock clock;
  const char* const copies = std::getenv("VIGIA_COPIES");
  SchemaSettings schema;
  schema.keyspace = fresh_keyspace();
  schema.replication_factor = copies == nullptr ? 1 : static_cast<std::uint32_t>(std::atoi(copies));
  CHECK(migrate(*session, schema, 1, clock).has_value());
  ColdStoreSettings settings;
  settings.keyspace = schema.keyspace;
  settings.classes.fill(class_of("chunks", Duration()).value());
  settings.writer = random_u64() >> 1U;
  const auto store = CassandraColdStore::open(*session, settings, clock).value();
  char name = 'a';  // a customer each: partitions of their own
  for (const Shape& shape : {kAsTheyCome, kOneMetric, kGathered}) {
    const CustomerId customer = CustomerId::parse(fmt::format("cliente-{}", name++)).value();
    write(store->chunks(), customer, shape);
    read(store->chunks(), customer, shape, 1);
    if (shape.metrics == 1) read(store->chunks(), customer, shape, 64);
  }
  CHECK(session->run("DROP KEYSPACE " + schema.keyspace).has_value());
  return 0;
}

}  // namespace
}  // namespace vigia::storage::store::cassandra

int main() { return vigia::storage::store::cassandra::run(); }
