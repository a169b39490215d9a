#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "services/storage/api/trace_request.hpp"
#include "services/storage/api/trace_search_api.hpp"
#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::api {
namespace {

using store::rocksdb::events::kNowNs;
using store::rocksdb::events::kSecondNs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kRange = "start=1764043000&end=1764043300";

net::Request request_of(const std::string& query, const std::string& customer = "cliente-a") {
  net::Request request;
  request.method = "GET";
  request.query = query;
  if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
  return request;
}

TEST(SpanDuration, IsReadAsJaegersPageWritesIt) {
  EXPECT_EQ(parse_span_duration("min_duration", "500us").value(), 500'000U);
  EXPECT_EQ(parse_span_duration("min_duration", "500µs").value(), 500'000U);
  EXPECT_EQ(parse_span_duration("min_duration", "1.2s").value(), 1'200'000'000U);
  EXPECT_EQ(parse_span_duration("min_duration", "100ms").value(), 100'000'000U);
  EXPECT_EQ(parse_span_duration("min_duration", "7ns").value(), 7U);
  EXPECT_EQ(parse_span_duration("min_duration", "2m").value(), 120'000'000'000U);
  EXPECT_EQ(parse_span_duration("min_duration", "0h").value(), 0U);
  for (const char* text :
       {"", "1", "s", "1x", "-1s", "1s ", " 1s", "1 s", "1e3s", "nans", "infs", "99999999999h"}) {
    EXPECT_FALSE(parse_span_duration("min_duration", text).has_value()) << text;
  }
}

TEST(TraceRequest, IsReadAsItIsWritten) {
  const auto asked =
      read_trace_request(request_of(
          kRange + "&service=shop&operation=GET%20%2Fx&tag=http.route%3D%2Fx%3Dy&tag=empty%3D"
                   "&min_duration=1ms&max_duration=2s&limit=7"));
  ASSERT_TRUE(asked.has_value()) << asked.error().message;
  EXPECT_EQ(asked->query.service, "shop");
  EXPECT_EQ(asked->query.operation, "GET /x");
  ASSERT_EQ(asked->query.tags.size(), 2U);
  EXPECT_EQ(asked->query.tags[0].key, "http.route");
  EXPECT_EQ(asked->query.tags[0].value, "/x=y");
  EXPECT_EQ(asked->query.tags[1].value, "");
  EXPECT_EQ(asked->query.shortest_ns, 1'000'000U);
  EXPECT_EQ(asked->query.longest_ns, 2'000'000'000U);
  EXPECT_EQ(asked->labels.limit, 7U);
  EXPECT_EQ(read_trace_request(request_of(kRange + "&service=x"))->labels.limit, kTracesDefault);
}

TEST(TraceRequest, EachBadParameterIsNamed) {
  const std::string good = kRange + "&service=shop";
  const std::pair<std::string, std::string> bad[] = {
      {kRange, "service"},
      {"service=shop", "start and end"},
      {"service=shop&start=1", "start and end"},
      {good + "&service=other", "service is given twice"},
      {good + "&tag=x", "tag"},
      {good + "&tag=%3Dx", "tag"},
      {good + "&min_duration=5", "min_duration"},
      {good + "&max_duration=x", "max_duration"},
      {good + "&min_duration=2s&max_duration=1s", "longer"},
      {good + "&limit=1001", "limit"},
      {good + "&limit=x", "limit"},
      {good + "&cursor=00", "cursor"},
      {good + "&cursor=", "cursor"},
      {good + "&matcher=a%3Db", "matcher"},
      {good + "&tags=x", "tags"},
      {good + "&start=x", "start"},
      {good + "&customer=cliente-b", "customer"}};
  for (const auto& [query, word] : bad) {
    const auto asked = read_trace_request(request_of(query));
    ASSERT_FALSE(asked.has_value()) << query;
    EXPECT_EQ(asked.error().code, ErrorCode::kInvalid) << query;
    EXPECT_THAT(asked.error().message, HasSubstr(word)) << query;
  }
  std::string many = good;
  for (std::size_t i = 0; i <= kTagsMax; ++i) many += "&tag=a%3Db";
  EXPECT_FALSE(read_trace_request(request_of(many)).has_value());
}

TEST(TracePageEnd, ComesBackAsItWasAndNothingElseDoes) {
  for (const std::string& id : {std::string(), std::string(16, '\xff')}) {
    const TracePageEnd cursor{CustomerId::provider(), {UINT64_MAX, id}};
    const std::string text = encode(cursor);
    const auto read = decode_trace_cursor(text);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->customer, cursor.customer);
    EXPECT_EQ(read->place, cursor.place);
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string other = text;
      other[i] = other[i] == '0' ? '1' : '0';
      EXPECT_FALSE(decode_trace_cursor(other).has_value()) << i;
      EXPECT_FALSE(decode_trace_cursor(text.substr(0, i)).has_value()) << i;
    }
    EXPECT_FALSE(decode_trace_cursor(text + "00").has_value());
  }
}

class TraceSearchTest : public store::rocksdb::events::EventTableTest {
 protected:
  void bring(const std::string& customer, const std::vector<std::string>& spans,
             const std::string& service = "shop") {
    written(*spans_, *index_, customer,
            store::export_of(customer, spans, {{"service.name", service}}));
  }
  static std::string span(char trace, int second, const store::SpanSaid& said = {}) {
    return store::span_of(std::string(16, trace), 's',
                          kNowNs + static_cast<std::uint64_t>(second) * kSecondNs, said);
  }
  TraceSearchApi api() { return {cold_->events(), cold_->catalog(), answers_}; }
  struct Page {
    int status = 0;
    std::string traces;  // the first letter of each id
    std::string cursor;
    std::string body;
  };
  static Page page_of(const net::Response& answer) {
    Page page{answer.status, "", "", answer.body};
    const std::string id = R"({"traceID":")";
    for (std::size_t at = 0; (at = answer.body.find(id, at)) != std::string::npos;) {
      at += id.size();
      // A span begins so too, and has its own id behind.
      const bool is_span = answer.body.compare(at + 32, 11, R"(","spanID":)") == 0;
      if (!is_span) page.traces += from_hex(answer.body.substr(at, 2)).value();
    }
    const std::string cursor = R"("cursor":")";
    if (const auto at = answer.body.find(cursor); at != std::string::npos) {
      page.cursor = answer.body.substr(
          at + cursor.size(), answer.body.find('"', at + cursor.size()) - at - cursor.size());
    }
    return page;
  }
  Page search(const std::string& query, const std::string& customer = "cliente-a",
              const store::WorkLimit& limit = {}) {
    return page_of(api().traces(request_of(kRange + "&service=shop" + query, customer), limit));
  }
  std::string all_pages(const std::string& query, const std::string& customer = "cliente-a") {
    std::string traces;
    std::string cursor;
    for (int pages = 0; pages < 100; ++pages) {
      const Page page = search(query + cursor, customer);
      EXPECT_EQ(page.status, 200) << page.body;
      traces += page.traces;
      if (page.cursor.empty()) return traces;
      cursor = "&cursor=" + page.cursor;
    }
    return "no end";
  }
};

TEST_F(TraceSearchTest, WholeTracesAreGivenTheLatestFirst) {
  bring("cliente-a", {span('a', 1, {.name = "GET"}), span('b', 3, {.name = "POST"})});
  bring("cliente-a", {span('a', 0, {.name = "of the bank"})}, "bank");
  const Page page = search("&operation=GET");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.traces, "a");
  EXPECT_EQ(page.cursor, "");
  EXPECT_THAT(page.body, HasSubstr(R"({"status":"success","data":[{"traceID":"6161)"));
  EXPECT_THAT(page.body, HasSubstr(R"("operationName":"of the bank")"));
  EXPECT_THAT(page.body, Not(HasSubstr("POST")));
  EXPECT_EQ(search("").traces, "ba");
  EXPECT_EQ(search("&min_duration=1s").traces, "");
  EXPECT_EQ(search("&tag=service.name%3Dshop").traces, "ba");
  EXPECT_EQ(search("&limit=0").status, 400);
}

TEST_F(TraceSearchTest, PagesGoOnWithTheCursorAndALimitThatFitsCutsNothing) {
  for (char name = 'a'; name <= 'g'; ++name) bring("cliente-a", {span(name, (name - 'a') / 2)});
  const std::string whole = all_pages("");
  EXPECT_EQ(whole, "gefcdab");
  for (int limit = 1; limit <= 7; ++limit) {
    EXPECT_EQ(all_pages(fmt::format("&limit={}", limit)), whole) << limit;
  }
  EXPECT_EQ(search("&limit=7").cursor, "");
  const Page first = search("&limit=2");
  EXPECT_THAT(first.body, HasSubstr(R"("warnings":["results truncated due to limit"])"));
  EXPECT_EQ(search("&cursor=" + first.cursor, "cliente-b").status, 400) << "another's cursor";
}

TEST_F(TraceSearchTest, TheFenceHoldsAndOperatorsSeeAllCustomers) {
  bring("cliente-a", {span('a', 1)});
  bring("cliente-b", {span('b', 2), span('a', 2)});
  EXPECT_EQ(search("", "cliente-a").traces, "a");
  EXPECT_EQ(search("", "cliente-b").traces, "ab");
  EXPECT_EQ(search("", "cliente-c").traces, "");
  EXPECT_EQ(all_pages("&limit=1", ""), "aab") << "by customer";
  EXPECT_THAT(api().services(request_of("", "cliente-c")).body, HasSubstr(R"("data":[])"));
}

// C46: what is past its retention is not given.
TEST_F(TraceSearchTest, WhatIsPastItsRetentionIsNotFound) {
  bring("cliente-a", {span('a', 1), span('b', 3)});
  const TraceSearchApi late(cold_->events(), cold_->catalog(), answers_, {}, [](const CustomerId&) {
    return TimestampMs(kNowNs / 1'000'000 + 2'000);
  });
  const auto page = page_of(late.traces(request_of(kRange + "&service=shop")));
  EXPECT_EQ(page.traces, "b");
}

// An answer holds what it may, and the next page goes on.
TEST_F(TraceSearchTest, APageEndsWhereItsMemoryDoes) {
  const std::string text(200'000, 'x');
  for (char name = 'a'; name <= 'f'; ++name) {
    bring("cliente-a", {span(name, name - 'a', {.tags = {{"text", text}}})});
  }
  lanes::CustomerShares small{"answers under way", 3U << 20U};
  const TraceSearchApi tight(cold_->events(), cold_->catalog(), small);
  std::string traces;
  std::string cursor;
  int pages = 0;
  for (; pages < 10; ++pages) {
    const auto page = page_of(tight.traces(request_of(kRange + "&service=shop" + cursor)));
    ASSERT_EQ(page.status, 200) << page.body;
    traces += page.traces;
    if (page.cursor.empty()) break;
    EXPECT_THAT(page.body, HasSubstr("do not fit into one answer"));
    cursor = "&cursor=" + page.cursor;
  }
  EXPECT_EQ(traces, "fedcba");
  EXPECT_GT(pages, 0);
}

TEST_F(TraceSearchTest, ASearchThatIsEndedSaysSo) {
  bring("cliente-a", {span('a', 1)});
  const ManualClock clock{0};
  const store::WorkLimit over(clock, Duration(0), nullptr);
  const Page page = search("", "cliente-a", over);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.traces, "");
  EXPECT_THAT(page.body, HasSubstr("the search was ended"));
  EXPECT_FALSE(page.cursor.empty());
  EXPECT_EQ(search("&cursor=" + page.cursor).traces, "a");
  EXPECT_EQ(api().services(request_of(""), over).status, 504);
  EXPECT_EQ(api().operations(request_of(""), "shop", over).status, 504);
}

TEST_F(TraceSearchTest, ServicesAndOperationsComeInPages) {
  bring("cliente-a",
        {span('a', 1, {.name = "GET \"x\"", .kind = 2}), span('b', 1, {.name = "GET", .kind = 3})});
  bring("cliente-a", {span('c', 1)}, "a/b");
  EXPECT_THAT(api().services(request_of("")).body,
              HasSubstr(R"({"status":"success","data":["a/b","shop"]})"));
  const auto first = page_of(api().services(request_of("limit=1")));
  EXPECT_THAT(first.body, HasSubstr(R"("data":["a/b"])"));
  EXPECT_THAT(api().services(request_of("limit=1&cursor=" + first.cursor)).body,
              HasSubstr(R"({"status":"success","data":["shop"]})"));
  EXPECT_THAT(
      api().operations(request_of(""), "shop").body,
      HasSubstr(
          R"("data":[{"name":"GET","span_kind":"client"},{"name":"GET \"x\"","span_kind":"server"}])"));
  const auto one = page_of(api().operations(request_of("limit=1"), "shop"));
  EXPECT_THAT(api().operations(request_of("limit=1&cursor=" + one.cursor), "shop").body,
              HasSubstr(R"("data":[{"name":"GET \"x\"")"));
  EXPECT_THAT(api().operations(request_of("span_kind=client"), "shop").body,
              Not(HasSubstr("server")));
  EXPECT_THAT(api().operations(request_of("service=a%2Fb"), "").body, HasSubstr(R"("name":"GET")"));
  for (const char* bad : {"span_kind=x", "cursor=", "cursor=x", "service=other", "matcher=a%3Db",
                          "start=x", "other=1"}) {
    EXPECT_EQ(api().operations(request_of(bad), "shop").status, 400) << bad;
  }
  EXPECT_EQ(api().operations(request_of(""), "").status, 400);
  EXPECT_EQ(api().services(request_of("service=x")).status, 400);
}

// Names take memory: the store gives some at a time, and each page is counted before the next.
TEST_F(TraceSearchTest, LongListsAreReadInPagesAndCounted) {
  constexpr int kNames = 1'300;
  std::vector<std::string> spans;
  for (int i = 0; i < kNames; ++i) {
    spans.push_back(span('a', 1, {.name = fmt::format("{:01000}", i)}));
  }
  bring("cliente-a", spans);
  const auto page = cold_->events().operations(CustomerId::parse("cliente-a").value(), "shop",
                                               {0, UINT64_MAX, std::nullopt, SIZE_MAX}, {});
  ASSERT_TRUE(page.has_value());
  EXPECT_FALSE(page->is_last);
  EXPECT_LE(page->operations.size(), 1'000U);
  const std::string all = api().operations(request_of("limit=5000"), "shop").body;
  for (const int i : {0, 999, 1'000, kNames - 1}) {
    EXPECT_THAT(all, HasSubstr(fmt::format("{:01000}", i))) << i;
  }
  EXPECT_THAT(all, Not(HasSubstr("cursor")));
  lanes::CustomerShares small{"answers under way", 2U << 20U};
  const TraceSearchApi tight(cold_->events(), cold_->catalog(), small);
  EXPECT_EQ(tight.operations(request_of("limit=5000"), "shop").status, 429);
  EXPECT_EQ(tight.operations(request_of("limit=100"), "shop").status, 200);
}

// An empty answer would say that there is nothing.
TEST(TraceSearchWithoutIndex, IsRefused) {
  class NoIndex final : public store::EventStore {
   public:
    Result<store::EventCounts> write(const CustomerId&, Signal, std::string_view) override {
      return store::EventCounts{};
    }
    Result<bool> read_trace(const CustomerId&, std::string_view, const SpanVisit&,
                            const store::WorkLimit&) override {
      return true;
    }
    Result<store::LogEnd> read_logs(const CustomerId&, const store::LogQuery&, const LogVisit&,
                                    const store::WorkLimit&) override {
      return store::LogEnd{};
    }
    Result<std::size_t> expire(Signal, const store::ExpiryCuts&) override { return std::size_t{0}; }
    bool is_writable() const override { return true; }
    std::uint64_t disk_bytes(Signal) const override { return 0; }
    std::uint64_t damaged_items(Signal) const override { return 0; }
  };
  NoIndex events;
  store::MemoryColdStore cold;
  lanes::CustomerShares answers{"answers under way", 1U << 20U};
  const TraceSearchApi api(events, cold.catalog(), answers);
  for (const auto& answer :
       {api.traces(request_of(kRange + "&service=shop")), api.services(request_of("")),
        api.operations(request_of(""), "shop")}) {
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("keeps no index of spans"));
  }
}

}  // namespace
}  // namespace vigia::storage::api
