// What is shown of spans and log records, and of what is missing in that.
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

class EventAnswersTest : public EventTableTest {};

// Each look at it is a second.
class SteppingClock final : public Clock {
 public:
  TimePoint steady() const override { return TimePoint() + std::chrono::seconds(++seconds_); }
  std::int64_t wall_ns() const override { return static_cast<std::int64_t>(kNowNs); }

 private:
  mutable std::atomic<int> seconds_{0};
};

// "" where the page is the last one.
std::string cursor_of(const std::string& page) {
  constexpr std::string_view kName = "\"cursor\":\"";
  const std::size_t at = page.rfind(kName);
  if (at == std::string::npos) return "";
  const std::size_t from = at + kName.size();
  return page.substr(from, page.find('"', from) - from);
}

TEST_F(EventAnswersTest, ATraceIsReadBackByItsIdBehindTheFence) {
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
TEST_F(EventAnswersTest, ASpanWithoutAServiceIsOfAnUnknownOne) {
  auto body = request_of("cliente-a", {span(1, "root")});
  body.replace(body.find("service.name"), 12, "service.nome");
  EXPECT_EQ(written(*spans_, *index_, "cliente-a", body).stored, 1U);
  EXPECT_THAT(get_trace("cliente-a", kTraceHex).body,
              HasSubstr(R"("serviceName":"unknown_service")"));
}

// D2, as an older collector took it: what it would become is reckoned before it is made.
TEST_F(EventAnswersTest, ASpanOfLittleElseThanEmptyLinksIsLeftOutAndSaid) {
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
TEST_F(EventAnswersTest, ATraceBeyondTheShareOfOneAnswerIsCutAndSaid) {
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

TEST_F(EventAnswersTest, LogRecordsAreReadByTimeAndLabels) {
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

TEST_F(EventAnswersTest, AnAnswerIsBoundedHoweverLargeTheResourceOfItsRecords) {
  const std::string note(1U << 20U, 'n');
  std::vector<std::string> lines;
  for (int i = 0; i < 80; ++i) lines.push_back(log_record(kNowNs, std::to_string(i)));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines, note));
  // Page after page gives all of them.
  std::size_t shown = 0;
  std::string cursor;
  do {
    const std::string page = get_logs("cliente-a", "start=1764043200&end=1764043201" + cursor);
    EXPECT_LE(page.size(), api::kAnswerBytesMax);
    for (std::size_t at = 0; (at = page.find("time_ns", at)) != std::string::npos; ++at) ++shown;
    cursor = "&cursor=" + cursor_of(page);
    EXPECT_EQ(page.find("truncated") == std::string::npos, cursor_of(page).empty());
  } while (cursor != "&cursor=" && shown < 100);
  EXPECT_EQ(shown, 80U);
}

TEST_F(EventAnswersTest, MoreLogRecordsThanTheLimitAreToldOf) {
  const std::vector<std::string> lines = {log_record(kNowNs, "one"), log_record(kNowNs + 1, "two")};
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  const std::string range = "start=1764043200&end=1764043201";
  EXPECT_THAT(get_logs("cliente-a", range + "&limit=1"),
              HasSubstr(R"("warnings":["results truncated due to limit"])"));
  EXPECT_THAT(get_logs("cliente-a", range + "&limit=2"), Not(HasSubstr("warnings")));
}

// A search over two years of logs had no end, and held a reader's thread.
TEST_F(EventAnswersTest, ASearchThatTakesTooLongGivesWhatItHasAndSaysSo) {
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
TEST_F(EventAnswersTest, AnswersThatMayBeIncompleteSaySo) {
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

TEST_F(EventAnswersTest, ATraceThatTakesTooLongToFindIsNotSaidNotToBe) {
  written(*spans_, *index_, "cliente-a", request_of("cliente-a", {span('a', "GET")}));
  net::Request request;
  request.headers.add("x-vigia-customer", "cliente-a");
  const api::EventApi api(cold_->events(), cold_->catalog(), answers_);
  const SteppingClock clock;
  EXPECT_EQ(api.trace(request, kTraceHex, {clock, std::chrono::seconds(1), nullptr}).status, 503);
  EXPECT_EQ(api.trace(request, kTraceHex, {clock, std::chrono::hours(1), nullptr}).status, 200);
}

// A record of control letters grows by six in JSON; alone it made the others unreadable.
TEST_F(EventAnswersTest, ARecordThatIsTooLargeToBeShownIsLeftOutAndToldOf) {
  const std::vector<std::string> lines = {log_record(kNowNs, std::string(8U << 20U, '\x01')),
                                          log_record(kNowNs + 1, "small")};
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  const std::string found = get_logs("cliente-a", "start=1764043200&end=1764043201");
  EXPECT_THAT(found, HasSubstr("small"));
  EXPECT_THAT(found, HasSubstr(R"("warnings":["1 log records are too large to be shown"])"));
  EXPECT_LT(found.size(), 1'000U);
}

// A page that was cut told of none.
TEST_F(EventAnswersTest, ARecordThatIsTooLargeIsToldOfOnItsPage) {
  const std::vector<std::string> lines = {log_record(kNowNs, std::string(8U << 20U, '\x01')),
                                          log_record(kNowNs + 1, "small"),
                                          log_record(kNowNs + 2, "last")};
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", lines));
  const std::string range = "start=1764043200&end=1764043201&limit=1";
  const std::string first = get_logs("cliente-a", range);
  EXPECT_THAT(first, HasSubstr(R"("warnings":["results truncated due to limit","1 log records)"));
  const std::string second = get_logs("cliente-a", range + "&cursor=" + cursor_of(first));
  EXPECT_THAT(second, HasSubstr("last"));
  EXPECT_THAT(second, Not(HasSubstr("warnings")));
}

// A search for what no record has looked at everything and came back with nothing to go on with:
// asked again it began anew. By a label that the index of streams does not know.
TEST_F(EventAnswersTest, ASearchThatFindsNothingGoesOnWhereItWasEnded) {
  std::vector<std::string> records;
  for (TimestampNs i = 0; i < 100; ++i) records.push_back(log_record(kNowNs + i, "line"));
  written(*logs_, *index_, "cliente-a", request_of("cliente-a", records));
  net::Request request;
  request.headers.add("x-vigia-customer", "cliente-a");
  const std::string question = "start=1764043200&end=1764043300&query={note=\"none\"}";
  request.query = question;
  const api::EventApi api(cold_->events(), cold_->catalog(), answers_);
  int pages = 0;
  for (; pages < 20; ++pages) {
    const SteppingClock clock;
    const std::string page = api.logs(request, {clock, std::chrono::seconds(20), nullptr}).body;
    if (page.find("the search was ended") == std::string::npos) break;
    ASSERT_THAT(page, HasSubstr("go on with the cursor"));
    ASSERT_NE(cursor_of(page), "");
    request.query = question + "&cursor=" + cursor_of(page);
  }
  EXPECT_GT(pages, 3);
  EXPECT_LT(pages, 20);
  request.query = question;
  const SteppingClock clock;
  const std::string none = api.logs(request, {clock, std::chrono::seconds(0), nullptr}).body;
  EXPECT_THAT(none, HasSubstr("before it had looked at a log record"));
  EXPECT_THAT(none, Not(HasSubstr("cursor")));
}

// Outside of any fence the page ended among customers who had given nothing, and the next one began
// before them again.
TEST_F(EventAnswersTest, ASearchOverManyCustomersGoesOnBehindThoseWithoutAny) {
  constexpr int kCustomers = 60;
  for (int i = 0; i < kCustomers; ++i) {
    const std::string customer = fmt::format("cliente-{:02}", i);
    const std::string text = i == kCustomers - 1 ? "wanted" : "other";
    written(*logs_, *index_, customer, request_of(customer, {log_record(kNowNs, text)}, text));
  }
  const api::EventApi api(cold_->events(), cold_->catalog(), answers_);
  for (const char* direction : {"forward", "backward"}) {
    const std::string question = fmt::format(
        "start=1764043100&end=1764043300&direction={}&matcher=note%3Dwanted", direction);
    net::Request request;
    request.query = question;
    int found = 0;
    int pages = 1;
    for (;; ++pages) {
      ASSERT_LT(pages, kCustomers) << direction;
      const SteppingClock clock;
      const std::string page = api.logs(request, {clock, std::chrono::seconds(20), nullptr}).body;
      found += page.find("wanted") == std::string::npos ? 0 : 1;
      if (page.find("the search was ended") == std::string::npos) break;
      ASSERT_NE(cursor_of(page), "");
      request.query = question + "&cursor=" + cursor_of(page);
    }
    EXPECT_GT(pages, 3);
    EXPECT_EQ(found, 1);
  }
}

TEST_F(EventAnswersTest, AnAnswersMemoryIsHeldUntilItsReaderHasIt) {
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

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
