// Log records into the store, and those of one stream read again. Reports records per CPU-second of
// the whole process, bytes on disk per record once all is packed, and what a query for one stream
// takes in the thread that answers.
//
// Data: what nodes with ten services each log, made up by rule: 2,000 records a second of all
// streams, in requests of a second with a part for each stream; a text of some 120 bytes, of which
// four words differ from record to record, and three attributes; times to the microsecond. Fixed
// seed.
#include <algorithm>
#include <ctime>
#include <random>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/check.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using protozero::pbf_writer;
using wire::otlp::LogRecordField;

constexpr std::uint64_t kBeginNs = 1'764'043'200'000'000'000;
constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr int kServices = 10;
constexpr int kRecordsPerSecond = 2'000;

double cpu_seconds(clockid_t clock) {
  timespec time{};
  CHECK(clock_gettime(clock, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void add_attribute(pbf_writer& message, std::uint32_t field, const std::string& key,
                   const std::string& value) {
  pbf_writer attribute(message, field);
  attribute.add_string(1, key);
  pbf_writer any(attribute, 2);
  any.add_string(1, value);
}

class Load {
 public:
  explicit Load(int streams) : streams_(streams) {}
  // A request of a second.
  std::string next_request() {
    std::vector<std::vector<std::string>> records(static_cast<std::size_t>(streams_));
    for (int i = 0; i < kRecordsPerSecond; ++i) {
      records[random_() % records.size()].push_back(record());
    }
    std::string body;
    pbf_writer request(body);
    for (std::size_t stream = 0; stream < records.size(); ++stream) {
      if (!records[stream].empty()) add_group(request, stream, records[stream]);
    }
    now_ns_ += kSecondNs;
    return body;
  }

 private:
  std::string record() {
    std::string bytes;
    pbf_writer message(bytes);
    const std::uint64_t time_ns = now_ns_ + random_() % 1'000'000 * 1'000;
    message.add_fixed64(LogRecordField::kTime.number, time_ns);
    message.add_fixed64(LogRecordField::kObservedTime.number, time_ns + random_() % 1'000'000);
    message.add_string(LogRecordField::kSeverityText.number, random_() % 20 == 0 ? "WARN" : "INFO");
    {
      pbf_writer body(message, LogRecordField::kBody.number);
      body.add_string(
          1, fmt::format("order {} of customer {} taken in {} ms, {} items, written to the ledger",
                         random_() % 10'000'000, random_() % 100'000, random_() % 900,
                         random_() % 30));
    }
    add_attribute(message, LogRecordField::kAttributes.number, "thread.name",
                  fmt::format("worker-{}", random_() % 64));
    add_attribute(message, LogRecordField::kAttributes.number, "logger", "net.example.orders");
    add_attribute(message, LogRecordField::kAttributes.number, "request.id",
                  fmt::format("{:016x}", random_()));
    return bytes;
  }
  static void add_group(pbf_writer& request, std::size_t stream,
                        const std::vector<std::string>& records) {
    pbf_writer group(request, 1);
    {
      pbf_writer resource(group, 1);
      const auto tag = [&](const std::string& key, const std::string& value) {
        add_attribute(resource, 1, key, value);
      };
      tag("customer.id", "cliente-a");
      tag("service.name", fmt::format("service-{}", stream % kServices));
      tag("node.id", fmt::format("node-{}", stream / kServices));
      tag("environment", "production");
      for (int i = 0; i < 6; ++i) tag(fmt::format("host.fact-{}", i), fmt::format("value-{}", i));
    }
    pbf_writer scope_group(group, 2);
    for (const std::string& record : records) scope_group.add_message(2, record);
  }

  const int streams_;
  std::mt19937_64 random_{42};
  std::uint64_t now_ns_ = kBeginNs;
};

class Store {
 public:
  EventStore& events() { return cold_->events(); }
  kv::OrderedStore& rows() { return *store_; }
  const CustomerId customer = CustomerId::parse("cliente-a").value();

 private:
  TemporaryFolder folder_;
  ManualClock clock_{static_cast<std::int64_t>(kBeginNs)};
  std::unique_ptr<kv::OrderedStore> store_ = kv::open_rocksdb({folder_.path()}).value();
  std::unique_ptr<RocksDbColdStore> cold_ =
      RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
};

// Seconds and streams. Bodies are made outside of what is measured.
void log_intake(benchmark::State& state) {
  for (auto _ : state) {
    Store store;
    Load load(static_cast<int>(state.range(1)));
    double cpu = 0;
    for (int i = 0; i < state.range(0); ++i) {
      const std::string body = load.next_request();
      const double begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
      CHECK(store.events().write(store.customer, Signal::kLogs, body).has_value());
      cpu += cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    }
    const auto records = static_cast<double>(state.range(0)) * kRecordsPerSecond;
    const double begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    CHECK(store.rows().compact().has_value());
    const double packing = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    state.counters["records/CPU-s"] = records / cpu;
    state.counters["records/CPU-s, packed"] = records / (cpu + packing);
    state.counters["B/record"] =
        static_cast<double>(store.events().disk_bytes(Signal::kLogs)) / records;
  }
}
BENCHMARK(log_intake)->Args({250, 1'000})->Args({250, 10})->Iterations(1)->Unit(benchmark::kSecond);

// All records of one stream of 1,000, the best of three, in the thread that asks.
void log_search(benchmark::State& state) {
  Store store;
  Load load(1'000);
  for (int i = 0; i < state.range(0); ++i) {
    CHECK(store.events().write(store.customer, Signal::kLogs, load.next_request()).has_value());
  }
  CHECK(store.rows().compact().has_value());
  const auto stream = compile_matchers({{MatchType::kEqual, "service_name", "service-7"},
                                        {MatchType::kEqual, "node_id", "node-42"}})
                          .value();
  for (auto _ : state) {
    for (const std::size_t records_max : {std::size_t{100}, SIZE_MAX}) {
      LogQuery query{0, UINT64_MAX, LogDirection::kBackward};
      query.stream = &stream;
      query.records_max = records_max;
      double best = 1e9;
      std::size_t found = 0;
      for (int turn = 0; turn < 3; ++turn) {
        found = 0;
        const WorkLimit unlimited;
        const double begin = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        const auto end = store.events().read_logs(
            store.customer, query, [&](const LogRecordView&) { return ++found > 0; }, unlimited);
        best = std::min(best, cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - begin);
        CHECK(end.has_value());
      }
      state.counters[fmt::format("last {} (ms)", found)] = best * 1e3;
    }
  }
}
BENCHMARK(log_search)->Arg(500)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
