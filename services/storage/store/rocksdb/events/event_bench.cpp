// Spans into the store, and found again. Reports spans per CPU-second of the whole process, bytes
// on disk per span once all is packed, and what searches take in the thread that answers.
//
// Data: what three services with four instances each send, made up by rule: traces of six spans
// (a gateway's, a shop's, a bank's), ten to fourteen attributes a span, of which four differ from
// span to span, one in a hundred fails with an event; 2,000 spans a second, in requests of 500 ms
// with a part for each instance. Fixed seed.
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
using wire::otlp::SpanField;

constexpr std::uint64_t kBeginNs = 1'764'043'200'000'000'000;
constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr int kServices = 3;
constexpr int kInstances = 4;
constexpr int kSpansPerTrace = 6;
constexpr int kSpansPerSecond = 2'000;

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
  // A request of half a second.
  std::string next_request() {
    std::vector<std::string> spans[kServices][kInstances];
    for (int i = 0; i < kSpansPerSecond / 2 / kSpansPerTrace; ++i) add_trace(spans);
    std::string body;
    pbf_writer request(body);
    for (int service = 0; service < kServices; ++service) {
      for (int instance = 0; instance < kInstances; ++instance) {
        add_group(request, service, instance, spans[service][instance]);
      }
    }
    now_ns_ += kSecondNs / 2;
    return body;
  }
  std::uint64_t spans() const { return spans_; }
  std::uint64_t now_ns() const { return now_ns_; }

 private:
  static constexpr const char* kNames[] = {"gateway", "shop", "bank"};

  void add_trace(std::vector<std::string> (&spans)[kServices][kInstances]) {
    const std::uint64_t id[2] = {random_(), random_()};
    const std::string trace(reinterpret_cast<const char*>(id), sizeof(id));
    const std::uint64_t begin = now_ns_ + random_() % (kSecondNs / 2);
    const bool fails = random_() % 100 == 0;
    std::string parent;
    for (int i = 0; i < kSpansPerTrace; ++i) {
      const int service = i / 2;
      const std::uint64_t duration = (500'000 + random_() % 20'000'000) >> i;
      spans[service][random_() % kInstances].push_back(
          span(trace, parent, i, begin + static_cast<std::uint64_t>(i) * 100'000, duration,
               fails && i >= 4));
      ++spans_;
    }
  }
  std::string span(const std::string& trace, std::string& parent, int depth, std::uint64_t start,
                   std::uint64_t duration, bool fails) {
    std::string bytes;
    pbf_writer message(bytes);
    const std::uint64_t id = random_();
    const std::string own(reinterpret_cast<const char*>(&id), sizeof(id));
    message.add_bytes(SpanField::kTraceId.number, trace);
    message.add_bytes(SpanField::kSpanId.number, own);
    if (!parent.empty()) message.add_bytes(SpanField::kParentSpanId.number, parent);
    parent = own;
    const auto route = random_() % 20;
    message.add_string(SpanField::kName.number,
                       fmt::format("{} /api/v1/thing-{}", depth % 2 == 0 ? "GET" : "POST", route));
    message.add_enum(SpanField::kKind.number, depth % 2 == 0 ? 2 : 3);
    message.add_fixed64(SpanField::kStartTime.number, start);
    message.add_fixed64(SpanField::kEndTime.number, start + duration);
    add_tags(message, depth, route, fails);
    return bytes;
  }
  void add_tags(pbf_writer& message, int depth, std::uint64_t route, bool fails) {
    const auto tag = [&](const std::string& key, const std::string& value) {
      add_attribute(message, SpanField::kAttributes.number, key, value);
    };
    tag("http.request.method", depth % 2 == 0 ? "GET" : "POST");
    tag("url.scheme", "https");
    tag("server.address", fmt::format("host-{}.example.net", random_() % kInstances));
    tag("server.port", "8443");
    tag("http.route", fmt::format("/api/v1/thing-{}", route));
    tag("network.protocol.version", "1.1");
    tag("user_agent.original", fmt::format("okhttp/4.{}", random_() % 10));
    tag("http.response.status_code", fails ? "500" : "200");
    tag("url.path", fmt::format("/api/v1/thing-{}/{}", route, random_() % 1'000'000));
    tag("client.port", fmt::to_string(random_() % 60'000));
    tag("thread.id", fmt::to_string(random_() % 64));
    tag("enduser.id", fmt::format("user-{}", random_() % 100'000));
    if (!fails) return;
    pbf_writer status(message, SpanField::kStatus.number);
    status.add_enum(3, 2);
  }
  static void add_group(pbf_writer& request, int service, int instance,
                        const std::vector<std::string>& spans) {
    pbf_writer group(request, 1);
    {
      pbf_writer resource(group, 1);
      const auto tag = [&](const std::string& key, const std::string& value) {
        add_attribute(resource, 1, key, value);
      };
      tag("customer.id", "cliente-a");
      tag("service.name", kNames[service]);
      tag("service.instance.id", fmt::format("{}-{}-5f7d8c", kNames[service], instance));
      tag("k8s.pod.name", fmt::format("{}-{}", kNames[service], instance));
      for (int i = 0; i < 8; ++i) tag(fmt::format("host.fact-{}", i), fmt::format("value-{}", i));
    }
    pbf_writer scope_group(group, 2);
    {
      pbf_writer scope(scope_group, 1);
      scope.add_string(1, "io.opentelemetry.okhttp-3.0");
      scope.add_string(2, "2.3.0");
    }
    for (const std::string& span : spans) scope_group.add_message(2, span);
  }

  std::mt19937_64 random_{42};
  std::uint64_t now_ns_ = kBeginNs;
  std::uint64_t spans_ = 0;
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

// Bodies are made outside of what is measured.
void span_intake(benchmark::State& state) {
  for (auto _ : state) {
    Store store;
    Load load;
    double cpu = 0;
    for (int i = 0; i < state.range(0) * 2; ++i) {
      const std::string body = load.next_request();
      const double begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
      CHECK(store.events().write(store.customer, Signal::kTraces, body).has_value());
      cpu += cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    }
    const auto spans = static_cast<double>(load.spans());
    const double begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    CHECK(store.rows().compact().has_value());
    const double packing = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    state.counters["spans/CPU-s"] = spans / cpu;
    state.counters["spans/CPU-s, packed"] = spans / (cpu + packing);
    state.counters["B/span"] =
        static_cast<double>(store.events().disk_bytes(Signal::kTraces)) / spans;
  }
}
BENCHMARK(span_intake)->Arg(300)->Iterations(1)->Unit(benchmark::kSecond);

// The first 20 traces of each question, the best of three, in the thread that asks.
void trace_search(benchmark::State& state) {
  Store store;
  Load load;
  for (int i = 0; i < state.range(0) * 2; ++i) {
    CHECK(store.events().write(store.customer, Signal::kTraces, load.next_request()).has_value());
  }
  CHECK(store.rows().compact().has_value());
  TraceQuery latest;
  latest.to_ns = UINT64_MAX;
  latest.service = "shop";
  TraceQuery failed = latest;
  failed.service = "bank";
  failed.tags = {{"error", "true"}};
  failed.shortest_ns = 500'000;
  TraceQuery user = latest;
  user.tags = {{"enduser.id", "user-7"}};
  TraceQuery nobody = latest;
  nobody.tags = {{"enduser.id", "nobody"}};
  const std::pair<const char*, TraceQuery*> questions[] = {
      {"latest", &latest}, {"failed and slow", &failed}, {"one user", &user}, {"nobody", &nobody}};
  for (auto _ : state) {
    for (const auto& [name, query] : questions) {
      double best = 1e9;
      std::size_t found = 0;
      query->traces_max = 20;
      for (int turn = 0; turn < 3; ++turn) {
        found = 0;
        const WorkLimit unlimited;
        const double begin = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        const auto end = store.events().find_traces(
            store.customer, *query, [&](const TracePlace&) { return ++found > 0; }, unlimited);
        best = std::min(best, cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - begin);
        CHECK(end.has_value());
      }
      state.counters[fmt::format("{}: {} (ms)", name, found)] = best * 1e3;
    }
  }
}
BENCHMARK(trace_search)->Arg(300)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
