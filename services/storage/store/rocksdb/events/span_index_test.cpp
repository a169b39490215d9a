// The index of spans on RocksDB: what it says of them, what it costs, and what becomes of spans
// that have none.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/events/indexed_days.hpp"
#include "services/storage/store/rocksdb/events/testing/span_index_fixture.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TagFilter, LetsEachOfItsTagsPassAndFewOthers) {
  for (const std::size_t count : {0U, 1U, 7U, 64U}) {
    TagHashes tags(64);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(tags.add(hash_tag("key", std::to_string(i))));
      EXPECT_TRUE(tags.add(hash_tag("key", std::to_string(i))));
    }
    std::string bytes;
    append_filter(bytes, tags, 64);
    ByteReader reader(bytes);
    const std::uint64_t length = reader.read_varint();
    const TagFilter filter{reader.rest(), false};
    EXPECT_EQ(length == 0 ? 0 : length - 1, filter.bytes.size());
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(filter.may_have(hash_tag("key", std::to_string(i))));
    }
    int others = 0;
    for (int i = 0; i < 10'000; ++i)
      others += filter.may_have(hash_tag("key", fmt::format("x{}", i)));
    EXPECT_LT(others, 1'000) << count;
  }
}

TEST(TagFilter, LetsAllPassWhereTheTagsAreTooMany) {
  TagHashes tags(3);
  for (std::uint64_t i = 0; i < 100; ++i) tags.add(i * 0x9e3779b97f4a7c15U);
  std::string bytes;
  append_filter(bytes, tags, 64);
  EXPECT_EQ(bytes, std::string(1, '\1'));
  TagHashes few(64);
  few.add(1);
  few.add(2);
  bytes.clear();
  append_filter(bytes, few, 1);
  EXPECT_EQ(bytes, std::string(1, '\1')) << "longer than it may be";
}

TEST(SpanBlock, RoughDurationsNeverShrink) {
  std::uint8_t last = 0;
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t half : {std::uint64_t{0}, (std::uint64_t{1} << bit) / 2}) {
      const std::uint64_t duration = (std::uint64_t{1} << bit) + half;
      EXPECT_GE(rough_duration(duration), last);
      EXPECT_LE(rough_duration(duration - 1), rough_duration(duration));
      last = rough_duration(duration);
    }
  }
  EXPECT_EQ(rough_duration(0), 0);
  EXPECT_GT(rough_duration(1), 0);
  EXPECT_EQ(rough_duration(UINT64_MAX), last);
}

std::string block_of_two() {
  SpanBlockBuilder builder(7);
  for (const char name : {'a', 'b'}) {
    TraceSummary trace;
    trace.earliest_ns = search_key::bucket_begin(7) + 5'000'000;
    trace.latest_ns = trace.earliest_ns + static_cast<TimestampNs>(name - 'a') * 9'000'000'000;
    trace.shortest = trace.longest = rough_duration(1'000);
    trace.operations = {search_key::hash_of("GET"), search_key::hash_of(std::string(1, name)),
                        search_key::hash_of("GET")};
    trace.tags.add(hash_tag("of", std::string(1, name)));
    builder.add(std::string(kTraceIdBytes, name), std::move(trace));
  }
  return builder.finish();
}

std::string letters(const std::string& block, const TraceQuery& query) {
  std::vector<FoundTrace> found;
  EXPECT_TRUE(read_span_block(7, block, SpanBlockFilter(query), found).has_value());
  std::string letters;
  for (const FoundTrace& trace : found) letters += trace.id[0];
  return letters;
}

TEST(SpanBlock, GivesWhatMayHaveWhatIsAskedFor) {
  const std::string block = block_of_two();
  TraceQuery query;
  query.to_ns = UINT64_MAX;
  EXPECT_EQ(letters(block, query), "ab");
  query.operation = "b";
  EXPECT_EQ(letters(block, query), "b");
  query.operation = "other";
  EXPECT_EQ(letters(block, query), "");
  query.operation = "";
  query.tags = {{"of", "a"}};
  EXPECT_EQ(letters(block, query), "a");
  query.tags.clear();
  query.from_ns = search_key::bucket_begin(7) + 8'000'000'000;
  EXPECT_EQ(letters(block, query), "b");
  query.from_ns = 0;
  query.shortest_ns = 1'000'000;
  EXPECT_EQ(letters(block, query), "");
}

// Whatever lies there: an error, or what could be read, never more.
TEST(SpanBlock, WhatIsCutOrTurnedIsNoFault) {
  const std::string block = block_of_two();
  TraceQuery query;
  query.to_ns = UINT64_MAX;
  const SpanBlockFilter filter(query);
  for (std::size_t i = 0; i < block.size(); ++i) {
    std::vector<FoundTrace> found;
    if (i != 0) read_span_block(7, block.substr(0, i), filter, found);
    EXPECT_LE(found.size(), 2U);
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string turned = block;
      turned[i] = static_cast<char>(static_cast<unsigned char>(turned[i]) ^ (1U << bit));
      found.clear();
      read_span_block(7, turned, filter, found);
      EXPECT_LE(found.size(), block.size() / kHalfIdBytes);
    }
  }
  std::vector<FoundTrace> found;
  EXPECT_EQ(read_span_block(7, "", filter, found).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(read_span_block(7, block.substr(0, block.size() - 1), filter, found).error().code,
            ErrorCode::kCorrupt);
}

// A customer chooses tags, resources and times: none of it may cost many times what it sent.
TEST_F(SpanIndexTest, RowsOfTheIndexAreBoundedWhateverASpanSays) {
  std::vector<std::pair<std::string, std::string>> tags;
  for (int i = 0; i < 10'000; ++i) tags.emplace_back("key" + std::to_string(i), "value");
  std::vector<std::string> spans;
  for (int i = 0; i < 100; ++i) {  // a bucket each
    spans.push_back(
        span_of(id(i), 'a', kNowNs - static_cast<TimestampNs>(i) * 70 * kSecondNs,
                {.name = "op" + std::to_string(i), .tags = i == 0 ? tags : decltype(tags)()}));
  }
  auto attributes = tags;
  attributes.emplace_back("service.name", "shop");
  written(*spans_, *index_, "cliente-a", export_of("cliente-a", spans, attributes));
  std::size_t bytes = 0;
  for (const kv::KeyValue& row : index_rows()) bytes += row.key.size() + row.value.size();
  EXPECT_LT(bytes, 100U * 250U);
  TraceQuery query = all();
  query.tags = {{"key9999", "value"}};
  EXPECT_EQ(find(query).size(), 100U);
}

// Its name comes once, and would stand on each of the days.
TEST_F(SpanIndexTest, ANameOfAServiceIsNotWrittenForEachDayThatARequestClaims) {
  constexpr std::size_t kSpans = 1'000;
  std::vector<std::string> spans;
  for (std::size_t i = 0; i < kSpans; ++i) {
    spans.push_back(span_of(id(static_cast<int>(i)), 'a', kNowNs - i * kDayNs));
  }
  const auto index_bytes = [&] {
    std::size_t bytes = 0;
    for (const kv::KeyValue& row : index_rows()) bytes += row.key.size() + row.value.size();
    return bytes;
  };
  const std::string usual(100, 'u');
  ASSERT_EQ(write(spans, usual).stored, kSpans);
  const std::size_t before = index_bytes();
  const std::string longest(kListedNameMax, 'n');
  ASSERT_EQ(write(spans, longest).stored, kSpans);
  EXPECT_LT(index_bytes() - before, kSpans * 500U);
  EXPECT_EQ(find(all(longest)).size(), kSpans);
  EXPECT_THAT(spans_->services(customer(), {}, unlimited_)->texts, ElementsAre(longest, usual));
  const TimestampNs first_ns = kNowNs - (kSpans - 1) * kDayNs;
  EXPECT_THAT(spans_->services(customer(), {first_ns, first_ns, "", 9}, unlimited_)->texts,
              ::testing::Contains(usual))
      << "a usual one stands on each day";
}

TEST_F(SpanIndexTest, ARepeatWritesNoRowOfTheIndex) {
  std::vector<std::string> spans;
  for (int i = 0; i < 5; ++i) spans.push_back(span_of(id(i), 'a', kNowNs));
  EXPECT_EQ(write(spans).stored, 5U);
  const std::size_t rows = index_rows().size();
  EXPECT_EQ(rows, 3U) << "a block, a service, an operation";
  EXPECT_EQ(write(spans).repeats, 5U);
  EXPECT_EQ(index_rows().size(), rows);
  spans.push_back(span_of(id(5), 'a', kNowNs));
  EXPECT_EQ(write(spans).stored, 1U);
  EXPECT_EQ(index_rows().size(), rows + 1) << "a block more, of names none";
}

TEST_F(SpanIndexTest, WhatHasNoTimeIsFoundAtTheDaysFirstMoment) {
  write({span_of(id(1), 'a', 0), span_of(id(2), 'a', kNowNs * 2), span_of(id(3), 'a', kNowNs)});
  const TimestampNs midnight = kNowNs / kDayNs * kDayNs;
  EXPECT_THAT(find(all()), ElementsAre(TracePlace{kNowNs, id(3)}, TracePlace{midnight, id(1)},
                                       TracePlace{midnight, id(2)}));
  TraceQuery query = all();
  query.to_ns = midnight;
  EXPECT_EQ(find(query).size(), 2U);
  query.to_ns = midnight - 1;
  EXPECT_THAT(find(query), IsEmpty());
}

// Spans of before the index are indexed when a search comes to their day.
TEST_F(SpanIndexTest, SpansOfAnOlderProgramAreFound) {
  for (int i = 0; i < 40; ++i) {
    write({span_of(id(i), 'a', kNowNs - static_cast<TimestampNs>(i % 4) * kDayNs / 2)},
          i % 2 == 0 ? "shop" : "bank");
  }
  const auto before = find(all());
  ASSERT_EQ(before.size(), 20U);
  forget_index();
  EXPECT_THAT(index_rows(), IsEmpty());
  EXPECT_EQ(find(all()), before);
  EXPECT_EQ(find(all("bank")).size(), 20U);
  const std::size_t rows = index_rows().size();
  EXPECT_GT(rows, 0U);
  EXPECT_EQ(find(all()), before);
  EXPECT_EQ(index_rows().size(), rows) << "once";
  reopen();
  EXPECT_EQ(find(all()), before);
  EXPECT_EQ(index_rows().size(), rows) << "once and for all";
  forget_index();
  EXPECT_THAT(spans_->services(customer(), {}, unlimited_)->texts, ElementsAre("bank", "shop"));
  forget_index();
  EXPECT_EQ(spans_->operations(customer(), "bank", {}, unlimited_)->operations.size(), 1U);
}

// What is written meanwhile on such a day is there too, and nothing twice.
TEST_F(SpanIndexTest, ADayThatIsIndexedLateTakesNewSpans) {
  write({span_of(id(1), 'a', kNowNs)});
  forget_index();
  write({span_of(id(2), 'a', kNowNs + 1)});
  EXPECT_EQ(find(all()).size(), 2U);
  write({span_of(id(3), 'a', kNowNs + 2)});
  EXPECT_EQ(find(all()).size(), 3U);
}

TEST_F(SpanIndexTest, ALimitEndsTheIndexingAndTheNextSearchGoesOn) {
  std::vector<std::string> spans;
  for (int i = 0; i < 25'000; ++i) spans.push_back(span_of(id(i), 'a', kNowNs));
  write(spans);
  forget_index();
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  int searches = 0;
  for (; searches < 10; ++searches) {
    ManualClock clock{0};
    // Over as soon as the first batch is done: a search always comes further.
    const WorkLimit limit(clock, Duration(1), gone);
    std::atomic<std::uint64_t> count{0};
    DamagedItems damaged(count);
    KnownNames names;
    LateIndex late(*store_, customer(), 77, names, damaged);
    clock.advance(Duration(2));
    const auto made = late.make(days().back(), limit);
    ASSERT_TRUE(made.has_value());
    if (*made) break;
  }
  EXPECT_EQ(searches, 2) << "batches of 10,000";
  EXPECT_EQ(find(all()).size(), 25'000U);
}

// A row that cannot be read is one row; what it led to is found again once it is known to be lost.
TEST_F(SpanIndexTest, AMalformedRowOfTheIndexIsCounted) {
  write({span_of(id(1), 'a', kNowNs)});
  write({span_of(id(4), 'a', kNowNs)});
  std::vector<kv::KeyValue> rows = index_rows();
  const auto block = std::find_if(rows.begin(), rows.end(),
                                  [](const kv::KeyValue& row) { return !row.value.empty(); });
  block->value = "nothing";
  ASSERT_TRUE(store_->put({*block}, kv::Durability::kNow).has_value());
  EXPECT_EQ(find(all()).size(), 1U);
  EXPECT_EQ(spans_->damaged_items(), 1U);
  block->value.clear();
  ASSERT_TRUE(store_->set_aside({*block}, "a test").has_value());
  EXPECT_EQ(find(all()).size(), 2U);
}

TEST_F(SpanIndexTest, DamageHasTheDaysIndexedAnewOnceAMinute) {
  write({span_of(id(1), 'a', kNowNs)});
  kv::DaySet days(*store_, kv::Family::kSpans);
  ASSERT_TRUE(days.load().has_value());
  ManualClock clock{0};
  IndexedDays indexed(*store_, days, clock, Signal::kTraces);
  ASSERT_TRUE(indexed.load().has_value());
  const auto epoch_after_damage = [&] {
    EXPECT_TRUE(store_->set_aside({{kv::Family::kSpans, "none", ""}}, "a test").has_value());
    EXPECT_TRUE(indexed.look().has_value());
    return indexed.epoch();
  };
  const std::uint64_t first = epoch_after_damage();
  EXPECT_EQ(epoch_after_damage(), first);
  clock.advance(std::chrono::seconds(61));
  EXPECT_TRUE(indexed.look().has_value());
  EXPECT_NE(indexed.epoch(), first) << "what was found meanwhile is not forgotten";
}

// Nobody waits for it: a search looks itself.
TEST_F(SpanIndexTest, WritesLookForDamageOnceASecond) {
  kv::DaySet days(*store_, kv::Family::kSpans);
  ManualClock clock{0};
  IndexedDays indexed(*store_, days, clock, Signal::kTraces);
  ASSERT_TRUE(indexed.load().has_value());
  ASSERT_TRUE(indexed.look_at_times().has_value());
  const std::uint64_t first = indexed.epoch();
  ASSERT_TRUE(store_->set_aside({{kv::Family::kSpans, "none", ""}}, "a test").has_value());
  EXPECT_TRUE(indexed.look_at_times().has_value());
  EXPECT_EQ(indexed.epoch(), first);
  clock.advance(std::chrono::seconds(1));
  EXPECT_TRUE(indexed.look_at_times().has_value());
  EXPECT_NE(indexed.epoch(), first);
}

TEST_F(SpanIndexTest, NamesOfADayThatHasGoneAreWrittenAgain) {
  write({span_of(id(1), 'a', kNowNs)});
  const auto now_ms = static_cast<TimestampMs>(kNowNs / 1'000'000);
  ASSERT_EQ(spans_->expire(now_ms + 2 * kDayMs).value(), 1U);
  write({span_of(id(2), 'a', kNowNs)});
  EXPECT_THAT(spans_->services(customer(), {}, unlimited_)->texts, ElementsAre("shop"));
}

TEST_F(SpanIndexTest, RowsOfTheIndexThatWereLostBeforeARestartHideNothing) {
  write({span_of(id(1), 'a', kNowNs)});
  ASSERT_TRUE(store_->set_aside(index_rows(), "a test").has_value());
  for (int starts = 1; starts <= 2; ++starts) {
    reopen();
    EXPECT_EQ(find(all()).size(), 1U) << "after start " << starts;
  }
}

// Once for each damage, not at each start; and a row of before the mark is believed where there was
// never any.
TEST_F(SpanIndexTest, AStartHasTheDaysIndexedAnewAfterDamageAlone) {
  const auto epoch = [&] {
    kv::DaySet days(*store_, kv::Family::kSpans);
    EXPECT_TRUE(days.load().has_value());
    IndexedDays indexed(*store_, days, clock_, Signal::kTraces);
    EXPECT_TRUE(indexed.load().has_value());
    return indexed.epoch();
  };
  const auto forget_mark = [&] {
    const auto row = store_->get(kv::Family::kIndex, "m/span_index");
    ASSERT_TRUE(row.has_value() && row->has_value());
    const std::string old = (*row)->substr(0, 12);
    ASSERT_TRUE(store_
                    ->put({{kv::Family::kIndex, "m/span_index", old},
                           {kv::Family::kIdentity, "m/span_index", old}},
                          kv::Durability::kNow)
                    .has_value());
  };
  const std::uint64_t first = epoch();
  EXPECT_EQ(epoch(), first);
  forget_mark();
  EXPECT_EQ(epoch(), first);
  ASSERT_TRUE(store_->set_aside({{kv::Family::kSpans, "none", ""}}, "a test").has_value());
  const std::uint64_t second = epoch();
  EXPECT_NE(second, first);
  EXPECT_EQ(epoch(), second);
  forget_mark();
  EXPECT_NE(epoch(), second) << "what was found is not known to have been seen";
}

// Not one row of the service for each of them.
TEST_F(SpanIndexTest, ABatchWritesTheRowOfAServiceOnce) {
  KnownNames known;
  SpanIndexer indexer(customer(), known);
  const std::string resource = "";
  const auto origin = std::make_shared<const OriginTags>(resource, "");
  for (int i = 0; i < 10; ++i) {
    const std::string key = event_key::prefix(20'000, customer()) + id(i);
    indexer.add(key, span_of(id(i), 'a', kNowNs, {.name = "op" + std::to_string(i)}), origin);
  }
  const auto rows = indexer.finish(0);
  const std::string prefix = search_key::services(20'000, customer());
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(),
                          [&](const kv::KeyValue& row) { return row.key.starts_with(prefix); }),
            1);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
