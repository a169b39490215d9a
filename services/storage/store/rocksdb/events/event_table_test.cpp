#include "services/storage/store/rocksdb/events/event_table.hpp"

#include <atomic>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "services/storage/api/event_api.hpp"
#include "services/storage/api/otlp_api.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/event_writer.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"
#include "services/storage/testing/temporary_folder.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using protozero::pbf_writer;
using testing::HasSubstr;
using testing::Not;

constexpr TimestampNs kNowNs = 1'764'043'200'000'000'000;  // four in the morning
constexpr TimestampNs kSecondNs = 1'000'000'000;
constexpr TimestampNs kDayNs = 86'400 * kSecondNs;
const std::string kTrace(16, '\x0a');
constexpr std::string_view kTraceHex = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

void add_attribute(pbf_writer& message, std::uint32_t number, const std::string& key,
                   const std::string& value) {
  pbf_writer attribute(message, number);
  attribute.add_string(1, key);
  pbf_writer any(attribute, 2);
  any.add_string(1, value);
}

// One resource of the customer ("" names none) with one scope and the items.
std::string request_of(const std::string& customer, const std::vector<std::string>& items,
                       const std::string& note = "") {
  std::string body;
  pbf_writer request(body);
  pbf_writer resource_items(request, 1);
  {
    pbf_writer resource(resource_items, 1);
    if (!customer.empty()) add_attribute(resource, 1, "customer.id", customer);
    add_attribute(resource, 1, "service.name", "shop");
    if (!note.empty()) add_attribute(resource, 1, "note", note);
  }
  pbf_writer scope_items(resource_items, 2);
  for (const std::string& item : items) scope_items.add_message(2, item);
  return body;
}

std::string span(char id, const std::string& name, TimestampNs start_ns = kNowNs) {
  std::string bytes;
  pbf_writer message(bytes);
  message.add_bytes(1, kTrace);
  message.add_bytes(2, std::string(8, id));
  message.add_string(5, name);
  message.add_enum(6, 2);
  message.add_fixed64(7, start_ns);
  message.add_fixed64(8, start_ns + 2'000'000);
  add_attribute(message, 9, "http.route", "/\"x\"");
  return bytes;
}

std::string log_record(TimestampNs time_ns, const std::string& text) {
  std::string bytes;
  pbf_writer message(bytes);
  message.add_fixed64(1, time_ns);
  message.add_string(3, "WARN");
  pbf_writer any(message, 5);
  any.add_string(1, text);
  return bytes;
}

net::Request post(const std::string& customer, std::string body) {
  net::Request request;
  request.method = "POST";
  request.headers.add("content-type", "application/x-protobuf");
  if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
  request.body = std::move(body);
  return request;
}

class EventTableTest : public testing::Test {
 protected:
  EventTableTest() { open(); }
  void open() {
    store_ = kv::open_rocksdb({folder_.path()}).value();
    cold_ = RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
    index_ = &cold_->index();
    spans_ = &cold_->items_of(Signal::kTraces);
    logs_ = &cold_->items_of(Signal::kLogs);
  }
  void reopen() {
    cold_.reset();
    store_.reset();
    open();
  }
  static EventCounts written(EventTable& events, index::SeriesIndex& index,
                             const std::string& customer, const std::string& body) {
    const CustomerId id = CustomerId::parse(customer).value();
    return events.write(id, index.number_of(id).value(), body).value();
  }
  // Of all rows of a family.
  std::size_t value_bytes(kv::Family family) {
    std::size_t bytes = 0;
    const auto scan = store_->scan(family, "", "");
    while (scan->next()) bytes += scan->value().size();
    return bytes;
  }
  net::Response get_trace(const std::string& customer, std::string_view id) {
    net::Request request;
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    return api::EventApi(cold_->events(), cold_->catalog(), answers_).trace(request, id);
  }
  std::string get_logs(const std::string& customer, std::string_view query) {
    net::Request request;
    request.method = "GET";
    request.query = query;
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    return api::EventApi(cold_->events(), cold_->catalog(), answers_).logs(request).body;
  }

  TemporaryFolder folder_;
  ManualClock clock_{static_cast<std::int64_t>(kNowNs)};
  std::unique_ptr<kv::OrderedStore> store_;
  std::unique_ptr<RocksDbColdStore> cold_;
  index::SeriesIndex* index_ = nullptr;
  EventTable* spans_ = nullptr;
  EventTable* logs_ = nullptr;
  lanes::CustomerShares answers_{"answers under way", 512U << 20U};
};

TEST_F(EventTableTest, ATraceIsReadBackByItsIdBehindTheFence) {
  const auto body = request_of("cliente-a", {span(1, "root"), span(2, "child", kNowNs + 5)});
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", body).stored, 2U);
  reopen();
  const net::Response own = get_trace("cliente-a", kTraceHex);
  EXPECT_EQ(own.status, 200);
  EXPECT_THAT(own.body, HasSubstr(R"("operationName":"root")"));
  EXPECT_THAT(own.body, HasSubstr(R"("operationName":"child")"));
  EXPECT_THAT(own.body, HasSubstr(R"("serviceName":"shop")"));
  EXPECT_THAT(own.body, HasSubstr(R"({"key":"http.route","type":"string","value":"/\"x\""})"));
  EXPECT_THAT(own.body, HasSubstr(R"("startTime":1764043200000000,"duration":2000)"));
  EXPECT_EQ(get_trace("cliente-b", kTraceHex).status, 404);
  EXPECT_EQ(get_trace("", kTraceHex).status, 200);
  EXPECT_EQ(get_trace("cliente-a", "abc").status, 404);
  EXPECT_EQ(get_trace("cliente-a", "xyz").status, 400);
}

// D30: a service without a name cannot be chosen.
TEST_F(EventTableTest, ASpanWithoutAServiceIsOfAnUnknownOne) {
  auto body = request_of("cliente-a", {span(1, "root")});
  body.replace(body.find("service.name"), 12, "service.nome");
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", body).stored, 1U);
  EXPECT_THAT(get_trace("cliente-a", kTraceHex).body,
              HasSubstr(R"("serviceName":"unknown_service")"));
}

// D2, as an older collector took it: what it would become is reckoned before it is made.
TEST_F(EventTableTest, ASpanOfLittleElseThanEmptyLinksIsLeftOutAndSaid) {
  std::string links = span(2, "links");
  pbf_writer message(links);
  for (int i = 0; i < 1'000'000; ++i) message.add_message(13, std::string());
  written(*spans_, *index_, "cliente-a", request_of("cliente-a", {span(1, "root"), links}));
  const net::Response trace = get_trace("cliente-a", kTraceHex);
  EXPECT_EQ(trace.status, 200);
  EXPECT_LT(trace.body.size(), 2'000U);
  EXPECT_THAT(trace.body, HasSubstr(R"("operationName":"root")"));
  EXPECT_THAT(trace.body, HasSubstr("more spans than are shown"));
  EXPECT_LT(answers_.taken(), 1U << 20U);
}

// Nobody can ask for less of a trace.
TEST_F(EventTableTest, ATraceBeyondTheShareOfOneAnswerIsCutAndSaid) {
  for (char id = 1; id <= 20; ++id) {
    const auto body = request_of("cliente-a", {span(id, std::string(250'000, 'x'))});
    written(*spans_, *index_, "cliente-a", body);
  }
  lanes::CustomerShares answers{"answers under way", 8U << 20U};
  const api::EventApi api(cold_->events(), cold_->catalog(), answers);
  net::Request request;
  request.headers.add("x-vigia-customer", "cliente-a");
  const net::Response cut = api.trace(request, kTraceHex);
  EXPECT_EQ(cut.status, 200);
  EXPECT_GT(cut.body.size(), 1'500'000U);
  EXPECT_LT(cut.body.size(), 2U << 20U);
  EXPECT_THAT(cut.body, HasSubstr("more spans than are shown"));
  EXPECT_LE(answers.taken(), (4U << 20U));
}

TEST_F(EventTableTest, TheSameRequestAgainStoresNothing) {
  const auto spans = request_of("cliente-a", {span(1, "root"), span(2, "child")});
  written(*spans_, *index_, "cliente-a", spans);
  const EventCounts again = written(*spans_, *index_, "cliente-a", spans);
  EXPECT_EQ(again.stored, 0U);
  EXPECT_EQ(again.repeats, 2U);
  // Two equal lines in one request are two lines.
  const auto lines = request_of("cliente-a", {log_record(kNowNs, "a"), log_record(kNowNs, "a")});
  EXPECT_EQ(written(*logs_, *index_, "cliente-a", lines).stored, 2U);
  EXPECT_EQ(written(*logs_, *index_, "cliente-a", lines).repeats, 2U);
}

TEST_F(EventTableTest, AForeignOrNamelessResourceIsRefused) {
  for (const char* named : {"cliente-b", ""}) {
    const EventCounts counts =
        written(*spans_, *index_, "cliente-a", request_of(named, {span(1, "x")}));
    EXPECT_EQ(counts.refused, 1U);
    EXPECT_EQ(counts.stored, 0U);
  }
  EXPECT_EQ(get_trace("", kTraceHex).status, 404);
}

TEST_F(EventTableTest, LogRecordsAreReadByTimeAndLabels) {
  written(*logs_, *index_, "cliente-a",
          request_of("cliente-a", {log_record(kNowNs, "first"), log_record(kNowNs + 5, "second"),
                                   log_record(kNowNs + 9'000'000'000, "later")}));
  written(*logs_, *index_, "cliente-b", request_of("cliente-b", {log_record(kNowNs, "foreign")}));
  const std::string found = get_logs("cliente-a", "start=1764043200&end=1764043201");
  EXPECT_THAT(found, HasSubstr("first"));
  EXPECT_THAT(found, HasSubstr("second"));
  EXPECT_THAT(found, Not(HasSubstr("later")));
  EXPECT_THAT(found, Not(HasSubstr("foreign")));
  const std::string range = "start=1764043200&end=1764043210";
  EXPECT_THAT(get_logs("cliente-a", range + "&matcher=service_name%3Dshop"), HasSubstr("later"));
  EXPECT_THAT(get_logs("cliente-a", range + "&matcher=service_name%3Dother"),
              HasSubstr(R"("data":[])"));
  EXPECT_THAT(get_logs("cliente-a", range + "&limit=1"), Not(HasSubstr("second")));
  EXPECT_THAT(get_logs("cliente-a", "limit=1"), HasSubstr("start and end are required"));
}

TEST_F(EventTableTest, WhatHasNoTimeOrAFarOneIsFiledUnderToday) {
  const auto body = request_of("cliente-a", {span(1, "none", 0), span(2, "far", kNowNs * 2)});
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", body).stored, 2U);
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", body).repeats, 2U);
  const auto now_ms = static_cast<TimestampMs>(kNowNs / 1'000'000);
  EXPECT_EQ(spans_->expire(now_ms).value(), 0U);
  EXPECT_EQ(get_trace("cliente-a", kTraceHex).status, 200);
  EXPECT_EQ(spans_->expire(now_ms + kDayMs).value(), 1U);
  EXPECT_EQ(get_trace("cliente-a", kTraceHex).status, 404);
}

// Its sender repeats a request whose answer was lost, maybe days later.
// It was the customer's newest for ever: what came after it was filed under the year 2554, where
// nothing expires.
TEST_F(EventTableTest, ATimeFarAheadMovesNoOtherRecord) {
  customers::RecordTimes times;
  logs_->use_record_times(times);
  const auto now_ms = static_cast<TimestampMs>(kNowNs / event_key::kNsPerMs);
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", {log_record(UINT64_MAX, "far")}));
  for (TimestampNs day = 1; day < 100; ++day) {  // nor step by step
    const std::string record = log_record(kNowNs + day * kDayNs, "step");
    written(*logs_, *index_, "cliente-a", request_of("cliente-a", {record}));
    EXPECT_LE(times.latest_ms(clock_), now_ms + customers::RecordTimes::kClaimedAheadMs);
  }
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", {log_record(0, "timeless")}));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", {log_record(kNowNs, "now")}));
  EXPECT_EQ(logs_->expire(now_ms + 4 * kDayMs).value(),
            3U);  // today and two after it: all there is
  EXPECT_THAT(get_logs("cliente-a", "start=0&end=18446744073"), HasSubstr("\"data\":[]"));
}

// The clock of this machine is behind, and the samples say so.
TEST_F(EventTableTest, TimesThatSamplesBearOutCount) {
  customers::RecordTimes times;
  logs_->use_record_times(times);
  const auto now_ms = static_cast<TimestampMs>(kNowNs / event_key::kNsPerMs);
  times.note({7}, now_ms + 40 * kDayMs);
  const std::string record = log_record(kNowNs + 40 * kDayNs, "true");
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", {record}));
  EXPECT_EQ(times.median_ms(), now_ms + 40 * kDayMs);
  EXPECT_EQ(logs_->expire(now_ms + 30 * kDayMs).value(), 0U);
}

TEST_F(EventTableTest, ARepeatOnAnotherDayStoresNothing) {
  const TimestampNs tomorrow = kNowNs + 26 * 3'600 * kSecondNs;
  const auto spans = request_of(
      "cliente-a", {span(1, "none", 0), span(2, "far", kNowNs * 2), span(3, "soon", tomorrow)});
  const auto lines = request_of(
      "cliente-a", {log_record(0, "a"), log_record(0, "a"), log_record(tomorrow, "soon")});
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", spans).stored, 3U);
  EXPECT_EQ(written(*logs_, *index_, "cliente-a", lines).stored, 3U);
  for (const int hours : {3, 18}) {  // the second crosses midnight
    clock_.advance(std::chrono::hours(hours));
    EXPECT_EQ(written(*spans_, *index_, "cliente-a", spans).repeats, 3U) << hours;
    EXPECT_EQ(written(*logs_, *index_, "cliente-a", lines).repeats, 3U) << hours;
  }
  // One more than before of equal records is new; so is what another customer sends.
  const auto three =
      request_of("cliente-a", {log_record(0, "a"), log_record(0, "a"), log_record(0, "a")});
  EXPECT_EQ(written(*logs_, *index_, "cliente-a", three).stored, 1U);
  EXPECT_EQ(
      written(*logs_, *index_, "cliente-b", request_of("cliente-b", {log_record(0, "a")})).stored,
      1U);
}

// B4: a resource of 1 MiB over many spans took 4.5 MiB of memory and 1 MiB of disk a span.
TEST_F(EventTableTest, AResourceIsStoredOnceHoweverManyItemsHaveIt) {
  const std::string note(1U << 20U, 'n');
  std::vector<std::string> spans;
  for (std::size_t i = 0; i < 3'000; ++i) {  // claiming a day each: the customer chooses the times
    spans.push_back(span(static_cast<char>(1 + i % 200), "s" + std::to_string(i),
                         kNowNs - i * 24 * 3'600 * kSecondNs));
  }
  const auto body = request_of("cliente-a", spans, note);
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", body).stored, 3'000U);
  EXPECT_LT(value_bytes(kv::Family::kSpans), 2 * note.size());
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", body).repeats, 3'000U);
  EXPECT_LT(value_bytes(kv::Family::kSpans), 2 * note.size());
  reopen();
  const net::Response trace = get_trace("cliente-a", kTraceHex);
  EXPECT_EQ(trace.status, 200);
  EXPECT_THAT(trace.body, HasSubstr(note));
  EXPECT_THAT(trace.body, HasSubstr(R"("operationName":"s2999")"));
}

// One row holds the resource of all items of a day: with it they were all left out.
TEST_F(EventTableTest, ADamagedOriginIsReadFromItsCopy) {
  const std::string span_body = request_of("cliente-a", {span('\1', "a")});
  const std::string log_body = request_of("cliente-a", {log_record(kNowNs, "line")});
  written(*spans_, *index_, "cliente-a", span_body);
  written(*logs_, *index_, "cliente-a", log_body);
  const std::string day = kv::day_key(event_key::day_of_ns(kNowNs));
  for (const kv::Family family : {kv::Family::kSpans, kv::Family::kLogs}) {
    const std::string origins = day + std::string(4, '\0');
    const auto scan = store_->scan(family, origins, kv::after_prefix(origins));
    std::vector<kv::KeyValue> gone;
    while (scan->next()) {
      const std::string key(scan->key());
      const auto copy =
          store_->get(kv::Family::kIdentity, "o" + std::string(1, static_cast<char>(family)) + key);
      ASSERT_TRUE(copy->has_value());
      EXPECT_EQ(**copy, scan->value());
      gone.push_back({family, key, "", true});
    }
    ASSERT_EQ(gone.size(), 2U);  // resource and scope
    ASSERT_TRUE(store_->put(gone, kv::Durability::kNow));
  }
  reopen();
  EXPECT_THAT(get_trace("cliente-a", kTraceHex).body, HasSubstr("shop"));
  EXPECT_THAT(get_logs("cliente-a", "start=1764043100&end=1764043300&matcher=service_name%3Dshop"),
              HasSubstr("line"));
  EXPECT_EQ(spans_->damaged_items() + logs_->damaged_items(), 0U);
  ASSERT_TRUE(logs_->expire(static_cast<TimestampMs>(kNowNs / 1'000'000) + 10 * kDayMs).value() >
              0);
  ASSERT_TRUE(spans_->expire(static_cast<TimestampMs>(kNowNs / 1'000'000) + 10 * kDayMs).value() >
              0);
  const auto left = store_->scan(kv::Family::kIdentity, "o", "p");
  EXPECT_FALSE(left->next());
}

TEST_F(EventTableTest, AResourceLivesAsLongAsItsLastItem) {
  const TimestampNs tonight = kNowNs + 20 * 3'600 * kSecondNs + 1;  // on the next day
  written(*logs_, *index_, "cliente-a",
          request_of("cliente-a", {log_record(kNowNs, "now"), log_record(tonight, "tonight")}));
  const auto now_ms = static_cast<TimestampMs>(kNowNs / 1'000'000);
  EXPECT_EQ(logs_->expire(now_ms + kDayMs).value(), 1U);
  EXPECT_THAT(get_logs("cliente-a", "start=1764043200&end=1764143200&matcher=service_name%3Dshop"),
              AllOf(HasSubstr("tonight"), Not(HasSubstr(R"("body":"now")"))));
  EXPECT_EQ(logs_->expire(now_ms + 2 * kDayMs).value(), 1U);
  EXPECT_EQ(value_bytes(kv::Family::kLogs), 0U);
}

TEST_F(EventTableTest, RecordsOfOneTimeKeepTheOrderInWhichTheyCame) {
  std::vector<std::string> lines;
  for (int i = 0; i < 50; ++i) lines.push_back(log_record(kNowNs, fmt::format("line {:02}", i)));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  clock_.advance(std::chrono::seconds(1));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", {log_record(kNowNs, "line 50")}));
  const std::string found = get_logs("cliente-a", "start=1764043200&end=1764043201");
  std::size_t at = 0;
  for (int i = 0; i <= 50; ++i) {
    const std::size_t next = found.find(fmt::format("line {:02}", i));
    ASSERT_NE(next, std::string::npos) << i;
    EXPECT_GT(next, at) << i;
    at = next;
  }
}

TEST_F(EventTableTest, AnAnswerIsBoundedHoweverLargeTheResourceOfItsRecords) {
  const std::string note(1U << 20U, 'n');
  std::vector<std::string> lines;
  for (int i = 0; i < 80; ++i) lines.push_back(log_record(kNowNs, std::to_string(i)));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines, note));
  EXPECT_THAT(get_logs("cliente-a", "start=1764043200&end=1764043201"), HasSubstr("pass 64 MiB"));
  EXPECT_THAT(get_logs("cliente-a", "start=1764043200&end=1764043201&limit=3"),
              HasSubstr(R"("status":"success")"));
}

// 20,700 spans a day apart made as many days, through which every customer's traces were looked
// for.
TEST_F(EventTableTest, WhatIsOlderThanItsRetentionIsTakenAndMakesNoDay) {
  const TimestampMs now_ms = static_cast<TimestampMs>(kNowNs / 1'000'000);
  logs_->use_oldest([=] { return now_ms - 30 * kDayMs; });
  std::vector<std::string> lines;
  for (TimestampNs day = 0; day < 60; ++day) {
    lines.push_back(log_record(kNowNs - day * kDayNs, "aged " + std::to_string(day)));
  }
  lines.push_back(log_record(0, "without a time"));
  const EventCounts counts = written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  EXPECT_EQ(counts.stored, 32U);
  EXPECT_EQ(counts.expired, 29U);
  kv::DaySet days(*store_, kv::Family::kLogs);
  ASSERT_TRUE(days.load());
  EXPECT_EQ(days.between(0, UINT32_MAX).size(), 31U);
}

// A damaged row made its customer's answers errors as long as it lay in their range.
TEST_F(EventTableTest, ADamagedRowCostsItsRecordAlone) {
  std::vector<std::string> lines;
  for (int i = 0; i < 6; ++i) lines.push_back(log_record(kNowNs + i, "line" + std::to_string(i)));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  std::vector<kv::KeyValue> damaged;
  const auto scan = store_->scan(kv::Family::kLogs, "", "");
  while (scan->next()) {
    std::string value(scan->value());
    for (const int line : {1, 3}) {
      const std::size_t at = value.find("line" + std::to_string(line));
      if (at == std::string::npos) continue;
      // The row itself, and the record in it: a text that is longer than what holds it.
      damaged.push_back({kv::Family::kLogs, std::string(scan->key()),
                         line == 1 ? "\x02" : value.replace(at - 1, 1, 1, '\x7f')});
    }
  }
  ASSERT_EQ(damaged.size(), 2U);
  ASSERT_TRUE(store_->put(damaged, kv::Durability::kNow));
  const std::string found = get_logs("cliente-a", "start=1764043200&end=1764043201");
  for (const int line : {0, 2, 4, 5}) EXPECT_THAT(found, HasSubstr("line" + std::to_string(line)));
  EXPECT_EQ(logs_->damaged_items(), 2U);
}

TEST_F(EventTableTest, MoreLogRecordsThanTheLimitAreToldOf) {
  const std::vector<std::string> lines = {log_record(kNowNs, "one"), log_record(kNowNs + 1, "two")};
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  const std::string range = "start=1764043200&end=1764043201";
  EXPECT_THAT(get_logs("cliente-a", range + "&limit=1"),
              HasSubstr(R"("warnings":["results truncated due to limit"])"));
  EXPECT_THAT(get_logs("cliente-a", range + "&limit=2"), Not(HasSubstr("warnings")));
}

// A record of control letters grows by six in JSON; alone it made the others unreadable.
// Each look at it is a second.
class SteppingClock final : public Clock {
 public:
  TimePoint steady() const override { return TimePoint() + std::chrono::seconds(++seconds_); }
  std::int64_t wall_ns() const override { return static_cast<std::int64_t>(kNowNs); }

 private:
  mutable std::atomic<int> seconds_{0};
};

// A search over two years of logs had no end, and held a reader's thread.
TEST_F(EventTableTest, ASearchThatTakesTooLongGivesWhatItHasAndSaysSo) {
  std::vector<std::string> records;
  for (TimestampNs i = 0; i < 100; ++i) {
    records.push_back(log_record(kNowNs + i * kSecondNs, fmt::format("line {:03}", i)));
  }
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", records));
  net::Request request;
  request.headers.add("x-vigia-customer", "cliente-a");
  request.query = "start=1764043200&end=1764043300";
  const api::EventApi api(cold_->events(), cold_->catalog(), answers_);
  const SteppingClock clock;
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  const net::Response cut = api.logs(request, {clock, std::chrono::seconds(20), gone});
  EXPECT_EQ(cut.status, 200);
  EXPECT_THAT(cut.body, HasSubstr("line 000"));
  EXPECT_THAT(cut.body, Not(HasSubstr("line 050")));
  EXPECT_THAT(cut.body, HasSubstr("the search was ended"));
  // One that finds nothing on its way ends, too, and whoever is gone is worked for no more.
  request.query += "&matcher=severity%3Dnone";
  EXPECT_THAT(api.logs(request, {clock, std::chrono::seconds(20), gone}).body,
              HasSubstr("the search was ended"));
  *gone = true;
  EXPECT_THAT(api.logs(request, {clock_, std::chrono::hours(1), gone}).body,
              HasSubstr("the search was ended"));
  EXPECT_THAT(api.logs(request, {}).body, HasSubstr(R"("data":[]})"));
}

// While rows of damaged files are written anew, answers lacked them and did not say so.
TEST_F(EventTableTest, AnswersThatMayBeIncompleteSaySo) {
  written(*spans_, *index_, "cliente-a", request_of("cliente-a", {span('a', "GET")}));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", {log_record(kNowNs, "line")}));
  std::uint64_t unsaved = 1;
  const api::AnswerGaps gaps([&] { return unsaved; });
  const api::EventApi api(cold_->events(), cold_->catalog(), answers_, gaps);
  net::Request request;
  request.headers.add("x-vigia-customer", "cliente-a");
  request.query = "start=1764043200&end=1764043300";
  EXPECT_THAT(api.logs(request).body, HasSubstr(R"("warnings":["the answer may be incomplete)"));
  EXPECT_THAT(api.trace(request, kTraceHex).body, HasSubstr(R"("warnings":["the answer may be)"));
  EXPECT_EQ(api.trace(request, "0b").status, 503);
  net::Response marked;
  gaps.mark(marked);
  EXPECT_EQ(marked.headers.count(api::kIncompleteHeader), 1U);
  unsaved = 0;
  EXPECT_THAT(api.logs(request).body, Not(HasSubstr("warnings")));
  EXPECT_THAT(api.trace(request, kTraceHex).body, HasSubstr(R"("warnings":null}])"));
  EXPECT_EQ(api.trace(request, "0b").status, 404);
}

TEST_F(EventTableTest, ATraceThatTakesTooLongToFindIsNotSaidNotToBe) {
  written(*spans_, *index_, "cliente-a", request_of("cliente-a", {span('a', "GET")}));
  net::Request request;
  request.headers.add("x-vigia-customer", "cliente-a");
  const api::EventApi api(cold_->events(), cold_->catalog(), answers_);
  const SteppingClock clock;
  EXPECT_EQ(api.trace(request, kTraceHex, {clock, std::chrono::seconds(1), nullptr}).status, 503);
  EXPECT_EQ(api.trace(request, kTraceHex, {clock, std::chrono::hours(1), nullptr}).status, 200);
}

TEST_F(EventTableTest, ARecordThatIsTooLargeToBeShownIsLeftOutAndToldOf) {
  const std::vector<std::string> lines = {log_record(kNowNs, std::string(8U << 20U, '\x01')),
                                          log_record(kNowNs + 1, "small")};
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  const std::string found = get_logs("cliente-a", "start=1764043200&end=1764043201");
  EXPECT_THAT(found, HasSubstr("small"));
  EXPECT_THAT(found, HasSubstr(R"("warnings":["1 log records are too large to be shown"])"));
  EXPECT_LT(found.size(), 1'000U);
}

TEST_F(EventTableTest, AnAnswersMemoryIsHeldUntilItsReaderHasIt) {
  written(*logs_, *index_, "cliente-a",
          request_of("cliente-a", {log_record(kNowNs, std::string(1U << 20U, 'x'))}));
  {
    net::Request request;
    request.method = "GET";
    request.query = "start=1764043200&end=1764043201";
    const auto answer = api::EventApi(cold_->events(), cold_->catalog(), answers_).logs(request);
    EXPECT_GE(answers_.taken(), answer.body.size());
    EXPECT_LT(answers_.taken(), answer.body.size() + (128U << 10U));
  }
  EXPECT_EQ(answers_.taken(), 0U);
}

// B3: 2 M records of one request took longer than the collector waits, again and again.
TEST_F(EventTableTest, ARequestOfTooManyItemsIsSentBackWholeAndSmallPartsAreTaken) {
  const auto many = request_of("cliente-a", std::vector<std::string>(kRequestItemsMax + 1, ""));
  const CustomerId id = CustomerId::parse("cliente-a").value();
  const auto refused = logs_->write(id, index_->number_of(id).value(), many);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(value_bytes(kv::Family::kLogs), 0U);
  service::MetricRegistry registry;
  EXPECT_EQ(
      api::OtlpApi(cold_->events(), registry, Signal::kLogs).handle(post("cliente-a", many)).status,
      413);
  const auto part = request_of("cliente-a", std::vector<std::string>(5'000, ""));
  EXPECT_EQ(written(*logs_, *index_, "cliente-a", part).stored, 5'000U);
  EXPECT_EQ(written(*logs_, *index_, "cliente-a", part).repeats, 5'000U);
}

TEST_F(EventTableTest, ABodyThatIsDamagedAtItsEndStoresNothing) {
  std::vector<std::string> lines(3'000, log_record(kNowNs, "good"));
  lines.push_back("\x0a\x7f");  // a field longer than its record
  const CustomerId id = CustomerId::parse("cliente-a").value();
  const auto refused =
      logs_->write(id, index_->number_of(id).value(), request_of("cliente-a", lines));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(value_bytes(kv::Family::kLogs), 0U);
}

TEST_F(EventTableTest, TheOtlpInterfaceAnswersAsAnOtlpServer) {
  service::MetricRegistry registry;
  api::OtlpApi api(cold_->events(), registry, Signal::kTraces);
  const std::string body = request_of("cliente-a", {span(1, "root")});
  const net::Response good = api.handle(post("cliente-a", body));
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "");
  EXPECT_EQ(api.handle(post("", body)).status, 400);
  EXPECT_EQ(api.handle(post("", "")).status, 200);  // does it take anything?
  EXPECT_EQ(api.handle(post("cliente-b", body)).status, 400);
  EXPECT_EQ(api.handle(post("cliente-a", "garbage")).status, 400);
  net::Request json = post("cliente-a", "{}");
  json.headers = {{"content-type", "application/json"}, {"x-vigia-customer", "cliente-a"}};
  EXPECT_EQ(api.handle(json).status, 415);
  // A good and a foreign resource: partial success, one rejected.
  const net::Response partial =
      api.handle(post("cliente-a", request_of("cliente-a", {span(2, "two")}) +
                                       request_of("cliente-b", {span(3, "three")})));
  EXPECT_EQ(partial.status, 200);
  EXPECT_THAT(partial.body, HasSubstr("\x08\x01"));
  EXPECT_THAT(registry.expose(false),
              HasSubstr(R"(vigia_storage_spans_stored_total{customer_id="cliente-a"} 2)"));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
