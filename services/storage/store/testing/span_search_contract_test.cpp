// What every cold store that keeps an index of spans keeps to: traces found without their ids.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimestampNs kMs = 1'000'000;
constexpr TimestampNs kSecond = 1'000 * kMs;
constexpr TimestampNs kMinute = 60 * kSecond;

std::string trace_id(char name) { return std::string(kTraceIdBytes, name); }

template <typename Store>
class SpanSearchContractTest : public ContractFixture<Store> {
 protected:
  void bring(const std::vector<std::string>& spans, const std::string& service = "shop",
             const std::vector<std::pair<std::string, std::string>>& more = {}) {
    std::vector<std::pair<std::string, std::string>> attributes = more;
    if (!service.empty()) attributes.emplace_back("service.name", service);
    const auto counts =
        this->events().write(this->a_, Signal::kTraces, export_of("cliente-a", spans, attributes));
    ASSERT_TRUE(counts.has_value());
    EXPECT_EQ(counts->stored, spans.size());
  }
  static TraceQuery all_of(const std::string& service = "shop") {
    TraceQuery query;
    query.to_ns = UINT64_MAX;
    query.service = service;
    return query;
  }
  std::vector<TracePlace> places(const TraceQuery& query) {
    std::vector<TracePlace> found;
    const auto end = this->events().find_traces(
        this->a_, query,
        [&](const TracePlace& place) {
          found.push_back(place);
          return true;
        },
        this->unlimited_);
    EXPECT_TRUE(end.has_value() && end->is_whole);
    return found;
  }
  // Each trace by the first letter of its id.
  std::string found(const TraceQuery& query) {
    std::string letters;
    for (const TracePlace& place : places(query)) letters += place.trace_id.at(0);
    return letters;
  }
  std::string found_with(const std::vector<TagMatch>& tags) {
    TraceQuery query = all_of();
    query.tags = tags;
    return found(query);
  }
};
TYPED_TEST_SUITE(SpanSearchContractTest, Stores, );

TYPED_TEST(SpanSearchContractTest, TheLatestTraceOfAServiceComesFirst) {
  this->bring({span_of(trace_id('a'), '1', kStartNs + 5), span_of(trace_id('b'), '1', kStartNs),
               span_of(trace_id('c'), '1', kStartNs + 3 * kMinute)});
  this->bring({span_of(trace_id('d'), '1', kStartNs + kMinute)}, "bank");
  this->bring({span_of(trace_id('e'), '1', kStartNs + 7)}, "");
  EXPECT_EQ(this->found(this->all_of()), "cab");
  EXPECT_EQ(this->found(this->all_of("bank")), "d");
  EXPECT_EQ(this->found(this->all_of("unknown_service")), "e");
  EXPECT_EQ(this->found(this->all_of("sho")), "");
  EXPECT_THAT(this->places(this->all_of("bank")),
              ElementsAre(TracePlace{kStartNs + kMinute, trace_id('d')}));
  TraceQuery no_service = this->all_of("");
  const auto refused = this->events().find_traces(
      this->a_, no_service, [](const auto&) { return true; }, this->unlimited_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
}

TYPED_TEST(SpanSearchContractTest, OnlyItsOwnCustomersTracesAreFound) {
  this->bring({span_of(trace_id('a'), '1', kStartNs)});
  std::size_t seen = 0;
  const auto count = [&](const TracePlace&) { return ++seen > 0; };
  ASSERT_TRUE(
      this->events().find_traces(this->b_, this->all_of(), count, this->unlimited_)->is_whole);
  EXPECT_EQ(seen, 0U);
  EXPECT_THAT(this->events().services(this->b_, {}, this->unlimited_)->texts, IsEmpty());
  EXPECT_THAT(this->events().operations(this->b_, "shop", {}, this->unlimited_)->operations,
              IsEmpty());
}

TYPED_TEST(SpanSearchContractTest, TheRangeIncludesBothItsEnds) {
  this->bring({span_of(trace_id('a'), '1', kStartNs), span_of(trace_id('b'), '1', kStartNs + 1),
               span_of(trace_id('c'), '1', kStartNs + 2), span_of(trace_id('d'), '1', kStartNs + 3),
               span_of(trace_id('e'), '1', kStartNs + kDayNs)});
  TraceQuery query = this->all_of();
  query.from_ns = kStartNs + 1;
  query.to_ns = kStartNs + 2;
  EXPECT_EQ(this->found(query), "cb");
  query.to_ns = kStartNs + kDayNs;
  EXPECT_EQ(this->found(query), "edcb");
  query.from_ns = kStartNs + 2 * kDayNs;
  EXPECT_EQ(this->found(query), "");
}

TYPED_TEST(SpanSearchContractTest, OneSpanMustHaveAllThatIsAskedFor) {
  // 'a': a slow GET, and a POST that failed; 'b': a slow POST that failed.
  this->bring({span_of(trace_id('a'), '1', kStartNs, {.name = "GET", .duration_ns = kSecond}),
               span_of(trace_id('a'), '2', kStartNs + 9, {.name = "POST", .is_error = true}),
               span_of(trace_id('b'), '1', kStartNs + 1,
                       {.name = "POST", .duration_ns = kSecond, .is_error = true})});
  TraceQuery query = this->all_of();
  query.operation = "POST";
  EXPECT_EQ(this->found(query), "ab");
  query.shortest_ns = kSecond;
  EXPECT_EQ(this->found(query), "b");
  query.tags = {{"error", "true"}};
  EXPECT_EQ(this->found(query), "b");
  query.operation = "GET";
  EXPECT_EQ(this->found(query), "") << "no GET failed";
  query.tags.clear();
  EXPECT_EQ(this->found(query), "a");
  query.operation = "GE";
  EXPECT_EQ(this->found(query), "") << "names are whole";
}

// A trace of several services is found by what the asked one did.
TYPED_TEST(SpanSearchContractTest, AServiceIsAskedForWhatItDidItself) {
  this->bring({span_of(trace_id('a'), '1', kStartNs, {.name = "call"})}, "shop");
  this->bring({span_of(trace_id('a'), '2', kStartNs + 1, {.name = "answer", .is_error = true})},
              "bank");
  TraceQuery query = this->all_of("shop");
  query.operation = "answer";
  EXPECT_EQ(this->found(query), "");
  query = this->all_of("shop");
  query.tags = {{"error", "true"}};
  EXPECT_EQ(this->found(query), "");
  query.service = "bank";
  EXPECT_EQ(this->found(query), "a");
}

TYPED_TEST(SpanSearchContractTest, DurationsIncludeBothEnds) {
  this->bring({span_of(trace_id('a'), '1', kStartNs, {.duration_ns = 0}),
               span_of(trace_id('b'), '1', kStartNs + 1, {.duration_ns = 999}),
               span_of(trace_id('c'), '1', kStartNs + 2, {.duration_ns = 1'000}),
               span_of(trace_id('d'), '1', kStartNs + 3, {.duration_ns = 5 * kSecond}),
               // It ends before it starts, by a clock that was set back.
               span_of(trace_id('e'), '1', kStartNs + 4, {.duration_ns = UINT64_MAX - 2 * kMs})});
  const auto of = [&](std::uint64_t shortest_ns, std::uint64_t longest_ns) {
    TraceQuery query = this->all_of();
    query.shortest_ns = shortest_ns;
    query.longest_ns = longest_ns;
    return this->found(query);
  };
  EXPECT_EQ(of(0, 0), "ea");
  EXPECT_EQ(of(999, 1'000), "cb");
  EXPECT_EQ(of(1'000, UINT64_MAX), "dc");
  EXPECT_EQ(of(5 * kSecond, 5 * kSecond), "d");
  EXPECT_EQ(of(5 * kSecond + 1, UINT64_MAX), "");
  EXPECT_EQ(of(2, 1), "");
}

TYPED_TEST(SpanSearchContractTest, TagsAreThoseOfSpanEventsResourceAndStatus) {
  this->bring({span_of(trace_id('a'), '1', kStartNs,
                       {.tags = {{"http.route", "/x"}, {"user", "1"}},
                        .event_tags = {{"exception.type", "Bad"}},
                        .is_error = true,
                        .kind = 2})},
              "shop", {{"k8s.pod.name", "pod-1"}});
  this->bring({span_of(trace_id('b'), '1', kStartNs + 1, {.tags = {{"user", "2"}}, .kind = 3})},
              "shop", {{"k8s.pod.name", "pod-2"}});
  EXPECT_EQ(this->found_with({{"http.route", "/x"}}), "a");
  EXPECT_EQ(this->found_with({{"user", "2"}}), "b");
  EXPECT_EQ(this->found_with({{"exception.type", "Bad"}}), "a");
  EXPECT_EQ(this->found_with({{"event", "exception"}}), "a");
  EXPECT_EQ(this->found_with({{"k8s.pod.name", "pod-2"}}), "b");
  EXPECT_EQ(this->found_with({{"service.name", "shop"}}), "ba");
  EXPECT_EQ(this->found_with({{"span.kind", "client"}}), "b");
  EXPECT_EQ(this->found_with({{"otel.status_code", "ERROR"}}), "a");
  EXPECT_EQ(this->found_with({{"user", "1"}, {"k8s.pod.name", "pod-1"}}), "a");
  EXPECT_EQ(this->found_with({{"user", "1"}, {"k8s.pod.name", "pod-2"}}), "");
  EXPECT_EQ(this->found_with({{"user", ""}}), "");
  EXPECT_EQ(this->found_with({{"http.route", "/x"}, {"http.route", "/x"}}), "a");
}

// However many tags a span has: none of them is out of reach.
TYPED_TEST(SpanSearchContractTest, EachOfManyTagsFindsItsSpan) {
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 500; ++i) many.emplace_back("key" + std::to_string(i), std::to_string(i));
  this->bring({span_of(trace_id('a'), '1', kStartNs, {.tags = many}),
               span_of(trace_id('b'), '1', kStartNs)},
              "shop", many);
  EXPECT_EQ(this->found_with({{"key0", "0"}, {"key499", "499"}}), "ab");
  EXPECT_EQ(this->found_with({{"key0", "1"}}), "");
}

// Pages of any size are the whole walk: nothing twice, nothing missed, though traces have several
// spans on several days, many of one time, and came in any order.
TYPED_TEST(SpanSearchContractTest, EachTraceComesOnceOverAllPages) {
  for (const int part : {2, 0, 1}) {
    std::vector<std::string> spans;
    for (char name = 'a'; name <= 'l'; ++name) {
      const TimestampNs time_ns = kStartNs + static_cast<TimestampNs>(name / 3) * kMinute -
                                  static_cast<TimestampNs>(part) * (kDayNs / 2 + 7);
      spans.push_back(span_of(trace_id(name), static_cast<char>('0' + part), time_ns));
    }
    this->bring(spans);
  }
  const std::vector<TracePlace> all = this->places(this->all_of());
  ASSERT_EQ(all.size(), 12U);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const auto& left, const auto& right) {
    return left.is_before(right);
  }));
  for (const std::size_t page : {1U, 2U, 5U, 12U, 99U}) {
    TraceQuery query = this->all_of();
    query.traces_max = page;
    std::vector<TracePlace> walked;
    for (std::size_t pages = 0; pages <= all.size(); ++pages) {
      const auto more = this->places(query);
      EXPECT_LE(more.size(), page);
      if (more.empty()) break;
      walked.insert(walked.end(), more.begin(), more.end());
      query.after = more.back();
    }
    EXPECT_EQ(walked, all) << "pages of " << page;
  }
}

// A trace's place is that of its latest span with all that is asked for, not of its latest.
TYPED_TEST(SpanSearchContractTest, APlaceIsThatOfTheSpanThatWasAskedFor) {
  this->bring({span_of(trace_id('a'), '1', kStartNs, {.name = "first"}),
               span_of(trace_id('a'), '2', kStartNs + 2 * kMinute, {.name = "last"}),
               span_of(trace_id('b'), '1', kStartNs + kMinute, {.name = "first"})});
  TraceQuery query = this->all_of();
  query.operation = "first";
  EXPECT_EQ(this->found(query), "ba");
  query.operation = "last";
  EXPECT_EQ(this->found(query), "a");
  query = this->all_of();
  query.to_ns = kStartNs + kMinute;
  EXPECT_EQ(this->found(query), "ba") << "what lies behind the range says nothing";
  query.after = TracePlace{kStartNs + kMinute, ""};
  EXPECT_EQ(this->found(query), "ba");
  query.after = TracePlace{kStartNs + kMinute, trace_id('b')};
  EXPECT_EQ(this->found(query), "a");
}

TYPED_TEST(SpanSearchContractTest, AVisitorOrALimitEndsIt) {
  this->bring({span_of(trace_id('a'), '1', kStartNs), span_of(trace_id('b'), '1', kStartNs + 1)});
  std::size_t seen = 0;
  const auto once = [&](const TracePlace&) { return ++seen > 9; };
  ASSERT_TRUE(this->events().find_traces(this->a_, this->all_of(), once, this->unlimited_));
  EXPECT_EQ(seen, 1U);
  TraceQuery none = this->all_of();
  none.traces_max = 0;
  EXPECT_EQ(this->found(none), "");
  const ManualClock clock{0};
  const WorkLimit over(clock, Duration(0), nullptr);
  const auto end = this->events().find_traces(this->a_, this->all_of(), once, over);
  ASSERT_TRUE(end.has_value());
  EXPECT_FALSE(end->is_whole);
  EXPECT_EQ(this->events().services(this->a_, {}, over).error().code, ErrorCode::kDeadline);
  EXPECT_EQ(this->events().operations(this->a_, "shop", {}, over).error().code,
            ErrorCode::kDeadline);
}

TYPED_TEST(SpanSearchContractTest, ServicesAndOperationsAreListedByDay) {
  this->bring(
      {span_of(trace_id('a'), '1', kStartNs, {.name = "GET", .kind = 2}),
       span_of(trace_id('a'), '2', kStartNs, {.name = "GET", .kind = 3}),
       span_of(trace_id('a'), '3', kStartNs, {.name = "GETS", .kind = 1}),
       span_of(trace_id('a'), '4', kStartNs, {.name = std::string(kListedNameMax + 1, 'n')})});
  this->bring({span_of(trace_id('b'), '1', kStartNs + kDayNs, {.name = "PUT"})}, "bank");
  this->bring({span_of(trace_id('c'), '1', kStartNs + kDayNs, {.name = "GET"})}, "shop-2");
  const auto services = [&](const ServiceQuery& query) {
    return this->events().services(this->a_, query, this->unlimited_).value();
  };
  EXPECT_THAT(services({}).texts, ElementsAre("bank", "shop", "shop-2"));
  EXPECT_TRUE(services({}).is_last);
  EXPECT_THAT(services({kStartNs + 5, kStartNs + 5, "", 9}).texts, ElementsAre("shop"));
  EXPECT_THAT(services({kStartNs + kDayNs, UINT64_MAX, "", 9}).texts,
              ElementsAre("bank", "shop-2"));
  EXPECT_THAT(services({0, UINT64_MAX, "", 2}).texts, ElementsAre("bank", "shop"));
  EXPECT_FALSE(services({0, UINT64_MAX, "", 2}).is_last);
  EXPECT_THAT(services({0, UINT64_MAX, "shop", 2}).texts, ElementsAre("shop-2"));
  const auto operations = [&](const OperationQuery& query, const std::string& service = "shop") {
    return this->events().operations(this->a_, service, query, this->unlimited_).value();
  };
  const std::vector<Operation> all = {{"GET", 2}, {"GET", 3}, {"GETS", 1}};
  EXPECT_EQ(operations({}).operations, all);
  EXPECT_THAT(operations({}, "shop-2").operations, ElementsAre(Operation{"GET", 0}));
  EXPECT_THAT(operations({kStartNs + kDayNs, UINT64_MAX}).operations, IsEmpty());
  std::vector<Operation> walked;
  OperationQuery query{.operations_max = 1};
  for (int pages = 0; pages < 5; ++pages) {
    const OperationPage page = operations(query);
    walked.insert(walked.end(), page.operations.begin(), page.operations.end());
    if (page.is_last) break;
    query.after = page.operations.back();
  }
  EXPECT_EQ(walked, all);
}

// C46: nothing of a day that is gone is found or named.
TYPED_TEST(SpanSearchContractTest, WhatHasExpiredIsNotFound) {
  this->bring({span_of(trace_id('a'), '1', kStartNs)}, "old");
  this->bring({span_of(trace_id('a'), '2', kStartNs + kDayNs)}, "new");
  ASSERT_EQ(this->events().expire(Signal::kTraces, kStart + kDayMs).value(), 1U);
  EXPECT_EQ(this->found(this->all_of("old")), "");
  EXPECT_EQ(this->found(this->all_of("new")), "a");
  EXPECT_THAT(this->events().services(this->a_, {}, this->unlimited_)->texts, ElementsAre("new"));
  EXPECT_THAT(this->events().operations(this->a_, "old", {}, this->unlimited_)->operations,
              IsEmpty());
}

// The same span again, and another version of it.
TYPED_TEST(SpanSearchContractTest, ARepeatIsFoundOnceAndEachVersionOfASpanCounts) {
  const std::string open = span_of(trace_id('a'), '1', kStartNs, {.duration_ns = 0});
  this->bring({open});
  const auto again = this->events().write(
      this->a_, Signal::kTraces, export_of("cliente-a", {open}, {{"service.name", "shop"}}));
  EXPECT_EQ(again->repeats, 1U);
  this->bring({span_of(trace_id('a'), '1', kStartNs, {.duration_ns = kSecond})});
  EXPECT_EQ(this->found(this->all_of()), "a");
  TraceQuery query = this->all_of();
  query.shortest_ns = kSecond;
  EXPECT_EQ(this->found(query), "a");
}

}  // namespace
}  // namespace vigia::storage::store
