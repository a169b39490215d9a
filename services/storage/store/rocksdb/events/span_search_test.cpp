// The search for traces on RocksDB: in parts, ended and gone on with, and against a store that
// reads every span.
#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/events/testing/span_index_fixture.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Of a bucket of more traces than are looked at together.
TEST_F(SpanIndexTest, ABucketIsWalkedInParts) {
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    const TimestampNs time_ns = kNowNs + random() % 3 * 1'000'000;
    write({span_of(id(i), 'a', time_ns), span_of(id(i / 2), 'b', time_ns + random() % 2'000'000)});
  }
  const auto whole = find(all());
  ASSERT_EQ(whole.size(), 60U);
  for (const std::size_t at_once : {1U, 2U, 7U, 59U}) {
    const Searched searched = search(all(), {.bucket_traces = at_once});
    EXPECT_TRUE(searched.end.is_whole);
    EXPECT_EQ(searched.found, whole) << at_once;
  }
}

// Who makes his ids up may have several that begin alike, each of however many spans.
TEST_F(SpanIndexTest, TracesWhoseIdsBeginAlikeAreEachFound) {
  const std::string half(kHalfIdBytes, '\x07');
  std::vector<std::string> spans;
  for (const char last : {'a', 'b', 'c', 'd'}) {
    const std::string trace = half + std::string(kHalfIdBytes, last);
    const int count = last == 'b' ? 1 : 60;
    for (int i = 0; i < count; ++i) {
      spans.push_back(
          span_of(trace, static_cast<char>('!' + i), kNowNs + static_cast<unsigned>(i)));
    }
  }
  write(spans);
  EXPECT_EQ(find(all()).size(), 4U);
}

// Traces that go on past what a page begins behind are looked at by each page anew: that may not
// use up what it may look at.
TEST_F(SpanIndexTest, EachPageComesFurtherHoweverManyTracesGoOnPastItsBegin) {
  const TimestampNs base = search_key::bucket_begin(search_key::bucket_of(kNowNs)) + 30 * kSecondNs;
  std::vector<std::string> spans;
  for (int i = 0; i < 30; ++i) {
    const auto ago = static_cast<TimestampNs>(i * 7 % 10) * kSecondNs;
    spans.push_back(span_of(id(i), 'a', base + 20 * kSecondNs, {.name = "other"}));
    spans.push_back(span_of(id(i), 'b', base - ago, {.name = "asked"}));
  }
  write(spans);
  TraceQuery query = all();
  query.operation = "asked";
  const auto whole = find(query);
  ASSERT_EQ(whole.size(), 30U);
  const std::vector<SearchBounds> all_bounds = {{.spans = 5},
                                                {.spans = 0},
                                                {.bucket_traces = 4, .spans = 9},
                                                {.known = 1},
                                                {.spans = 7, .known = 3}};
  for (const SearchBounds& bounds : all_bounds) {
    for (const std::size_t page : {1U, 4U, 100U}) EXPECT_EQ(in_pages(query, bounds, page), whole);
  }
}

TEST_F(SpanIndexTest, ATraceThatIsNotLookedThroughIsTold) {
  write({span_of(id(1), 'a', kNowNs), span_of(id(1), 'b', kNowNs + 1)});
  EXPECT_TRUE(search(all(), {.trace_spans = 2}).end.is_whole);
  const TraceEnd end = search(all(), {.trace_spans = 1}).end;
  EXPECT_FALSE(end.is_whole);
  ASSERT_TRUE(end.looked_at.has_value());
  TraceQuery query = all();
  query.after = end.looked_at;
  EXPECT_TRUE(search(query, {.trace_spans = 1}).end.is_whole) << "who goes on comes to an end";
}

// Each look at it takes a second.
class CountedClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return 0; }
  TimePoint steady() const override { return TimePoint(std::chrono::seconds(++looks_)); }

 private:
  mutable std::atomic<int> looks_{0};
};

// Of rows of which none holds what is asked for, too, and the next one goes on there.
TEST_F(SpanIndexTest, ALimitEndsASearchBetweenRowsOfTheIndex) {
  for (int i = 0; i < 30; ++i) {
    write({span_of(id(i), 'a', kNowNs - static_cast<TimestampNs>(i) * 70 * kSecondNs)});
  }
  TraceQuery query = all();
  query.shortest_ns = 1U << 30U;
  const CountedClock clock;
  int pages = 1;
  for (; pages < 50; ++pages) {
    const WorkLimit limit(clock, std::chrono::seconds(10), nullptr);
    const Searched searched = search(query, {}, limit);
    if (searched.end.is_whole) break;
    ASSERT_TRUE(searched.end.looked_at.has_value());
    ASSERT_TRUE(!query.after || query.after->is_before(*searched.end.looked_at));
    query.after = searched.end.looked_at;
  }
  EXPECT_GE(pages, 3);
  EXPECT_LT(pages, 10);
}

// A search that is ended says where to go on, and whoever does sees all, once.
TEST_F(SpanIndexTest, AnEndedSearchGoesOnBehindWhatItLookedAt) {
  std::mt19937 random(11);
  for (int i = 0; i < 50; ++i) {
    write({span_of(id(i), 'a', kNowNs - random() % 20 * 10 * kSecondNs),
           span_of(id(i), 'b', kNowNs - random() % 20 * 10 * kSecondNs)});
  }
  const auto whole = find(all());
  ASSERT_EQ(whole.size(), 50U);
  std::vector<TracePlace> found;
  TraceQuery query = all();
  for (int pages = 0; pages < 100; ++pages) {
    const auto gone = std::make_shared<std::atomic<bool>>(false);
    const ManualClock clock{0};
    const WorkLimit limit(clock, Duration(1), gone);
    const std::size_t stop = found.size() + 1 + random() % 4;
    const auto end = spans_->find_traces(
        customer(), query,
        [&](const TracePlace& place) {
          found.push_back(place);
          *gone = found.size() >= stop;
          return true;
        },
        limit);
    ASSERT_TRUE(end.has_value());
    if (end->is_whole) break;
    ASSERT_TRUE(end->looked_at.has_value());
    query.after = end->looked_at;
  }
  EXPECT_EQ(found, whole);
}

// Against the store in memory, which reads every span: seeds are printed.
class SpanSearchModelTest : public SpanIndexTest {
 protected:
  using Random = std::mt19937;
  std::string random_span(Random& random) {
    const TimestampNs base = random() % 4 == 0 ? kNowNs - kDayNs / 3 : kNowNs;
    const TimestampNs time_ns = base - random() % 6 * 23 * kSecondNs + random() % 3;
    SpanSaid said;
    said.name = fmt::format("op{}", random() % 3);
    said.duration_ns = (std::uint64_t{1} << random() % 30) + random() % 2;
    if (random() % 2 == 0) said.tags.emplace_back("user", std::to_string(random() % 6));
    if (random() % 5 == 0) said.event_tags.emplace_back("why", std::to_string(random() % 2));
    said.is_error = random() % 4 == 0;
    said.kind = static_cast<int>(random() % 3);
    return span_of(id(static_cast<int>(random() % 40)), static_cast<char>('a' + random() % 9),
                   time_ns, said);
  }
  void bring(Random& random, const CustomerId& customer) {
    std::vector<std::string> spans;
    for (std::size_t i = 0; i < 1 + random() % 6; ++i) spans.push_back(random_span(random));
    const auto body = export_of(customer.text(), spans,
                                {{"service.name", fmt::format("service{}", random() % 2)},
                                 {"pod", fmt::format("pod{}", random() % 3)}});
    for (EventStore* store : {&cold_->events(), &memory_.events()}) {
      ASSERT_TRUE(store->write(customer, Signal::kTraces, body).has_value());
    }
  }
  static TraceQuery random_query(Random& random) {
    TraceQuery query = all(fmt::format("service{}", random() % 2));
    if (random() % 2 == 0) query.operation = fmt::format("op{}", random() % 3);
    if (random() % 3 == 0) query.tags.push_back({"user", std::to_string(random() % 6)});
    if (random() % 4 == 0) query.tags.push_back({"pod", fmt::format("pod{}", random() % 3)});
    if (random() % 6 == 0) query.tags.push_back({"error", "true"});
    if (random() % 8 == 0) query.tags.push_back({"why", "1"});
    if (random() % 4 == 0) query.shortest_ns = std::uint64_t{1} << random() % 30;
    if (random() % 4 == 0) query.longest_ns = std::uint64_t{1} << random() % 30;
    if (random() % 3 == 0) query.from_ns = kNowNs - random() % 6 * 23 * kSecondNs;
    if (random() % 3 == 0) query.to_ns = kNowNs - random() % 6 * 23 * kSecondNs;
    return query;
  }
  static std::vector<TracePlace> page_of(EventStore& store, const CustomerId& customer,
                                         const TraceQuery& query) {
    std::vector<TracePlace> found;
    const WorkLimit unlimited;
    const auto end = store.find_traces(
        customer, query,
        [&](const TracePlace& place) {
          found.push_back(place);
          return true;
        },
        unlimited);
    EXPECT_TRUE(end.has_value() && end->is_whole);
    return found;
  }

  MemoryColdStore memory_;
};

TEST_F(SpanSearchModelTest, FindsWhatReadingEverySpanFinds) {
  const CustomerId own = CustomerId::parse("cliente-a").value();
  const CustomerId other = CustomerId::parse("cliente-b").value();
  std::size_t hits = 0;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    for (int i = 0; i < 40; ++i) bring(random, i % 5 == 0 ? other : own);
    if (seed == 2) forget_index();
    for (int i = 0; i < 60; ++i) {
      TraceQuery query = random_query(random);
      if (random() % 2 == 0) query.traces_max = 1 + random() % 4;
      for (int pages = 0; pages < 50; ++pages) {
        const auto wanted = page_of(memory_.events(), own, query);
        ASSERT_EQ(page_of(cold_->events(), own, query), wanted) << "query " << i;
        hits += wanted.size();
        if (wanted.empty() || wanted.size() < query.traces_max) break;
        query.after = wanted.back();
      }
    }
  }
  EXPECT_GT(hits, 500U) << "most queries find something";
}

// Of spans before and after the place where a page ends only reading tells which traces are still
// to come: each of them is read once for all pages.
TEST_F(SpanIndexTest, APageDoesNotReadAgainWhatTheOneBeforeHasRead) {
  std::vector<std::string> spans;
  for (int i = 0; i < 300; ++i) {
    spans.push_back(span_of(id(i), 'a', kNowNs + static_cast<TimestampNs>(i) * 1'000'000,
                            {.tags = {{"of", "early"}}}));
    spans.push_back(span_of(id(i), 'b', kNowNs + 10 * kSecondNs + static_cast<TimestampNs>(i)));
  }
  write(spans);
  TraceQuery query = all();
  query.tags = {{"of", "early"}};
  const std::vector<TracePlace> wanted = find(query);
  ASSERT_EQ(wanted.size(), 300U);
  query.traces_max = 1;
  ASSERT_EQ(find(query).at(0), wanted[0]);
  query.after = wanted[0];
  // Whoever reads one from now on gets nothing.
  std::vector<kv::KeyValue> spoiled;
  for (const std::uint32_t day : days()) {
    const std::string prefix = event_key::prefix(day, customer());
    const auto scan = store_->scan(kv::Family::kSpans, prefix, kv::after_prefix(prefix));
    while (scan->next()) {
      spoiled.push_back({kv::Family::kSpans, std::string(scan->key()), std::string(1, '\2')});
    }
  }
  ASSERT_EQ(spoiled.size(), 600U);
  ASSERT_TRUE(store_->put(spoiled, kv::Durability::kNow).has_value());
  for (std::size_t i = 1; i < 20; ++i) {
    const auto found = find(query);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], wanted[i]);
    query.after = found[0];
  }
  EXPECT_EQ(spans_->damaged_items(), 0U);
  clock_.advance(kRememberedFor);
  EXPECT_TRUE(find(query).empty()) << "what is no longer remembered is read again";
  EXPECT_GT(spans_->damaged_items(), 0U);
}

// Of a trace that goes on past the place where a page begins its later spans are not all read.
TEST_F(SpanIndexTest, WhoGoesBackAPageIsGivenTheTracesOwnPlaces) {
  const TimestampNs base = search_key::bucket_begin(search_key::bucket_of(kNowNs)) + kSecondNs;
  write({span_of(id(3), 'a', base + 5 * kSecondNs), span_of(id(3), 'b', base + 10 * kSecondNs),
         span_of(id(3), 'c', base + kSecondNs), span_of(id(6), 'a', base)});
  const TracePlace going_on{base + 10 * kSecondNs, id(3)};
  const TracePlace last{base, id(6)};
  TraceQuery query = all();
  query.after = TracePlace{base + 3 * kSecondNs, id(9)};
  EXPECT_EQ(find(query), std::vector{last});
  query.after = TracePlace{base + 20 * kSecondNs, id(9)};
  EXPECT_EQ(find(query), (std::vector{going_on, last}));
  query.after = going_on;
  EXPECT_EQ(find(query), std::vector{last});
}

// Also where the page that comes to the end has not read it itself.
TEST_F(SpanIndexTest, ATraceThatIsNotLookedThroughIsToldOverPages) {
  write(
      {span_of(id(3), 'a', kNowNs), span_of(id(3), 'b', kNowNs), span_of(id(6), 'a', kNowNs - 1)});
  const SearchBounds bounds{.trace_spans = 1};
  LatestSpans memory;
  TraceQuery query = all();
  query.traces_max = 1;
  const Searched first = search(query, bounds, {}, &memory);
  ASSERT_EQ(first.found, (std::vector{TracePlace{kNowNs, id(3)}}));
  EXPECT_FALSE(memory.empty());
  query.after = first.found[0];
  query.traces_max = 10;
  const Searched second = search(query, bounds, {}, &memory);
  EXPECT_EQ(second.found, (std::vector{TracePlace{kNowNs - 1, id(6)}}));
  EXPECT_FALSE(second.end.is_whole);
}

TEST(SearchMemory, IsBoundedByCustomerAndForgets) {
  ManualClock clock{0};
  SearchMemory memory(clock);
  const auto some = [](std::size_t count) {
    LatestSpans spans;
    for (std::size_t i = 0; i < count; ++i) spans.emplace(std::to_string(i), LatestSpan{});
    return spans;
  };
  const customers::CustomerNumber a{1};
  const customers::CustomerNumber b{2};
  memory.keep(b, 7, some(50));
  for (std::uint64_t question = 0; question < 10; ++question)
    memory.keep(a, question, some(30'000));
  EXPECT_EQ(memory.traces(), 90'050U) << "three of the one, and the other's";
  EXPECT_EQ(memory.take(a, 0).size(), 0U);
  EXPECT_EQ(memory.take(a, 9).size(), 30'000U);
  EXPECT_EQ(memory.take(a, 9).size(), 0U) << "taken once";
  EXPECT_EQ(memory.take(a, 7).size(), 30'000U);
  EXPECT_EQ(memory.take(b, 7).size(), 50U);
  memory.keep(a, 1, some(2 * kRememberedTracesOfOne));
  EXPECT_EQ(memory.traces(), kRememberedTracesOfOne);
  clock.advance(kRememberedFor);
  EXPECT_EQ(memory.take(a, 1).size(), 0U);
  EXPECT_EQ(memory.traces(), 0U);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
