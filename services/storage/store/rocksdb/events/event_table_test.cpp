#include "services/storage/store/rocksdb/events/event_table.hpp"

#include <atomic>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/api/event_api.hpp"
#include "services/storage/api/otlp_api.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/event_writer.hpp"
#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using protozero::pbf_writer;
using ::testing::HasSubstr;
using ::testing::Not;

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
    std::string origins = day + std::string(4, '\0');
    kv::append_key_u32(origins, 1);  // of the customer
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

// 20,700 spans a day apart made as many days, through which every customer's traces were looked
// for.
TEST_F(EventTableTest, WhatIsOlderThanItsRetentionIsTakenAndMakesNoDay) {
  const TimestampMs now_ms = static_cast<TimestampMs>(kNowNs / 1'000'000);
  logs_->use_oldest([=](const CustomerId&) { return now_ms - 30 * kDayMs; });
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

// Its bytes were counted for the records of the next time as well: those that a walk puts in order
// at once were others where it began behind the damage, so pages repeated some and omitted others.
TEST_F(EventTableTest, PagesOfManyMibOfOneTimeAreTheWholeWalkBesideADamagedRow) {
  constexpr TimestampNs kBeforeNs = kNowNs - 1;
  constexpr TimestampNs kAfterNs = kNowNs + 1;
  std::vector<std::string> lines{log_record(kBeforeNs, "before"), log_record(kAfterNs, "after")};
  for (int i = 0; i < 20; ++i) {
    lines.push_back(log_record(kNowNs, fmt::format("line {:02}", i) + std::string(700'000, 'x')));
  }
  for (const std::string& line : lines) {
    written(*logs_, *index_, "cliente-a", request_of("cliente-a", {line}));
    clock_.advance(std::chrono::seconds(1));
  }
  std::vector<kv::KeyValue> damaged;
  const auto scan = store_->scan(kv::Family::kLogs, "", "");
  while (scan->next()) {
    const bool is_beside = scan->value().find("before") != std::string_view::npos ||
                           scan->value().find("after") != std::string_view::npos;
    if (!is_beside) continue;
    // The time of its arrival never ends.
    damaged.push_back(
        {kv::Family::kLogs, std::string(scan->key()), "\x02" + std::string(2'000'000, '\xff')});
  }
  ASSERT_EQ(damaged.size(), 2U);
  ASSERT_TRUE(store_->put(damaged, kv::Durability::kNow));

  const auto customer = index_->number_of(CustomerId::parse("cliente-a").value()).value();
  const auto lines_of = [&](LogQuery query, std::optional<LogPlace>& last) {
    std::vector<std::string> found;
    const auto visit = [&](const LogRecordView& record) {
      const std::size_t at = record.event.item.find("line ");
      found.emplace_back(record.event.item.substr(at, 7));
      last = record.place;
      return true;
    };
    EXPECT_TRUE(logs_->read_logs(customer, query, visit, {})->is_whole);
    return found;
  };
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    LogQuery query{0, UINT64_MAX, direction};
    std::optional<LogPlace> last;
    const auto whole = lines_of(query, last);
    EXPECT_EQ(whole.size(), 20U);
    query.records_max = 1;
    std::vector<std::string> paged;
    for (std::size_t i = 0; i < 20; ++i) {
      for (const std::string& line : lines_of(query, query.after)) paged.push_back(line);
    }
    EXPECT_EQ(paged, whole) << (direction == LogDirection::kForward ? "forward" : "backward");
  }
}

// Of requests that came in one millisecond, or after the clock was set back, the first records
// stood beside each other, then the second ones.
TEST_F(EventTableTest, RecordsOfOneTimeStandAsTheirRequestsCame) {
  const auto line = [](int number) {
    return log_record(kNowNs, fmt::format("line {:02}", number));
  };
  const std::vector<std::vector<std::string>> requests = {
      {line(1), line(2)}, {line(3)}, {line(4), line(5)}, {line(6), line(7)}, {line(8), line(9)}};
  const auto send = [&](std::size_t request) {
    return written(*logs_, *index_, "cliente-a", request_of("cliente-a", requests[request]));
  };
  for (const std::size_t request : {0U, 1U, 2U}) send(request);
  clock_.set_wall_ns(static_cast<std::int64_t>(kNowNs - 3'600 * kSecondNs));
  send(3);
  reopen();
  clock_.set_wall_ns(static_cast<std::int64_t>(kNowNs - 2 * 3'600 * kSecondNs));
  send(4);
  for (std::size_t request = 0; request < requests.size(); ++request) {
    EXPECT_EQ(send(request).stored, 0U) << "sent again";
  }
  std::vector<int> wanted = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto customer = index_->number_of(CustomerId::parse("cliente-a").value()).value();
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    for (const std::size_t page : {3U, 100U}) {
      LogQuery query{kNowNs, kNowNs, direction};
      query.records_max = page;
      std::vector<int> found;
      for (std::size_t pages = 0; pages < 4; ++pages) {
        std::optional<LogPlace> last = query.after;
        const auto visit = [&](const LogRecordView& record) {
          const std::size_t at = record.event.item.find("line ");
          found.push_back(std::stoi(std::string(record.event.item.substr(at + 5, 2))));
          last = record.place;
          return true;
        };
        EXPECT_TRUE(logs_->read_logs(customer, query, visit, {})->is_whole);
        query.after = last;
      }
      EXPECT_EQ(found, wanted) << "pages of " << page;
    }
    std::reverse(wanted.begin(), wanted.end());
  }
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
  EXPECT_EQ(api::OtlpApi(cold_->events(), registry, Signal::kLogs)
                .handle(post(Signal::kLogs, "cliente-a", many))
                .status,
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
  const net::Response good = api.handle(post(Signal::kTraces, "cliente-a", body));
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "");
  EXPECT_EQ(api.handle(post(Signal::kTraces, "", body)).status, 400);
  EXPECT_EQ(api.handle(post(Signal::kTraces, "", "")).status, 200);  // does it take anything?
  EXPECT_EQ(api.handle(post(Signal::kTraces, "cliente-b", body)).status, 400);
  EXPECT_EQ(api.handle(post(Signal::kTraces, "cliente-a", "garbage")).status, 400);
  net::Request json = post(Signal::kTraces, "cliente-a", "{}");
  json.headers = {{"content-type", "application/json"}, {"x-vigia-customer", "cliente-a"}};
  EXPECT_EQ(api.handle(json).status, 415);
  // A good and a foreign resource: partial success, one rejected.
  const net::Response partial = api.handle(post(
      Signal::kTraces, "cliente-a",
      request_of("cliente-a", {span(2, "two")}) + request_of("cliente-b", {span(3, "three")})));
  EXPECT_EQ(partial.status, 200);
  EXPECT_THAT(partial.body, HasSubstr("\x08\x01"));
  EXPECT_THAT(registry.expose(false),
              HasSubstr(R"(vigia_storage_spans_stored_total{customer_id="cliente-a"} 2)"));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
