// What finding spans on Cassandra promises beyond the contract: parts that grow, what came before
// the index, damage, instances that share a cluster.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/testing/events_on_a_node.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vigia::cassandra::BoundCells;

constexpr TimestampNs kSecond = 1'000'000'000;

class SpanIndexOnANode : public EventsOnANode {
 protected:
  static std::string id_of(int number) { return fmt::format("{:016}", number); }
  void bring(CassandraColdStore& store, const std::vector<std::string>& spans,
             const std::string& service = "shop") {
    const auto counts = store.events().write(
        a_, Signal::kTraces, export_of("cliente-a", spans, {{"service.name", service}}));
    ASSERT_TRUE(counts.has_value());
    ASSERT_EQ(counts->stored, spans.size());
  }
  std::vector<std::string> page(CassandraColdStore& store, TraceQuery& query,
                                bool* whole = nullptr) {
    std::vector<std::string> ids;
    const auto visit = [&](const TracePlace& place) {
      ids.push_back(place.trace_id);
      query.after = place;
      return true;
    };
    const auto end = store.events().find_traces(a_, query, visit, unlimited_);
    EXPECT_TRUE(end.has_value());
    if (end && end->looked_at) query.after = end->looked_at;
    if (whole != nullptr) *whole = end && end->is_whole;
    return ids;
  }
  static TraceQuery all_of(const std::string& service = "shop") {
    TraceQuery query;
    query.to_ns = UINT64_MAX;
    query.service = service;
    return query;
  }
  std::vector<std::string> spans_of_day(CassandraColdStore& store) {
    std::vector<std::string> ids;
    const auto visit = [&](const EventView& span) {
      ids.emplace_back(outline_of(span.item).trace_id);
      return true;
    };
    EXPECT_EQ(store.span_days()->read_day(a_, kDay, visit, unlimited_), true);
    return ids;
  }
};

// Sixteen, four and one of a trace go in a request.
TEST_F(SpanIndexOnANode, OfATraceEachSpanIsThereOnceAndARepeatIsTold) {
  const auto store = opened();
  std::vector<std::string> spans;
  for (int i = 0; i < 40; ++i) {
    const TimestampNs start = kStartNs + static_cast<TimestampNs>(i) * kSecond;
    spans.push_back(span_of(id_of(i % 3), static_cast<char>('a' + i / 3), start));
  }
  bring(*store, {spans.begin(), spans.begin() + 29});
  const auto counts = store->events().write(
      a_, Signal::kTraces, export_of("cliente-a", spans, {{"service.name", "shop"}}));
  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->stored, 11U);
  std::vector<std::string> found = spans_of_day(*store);
  std::sort(found.begin(), found.end());
  std::vector<std::string> wanted;
  for (int i = 0; i < 40; ++i) wanted.push_back(id_of(i % 3));
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(found, wanted);
}

TEST_F(SpanIndexOnANode, FullPartsAreFollowedByOthersAndAllOfThemAreRead) {
  const auto store = opened(200);
  std::vector<std::string> wanted;
  for (int request = 0; request < 30; ++request) {
    std::vector<std::string> spans;
    for (int i = 0; i < 3; ++i) {
      const int number = request * 3 + i;
      SpanSaid said;
      said.name = fmt::format("operation-{:04}", number);
      spans.push_back(span_of(id_of(number), '1', kStartNs + number * kSecond, said));
      wanted.push_back(id_of(number));
    }
    bring(*store, spans);
  }
  EXPECT_GT(rows_of("event_places"), 10U);
  EXPECT_EQ(spans_of_day(*store), wanted);
  OperationQuery operations;
  operations.operations_max = 1'000;
  const auto listed = store->events().operations(a_, "shop", operations, unlimited_);
  EXPECT_THAT(listed->operations, SizeIs(wanted.size()));
  std::reverse(wanted.begin(), wanted.end());
  const auto other = opened();
  TraceQuery query = all_of();
  query.traces_max = 7;
  std::vector<std::string> found;
  for (auto more = page(*other, query); !more.empty(); more = page(*other, query)) {
    found.insert(found.end(), more.begin(), more.end());
  }
  EXPECT_EQ(found, wanted) << "by another instance";
}

TEST_F(SpanIndexOnANode, WhatCameBeforeTheIndexIsToldAndIsReadByDay) {
  const auto store = opened();
  bring(*store, {span_of(id_of(1), '1', kStartNs), span_of(id_of(2), '1', kStartNs)});
  for (const char* const table : {"event_places", "span_blocks", "trace_ids", "span_names"}) {
    run("TRUNCATE {}." + std::string(table));
  }
  const auto later = opened();
  bring(*later, {span_of(id_of(3), '1', kStartNs)});
  later->own_events().use_indexed_from(kDay + 1);
  TraceQuery query = all_of();
  bool is_whole = true;
  EXPECT_THAT(page(*later, query, &is_whole), ElementsAre(id_of(3)));
  EXPECT_FALSE(is_whole);
  EXPECT_THAT(page(*later, query, &is_whole), IsEmpty());
  EXPECT_TRUE(is_whole) << "said once";
  EXPECT_THAT(spans_of_day(*later), ElementsAre(id_of(1), id_of(2), id_of(3)));
  later->own_events().use_indexed_from(kDay);
  EXPECT_THAT(spans_of_day(*later), ElementsAre(id_of(3)));
}

TEST_F(SpanIndexOnANode, ADamagedBlockIsCountedAndTheOthersAreFound) {
  const auto store = opened();
  bring(*store, {span_of(id_of(1), '1', kStartNs)});
  bring(*store, {span_of(id_of(2), '1', kStartNs + 1)});
  const auto read = first_.shared.session
                        ->prepare({fmt::format("SELECT service, slot, shard, bucket, block FROM "
                                               "{}.span_blocks LIMIT 1",
                                               first_.shared.settings.keyspace)})
                        .value();
  const auto page_of = first_.shared.session->fetch({*read, {}, "", std::chrono::seconds(20)});
  auto row = page_of->row(0);
  BoundCells cells;
  cells.add_blob("\x01\x01").add_text("cliente-a").add_blob(row.read_blob());
  cells.add_int(row.read_int()).add_int(row.read_int());
  cells.add_bigint(row.read_bigint()).add_bigint(row.read_bigint());
  const auto write = first_.shared.session
                         ->prepare({fmt::format("UPDATE {}.span_blocks SET data = ? WHERE "
                                                "customer_id = ? AND service = ? AND slot = ? AND "
                                                "shard = ? AND bucket = ? AND block = ?",
                                                first_.shared.settings.keyspace)})
                         .value();
  ASSERT_TRUE(first_.shared.session->fetch({*write, cells, "", std::chrono::seconds(20)}));
  TraceQuery query = all_of();
  EXPECT_THAT(page(*store, query), SizeIs(1));
  EXPECT_EQ(store->events().damaged_items(Signal::kTraces), 1U);
}

TEST_F(SpanIndexOnANode, ATraceOfManyBytesLiesInPartsAndIsReadOnceAsAWhole) {
  const auto store = opened(1'000);
  std::vector<std::string> wanted;
  for (int request = 0; request < 10; ++request) {
    std::vector<std::string> spans;
    for (int i = 0; i < 4; ++i) {
      const auto letter = static_cast<char>('A' + request * 4 + i);
      spans.push_back(span_of(id_of(1), letter, kStartNs + static_cast<TimestampNs>(request)));
      wanted.push_back(spans.back());
    }
    bring(*store, spans);
    const auto again = store->events().write(
        a_, Signal::kTraces, export_of("cliente-a", spans, {{"service.name", "shop"}}));
    EXPECT_EQ(again->repeats, 4U);
  }
  const std::size_t parted = rows_of("span_parts");
  EXPECT_GT(parted, 10U);
  EXPECT_EQ(parted + rows_of("spans"), wanted.size());
  const auto other = opened();  // it takes the last one again for whole
  const auto again = other->events().write(
      a_, Signal::kTraces, export_of("cliente-a", {wanted.back()}, {{"service.name", "shop"}}));
  ASSERT_TRUE(again.has_value());
  std::vector<std::string> found;
  const auto visit = [&](const EventView& span) {
    found.emplace_back(span.item);
    return true;
  };
  EXPECT_EQ(other->events().read_trace(a_, id_of(1), visit, unlimited_), true);
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(found, wanted);
  EXPECT_THAT(spans_of_day(*other), SizeIs(wanted.size()));
  TraceQuery query = all_of();
  EXPECT_THAT(page(*other, query), ElementsAre(id_of(1)));
  EXPECT_THAT(page(*other, query), IsEmpty()) << "it was given: by its spans in whichever part";
}

// The bounds of a search: of a bucket with more spans than have room, all come, in order.
TEST_F(SpanIndexOnANode, ManySpansOfOneTimeAreAllFound) {
  const auto store = opened();
  std::vector<std::string> spans;
  std::vector<std::string> wanted;
  for (int number = 0; number < 50; ++number) {
    spans.push_back(span_of(id_of(number), '1', kStartNs));
    wanted.push_back(id_of(number));
  }
  bring(*store, spans);
  store->own_events().use_search_bounds({.bucket_spans = 7});
  TraceQuery query = all_of();
  EXPECT_EQ(page(*store, query), wanted);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
