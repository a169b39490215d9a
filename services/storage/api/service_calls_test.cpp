#include "services/storage/api/service_calls.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/api/trace_search_api.hpp"
#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::api {
namespace {

using store::rocksdb::events::kNowNs;
using store::rocksdb::events::kSecondNs;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kRange = "start=1764043000&end=1764043300";
constexpr char kNone = '\0';

class ServiceCallsTest : public store::rocksdb::events::EventTableTest {
 protected:
  /// A span of a trace, called by `parent`.
  static std::string span(char trace, char id, char parent, int second = 1) {
    std::string bytes = store::span_of(std::string(16, trace), id,
                                       kNowNs + static_cast<std::uint64_t>(second) * kSecondNs);
    // parent_span_id of OTLP's Span, which may stand anywhere in the message.
    if (parent != kNone) bytes += "\x22\x08" + std::string(8, parent);
    return bytes;
  }
  void bring(const std::string& customer, const std::string& service,
             const std::vector<std::string>& spans) {
    written(*spans_, *index_, customer,
            store::export_of(customer, spans, {{"service.name", service}}));
  }
  /// gateway → shop → bank, and shop within itself.
  void bring_trace(const std::string& customer, char trace, int second = 1) {
    bring(customer, "gateway", {span(trace, 'a', kNone, second)});
    bring(customer, "shop", {span(trace, 'b', 'a', second), span(trace, 'c', 'b', second)});
    bring(customer, "bank", {span(trace, 'd', 'c', second)});
  }
  std::string ask(const std::string& query = "", const std::string& customer = "cliente-a",
                  const store::WorkLimit& limit = {}) {
    return told({cold_->events(), cold_->catalog(), answers_}, query, customer, limit).body;
  }
  static net::Response told(const TraceSearchApi& api, const std::string& query,
                            const std::string& customer, const store::WorkLimit& limit = {}) {
    net::Request request;
    request.method = "GET";
    request.query = query.starts_with("!") ? query.substr(1) : kRange + query;
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    return api.dependencies(request, limit);
  }
  static std::string call(const std::string& parent, const std::string& child, int count) {
    return fmt::format(R"({{"parent":"{}","child":"{}","callCount":{}}})", parent, child, count);
  }
};

TEST_F(ServiceCallsTest, ASpanWhoseParentIsOfAnotherServiceIsACall) {
  bring_trace("cliente-a", 'x');
  bring_trace("cliente-a", 'y');
  bring("cliente-a", "bank", {span('z', 'a', 'q')});  // whose parent nobody has
  bring("cliente-a", "shop", {span('z', 'b', 'a')});
  EXPECT_EQ(ask(), R"({"status":"success","data":[)" + call("bank", "shop", 1) + "," +
                       call("gateway", "shop", 2) + "," + call("shop", "bank", 2) + "]}");
  EXPECT_EQ(ask("&service=gateway"),
            R"({"status":"success","data":[)" + call("gateway", "shop", 2) + "]}");
  EXPECT_EQ(ask("&service=nobody"), R"({"status":"success","data":[]})");
}

TEST_F(ServiceCallsTest, AnotherVersionOfASpanIsNoSecondCall) {
  bring_trace("cliente-a", 'x');
  const auto again = store::span_of(std::string(16, 'x'), 'b', kNowNs + kSecondNs, {.name = "B"});
  bring("cliente-a", "shop", {again + "\x22\x08" + std::string(8, 'a')});
  EXPECT_THAT(ask(), HasSubstr(call("gateway", "shop", 1)));
}

TEST_F(ServiceCallsTest, TheFenceHolds) {
  const std::string customers[] = {"cliente-a", "cliente-b", "cliente-c"};
  for (const std::string& customer : customers) {
    bring(customer, "of " + customer, {span('x', 'a', kNone)});
    bring(customer, "shop of " + customer, {span('x', 'b', 'a')});
  }
  // The same trace, and one's span is nobody else's parent.
  bring("cliente-b", "canary", {span('x', 'q', kNone)});
  bring("cliente-c", "orphan", {span('x', 'r', 'q')});
  for (const std::string& customer : customers) {
    EXPECT_EQ(ask("", customer), R"({"status":"success","data":[)" +
                                     call("of " + customer, "shop of " + customer, 1) + "]}");
  }
  EXPECT_EQ(ask("", "cliente-d"), R"({"status":"success","data":[]})");
}

TEST_F(ServiceCallsTest, ACallIsOfTheTimeAtWhichItBegan) {
  bring("cliente-a", "gateway", {span('x', 'a', kNone, 1)});
  bring("cliente-a", "shop", {span('x', 'b', 'a', 3)});
  const auto in = [&](std::uint64_t from, std::uint64_t to) {
    const std::uint64_t now_s = kNowNs / kSecondNs;
    return ask(fmt::format("!start={}&end={}.5", now_s + from, now_s + to));
  };
  EXPECT_THAT(in(0, 4), HasSubstr(call("gateway", "shop", 1)));
  EXPECT_THAT(in(2, 4), HasSubstr(call("gateway", "shop", 1)));
  EXPECT_THAT(in(0, 2), HasSubstr(R"("data":[])"));
}

TEST_F(ServiceCallsTest, OfEachServiceTheLatestTracesAreCountedAndThatThereAreMoreIsSaid) {
  for (char trace = 'k'; trace <= 'p'; ++trace) bring_trace("cliente-a", trace, trace - 'k');
  bring("cliente-a", "a rare one", {span('r', 'a', kNone)});
  bring("cliente-a", "its friend", {span('r', 'b', 'a')});
  const std::string all = ask("&limit=30");  // of five services
  EXPECT_THAT(all, HasSubstr(call("gateway", "shop", 6)));
  EXPECT_THAT(all, Not(HasSubstr("warnings")));
  const std::string some = ask("&limit=10");
  EXPECT_THAT(some, HasSubstr(call("gateway", "shop", 2)));
  EXPECT_THAT(some, HasSubstr(call("a rare one", "its friend", 1)));
  EXPECT_THAT(some, HasSubstr("only the latest 2 traces are counted"));
}

TEST_F(ServiceCallsTest, ASearchThatIsEndedSaysSo) {
  bring_trace("cliente-a", 'x');
  const ManualClock clock{0};
  const store::WorkLimit over(clock, Duration(0), nullptr);
  EXPECT_THAT(ask("", "cliente-a", over), HasSubstr("the search was ended"));
}

// C46: what is past its retention is not given.
TEST_F(ServiceCallsTest, WhatIsPastItsRetentionIsNotCounted) {
  bring_trace("cliente-a", 'x', 1);
  bring_trace("cliente-a", 'y', 3);
  const TraceSearchApi late(cold_->events(), cold_->catalog(), answers_, {}, [](const CustomerId&) {
    return TimestampMs(kNowNs / 1'000'000 + 2'000);
  });
  EXPECT_THAT(told(late, "", "cliente-a").body, HasSubstr(call("gateway", "shop", 1)));
}

TEST_F(ServiceCallsTest, NamesAreCountedInTheAnswersMemory) {
  for (char letter = 'a'; letter <= 'h'; ++letter) {
    bring("cliente-a", std::string(1'000, letter),
          {span('x', letter, letter == 'a' ? kNone : 'a')});
  }
  lanes::CustomerShares small{"answers under way", (4U << 20U) + 2'000};
  const TraceSearchApi tight(cold_->events(), cold_->catalog(), small);
  EXPECT_EQ(told(tight, "", "cliente-a").status, 429);
  lanes::CustomerShares larger{"answers under way", 8U << 20U};
  const TraceSearchApi wide(cold_->events(), cold_->catalog(), larger);
  EXPECT_EQ(told(wide, "", "cliente-a").status, 200);
}

TEST_F(ServiceCallsTest, EachBadParameterIsNamed) {
  for (const auto& [query, word] : std::initializer_list<std::pair<std::string, std::string>>{
           {"!", "start and end"},
           {"!start=1", "start and end"},
           {"&limit=10001", "limit"},
           {"&service=a&service=b", "service is given twice"},
           {"&matcher=a%3Db", "matcher"},
           {"&operation=x", "operation"},
           {"&customer=cliente-b", "customer"}}) {
    const auto answer = told({cold_->events(), cold_->catalog(), answers_}, query, "cliente-a");
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_THAT(answer.body, HasSubstr(word)) << query;
  }
}

}  // namespace
}  // namespace vigia::storage::api
