// How many spans and log records a cluster takes, what of it is this program's work, and how soon
// they are found: on the node that VIGIA_CASSANDRA names, VIGIA_COPIES (1) of each. Run it beside
// nothing else.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>

#include <fmt/format.h>
#include <sys/resource.h>

#include "libs/base/check.hpp"
#include "libs/base/random.hpp"
#include "services/storage/store/cassandra/cassandra_cold_store.hpp"
#include "services/storage/store/cassandra/schema.hpp"
#include "services/storage/store/cassandra/testing/node_fixture.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr TimestampNs kSecond = 1'000'000'000;
constexpr TimestampNs kStartNs = TimestampNs{20'000} * 86'400 * kSecond;
constexpr int kWriters = 4;
constexpr int kTraces = 20'000;
constexpr int kTracesARequest = 25;
constexpr int kSpansATrace = 2;
constexpr int kServices = 10;
constexpr int kRecords = 40'000;
constexpr int kRecordsARequest = 100;
constexpr int kStreams = 100;
constexpr int kSearches = 200;

double now_s() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_s() {
  rusage used{};
  CHECK(getrusage(RUSAGE_SELF, &used) == 0);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

const CustomerId kCustomer = CustomerId::parse("cliente-a").value();

std::string id_of(int number) { return fmt::format("{:016}", number); }

// 25 traces of one service, with what a span of an HTTP server says.
std::string spans_of(int request) {
  std::vector<std::string> spans;
  for (int i = 0; i < kTracesARequest; ++i) {
    const int trace = request * kTracesARequest + i;
    for (int span = 0; span < kSpansATrace; ++span) {
      SpanSaid said;
      said.name = fmt::format("GET /articles/{}", trace % 20);
      said.duration_ns = static_cast<std::uint64_t>(trace % 997) * 100'000;
      said.kind = 2;
      said.tags = {{"http.request.method", "GET"},
                   {"url.path", fmt::format("/articles/{}", trace)},
                   {"http.response.status_code", trace % 101 == 0 ? "500" : "200"},
                   {"server.address", "shop.example"},
                   {"user.id", fmt::format("{}", trace % 5'000)}};
      const TimestampNs time_ns = kStartNs + static_cast<TimestampNs>(trace) * kSecond / 50 +
                                  static_cast<TimestampNs>(span);
      spans.push_back(span_of(id_of(trace), static_cast<char>('1' + span), time_ns, said));
    }
  }
  return export_of(kCustomer.text(), spans,
                   {{"service.name", fmt::format("service-{}", request % kServices)}});
}

std::string records_of(int request) {
  std::vector<std::string> records;
  for (int i = 0; i < kRecordsARequest; ++i) {
    const int number = request * kRecordsARequest + i;
    const TimestampNs time_ns = kStartNs + static_cast<TimestampNs>(number) * kSecond / 200;
    records.push_back(
        log_record_of(time_ns, fmt::format("GET /articles/{} answered 200 in 12 ms", number)));
  }
  return export_of(kCustomer.text(), records,
                   {{"service.name", fmt::format("service-{}", request % kStreams)}});
}

template <typename Body>
void write(EventStore& events, Signal signal, int requests, int items, const Body& body_of) {
  std::vector<std::string> bodies;
  for (int request = 0; request < requests; ++request) bodies.push_back(body_of(request));
  const double began = now_s();
  const double cpu = cpu_s();
  std::vector<std::future<void>> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.push_back(std::async(std::launch::async, [&, writer] {
      for (int request = writer; request < requests; request += kWriters) {
        const auto counts =
            events.write(kCustomer, signal, bodies[static_cast<std::size_t>(request)]);
        CHECK(counts.has_value() && counts->stored > 0);
      }
    }));
  }
  for (std::future<void>& writer : writers) writer.get();
  const double took = now_s() - began;
  fmt::print("{}: {:.0f}/s, {:.1f} us of CPU each\n", to_string(signal), items / took,
             (cpu_s() - cpu) / items * 1e6);
}

template <typename Ask>
void time(std::string_view what, const Ask& ask) {
  std::vector<double> took;
  std::size_t found = 0;
  for (int i = 0; i < kSearches; ++i) {
    const double began = now_s();
    found += ask(i);
    took.push_back(now_s() - began);
  }
  std::sort(took.begin(), took.end());
  fmt::print("{}: p50 {:.1f} ms, p99 {:.1f} ms, {} found each\n", what, took[kSearches / 2] * 1e3,
             took[kSearches * 99 / 100] * 1e3, found / kSearches);
}

std::size_t search(EventStore& events, TraceQuery query) {
  std::size_t found = 0;
  query.to_ns = UINT64_MAX;
  query.traces_max = 20;
  const WorkLimit unlimited;
  const auto end = events.find_traces(
      kCustomer, query, [&](const TracePlace&) { return ++found > 0; }, unlimited);
  return end ? found : 0;
}

std::size_t records(EventStore& events, const std::string& service) {
  const auto matchers = compile_matchers({{MatchType::kEqual, "service_name", service}}).value();
  LogQuery query{0, UINT64_MAX, LogDirection::kBackward};
  query.stream = &matchers;
  query.records_max = 100;
  std::size_t found = 0;
  const WorkLimit unlimited;
  const auto visit = [&](const LogRecordView&) { return ++found > 0; };
  CHECK(events.read_logs(kCustomer, query, visit, unlimited).has_value());
  return found;
}

void run() {
  std::setvbuf(stdout, nullptr, _IOLBF,
               BUFSIZ);  // what is measured is said, whatever comes after it
  const auto session = connected();
  CHECK(session != nullptr);  // VIGIA_CASSANDRA names no node
  SchemaSettings schema;
  schema.keyspace = fresh_keyspace();
  const char* const copies = std::getenv("VIGIA_COPIES");
  schema.replication_factor = copies == nullptr ? 1 : std::stoi(copies);
  const SystemClock clock;
  CHECK(migrate(*session, schema, 1, clock).has_value());
  ColdStoreSettings settings;
  settings.keyspace = schema.keyspace;
  settings.classes.fill(class_of("chunks", Duration()).value());
  const auto store = CassandraColdStore::open(*session, settings, clock).value();
  EventStore& events = store->events();
  write(events, Signal::kTraces, kTraces / kTracesARequest, kTraces * kSpansATrace, spans_of);
  write(events, Signal::kLogs, kRecords / kRecordsARequest, kRecords, records_of);
  const auto service = [](int i) { return fmt::format("service-{}", i % kServices); };
  time("newest 20 traces of a service", [&](int i) {
    TraceQuery query;
    query.service = service(i);
    return search(events, query);
  });
  time("newest 20 of an operation that failed", [&](int i) {
    TraceQuery query;
    query.service = service(i);
    query.tags = {{"http.response.status_code", "500"}};
    return search(events, query);
  });
  time("last 100 records of one of 100 streams",
       [&](int i) { return records(events, fmt::format("service-{}", i % kStreams)); });
  CHECK(session->run("DROP KEYSPACE " + schema.keyspace).has_value());
}

}  // namespace
}  // namespace vigia::storage::store::cassandra

int main() {
  vigia::storage::store::cassandra::run();
  return 0;
}
