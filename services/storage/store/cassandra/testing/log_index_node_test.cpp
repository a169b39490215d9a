// What log records on Cassandra promise beyond the contract: streams that are read alone, slots in
// parts, and what came before there were either.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/testing/events_on_a_node.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vigia::cassandra::BoundCells;

class LogIndexOnANode : public EventsOnANode {
 protected:
  EventCounts bring(CassandraColdStore& store, const std::string& service,
                    const std::vector<std::string>& records) {
    const auto counts = store.events().write(
        a_, Signal::kLogs, export_of("cliente-a", records, {{"service.name", service}}));
    EXPECT_TRUE(counts.has_value());
    return counts.value_or(EventCounts{});
  }
  static std::string record(TimestampNs behind, const std::string& text) {
    return log_record_of(kStartNs + behind, text);
  }
  std::vector<std::string> read(CassandraColdStore& store, const std::string& service,
                                LogDirection direction = LogDirection::kForward,
                                std::size_t page = SIZE_MAX) {
    const auto matchers = compile_matchers({{MatchType::kEqual, "service_name", service}}).value();
    LogQuery query{0, UINT64_MAX, direction};
    if (!service.empty()) query.stream = &matchers;
    query.records_max = page;
    std::vector<std::string> items;
    std::size_t before = 0;
    do {
      before = items.size();
      const auto visit = [&](const LogRecordView& record) {
        items.emplace_back(record.event.item);
        query.after = record.place;
        return true;
      };
      const auto end = store.events().read_logs(a_, query, visit, unlimited_);
      EXPECT_TRUE(end.has_value() && end->is_whole);
    } while (page != SIZE_MAX && items.size() > before);
    return items;
  }
};

// The others' records are made such that whoever reads one counts it as damaged.
TEST_F(LogIndexOnANode, OnlyTheRecordsOfTheStreamAreRead) {
  const auto store = opened();
  const TimestampNs later = 7 * kSlotNs;
  for (const std::string other : {"bank", "mail", "desk"}) {
    for (TimestampNs i = 0; i < 3; ++i) {
      bring(*store, other, {record(10 * i + 1, other), record(later + 10 * i + 1, other)});
    }
  }
  run("TRUNCATE {}.event_origins");
  std::vector<std::string> wanted;
  for (TimestampNs i = 0; i < 120; ++i) {
    wanted.push_back(record((i < 70 ? 0 : later) + 10 * i, std::to_string(i)));
  }
  bring(*store, "shop", wanted);
  EXPECT_EQ(read(*store, "shop"), wanted);
  EXPECT_EQ(read(*store, "shop", LogDirection::kForward, 7), wanted);
  std::reverse(wanted.begin(), wanted.end());
  EXPECT_EQ(read(*store, "shop", LogDirection::kBackward), wanted);
  EXPECT_EQ(read(*store, "shop", LogDirection::kBackward, 7), wanted);
  EXPECT_THAT(read(*store, "nobody"), IsEmpty());
  EXPECT_EQ(store->events().damaged_items(Signal::kLogs), 0U) << "others' records were read";
  EXPECT_THAT(read(*store, ""), SizeIs(120));
  EXPECT_EQ(store->events().damaged_items(Signal::kLogs), 18U);
}

// Sixteen, four and one go in a request, of one slot, and fewer where they are large.
TEST_F(LogIndexOnANode, OfThoseThatGoTogetherEachIsThereOnceAndARepeatIsTold) {
  const auto store = opened();
  std::vector<std::string> wanted;
  for (TimestampNs i = 0; i < 75; ++i) {
    const TimestampNs behind = (i < 43 ? 0 : kSlotNs) + i;
    const std::size_t length = i % 10 == 3 ? 50'000 : 5;
    wanted.push_back(record(behind, std::string(length, 'x') + std::to_string(i)));
  }
  const std::vector<std::string> first(wanted.begin(), wanted.begin() + 61);
  EXPECT_EQ(bring(*store, "shop", first).stored, 61U);
  EXPECT_EQ(bring(*store, "shop", wanted).stored, 14U);
  EXPECT_EQ(bring(*store, "shop", wanted).stored, 0U);
  EXPECT_EQ(read(*store, "shop"), wanted);
}

TEST_F(LogIndexOnANode, FullPartsAreFollowedByOthersAndRepeatsAreReadOnce) {
  const auto store = opened(600);
  std::vector<std::string> wanted;
  for (int request = 0; request < 20; ++request) {
    std::vector<std::string> records;
    for (int i = 0; i < 4; ++i) {
      records.push_back(
          record(static_cast<TimestampNs>(request), fmt::format("{}/{}", request, i)));
      wanted.push_back(records.back());
    }
    EXPECT_EQ(bring(*store, "shop", records).stored, 4U);
    EXPECT_EQ(bring(*store, "shop", records).repeats, 4U);
  }
  EXPECT_EQ(rows_of("log_rows"), 80U);
  EXPECT_EQ(read(*store, ""), wanted);
  EXPECT_EQ(read(*store, "", LogDirection::kForward, 7), wanted);
  // Who was started anew does not know how full the parts are: the same again lies in two of them.
  first_.clock.advance(std::chrono::seconds(1));
  const auto other = opened(600);
  bring(*other, "shop", {wanted[78], wanted[79]});
  EXPECT_GT(rows_of("log_rows"), 80U);
  EXPECT_EQ(read(*other, ""), wanted);
  std::reverse(wanted.begin(), wanted.end());
  EXPECT_EQ(read(*other, "", LogDirection::kBackward), wanted);
}

TEST_F(LogIndexOnANode, RecordsOfBeforeThereWerePartsAreReadBesideTheOthers) {
  const auto store = opened();
  bring(*store, "bank", {record(1, "1")});
  bring(*store, "mail", {record(3, "3")});
  bring(*store, "shop", {record(2, "2")});
  run("TRUNCATE {}.log_records");
  // As the version before has written it.
  const auto& keyspace = first_.shared.settings.keyspace;
  const auto all = first_.shared.session
                       ->prepare({fmt::format("SELECT slot, time_ns, digest, day, resource, scope, "
                                              "item FROM {}.log_rows",
                                              keyspace)})
                       .value();
  const auto page = first_.shared.session->fetch({*all, {}, "", std::chrono::seconds(20)}).value();
  ASSERT_EQ(page.rows(), 3U);
  const auto insert =
      first_.shared.session
          ->prepare({fmt::format("INSERT INTO {}.log_records (customer_id, slot, time_ns, digest, "
                                 "equal, arrival, item_number, day, resource, scope, item) VALUES "
                                 "('cliente-a', ?, ?, ?, 7, 1, 1, ?, ?, ?, ?)",
                                 keyspace)})
          .value();
  auto row = page.row(0);
  BoundCells cells;
  cells.add_int(row.read_int()).add_bigint(row.read_bigint()).add_blob(row.read_blob());
  cells.add_int(row.read_int()).add_blob(row.read_blob()).add_blob(row.read_blob());
  cells.add_blob(row.read_blob());
  ASSERT_TRUE(first_.shared.session->fetch({*insert, cells, "", std::chrono::seconds(20)}));
  EXPECT_THAT(read(*store, ""), SizeIs(3)) << "nobody of before has written";
  store->own_events().use_undivided_until(kDay + 1);
  EXPECT_THAT(read(*store, ""), SizeIs(4));
  EXPECT_THAT(read(*store, "bank"), SizeIs(2)) << "by all records of the day";
}

TEST_F(LogIndexOnANode, AStreamOfLongLabelsIsFoundToo) {
  const auto store = opened();
  const std::string longer(kListedNameMax + 1, 's');
  bring(*store, longer, {record(1, "long")});
  for (const std::string other : {"bank", "mail", "desk"}) bring(*store, other, {record(2, other)});
  EXPECT_THAT(read(*store, longer), ElementsAre(record(1, "long")));
  EXPECT_THAT(read(*store, "mail"), ElementsAre(record(2, "mail")));
}

TEST_F(LogIndexOnANode, WithoutItsTimesASlotIsReadAsAWhole) {
  const auto store = opened();
  for (const std::string one : {"bank", "mail", "desk"}) bring(*store, one, {record(2, one)});
  const auto& keyspace = first_.shared.settings.keyspace;
  const auto all = first_.shared.session
                       ->prepare({fmt::format(
                           "SELECT day, stream, shard, slot, block FROM {}.log_times", keyspace)})
                       .value();
  const auto page = first_.shared.session->fetch({*all, {}, "", std::chrono::seconds(20)}).value();
  ASSERT_EQ(page.rows(), 3U);
  const auto update =
      first_.shared.session
          ->prepare({fmt::format("UPDATE {}.log_times SET times = 0x09 WHERE customer_id = "
                                 "'cliente-a' AND day = ? AND stream = ? AND shard = ? AND slot = "
                                 "? AND block = ?",
                                 keyspace)})
          .value();
  for (std::size_t i = 0; i < page.rows(); ++i) {
    auto row = page.row(i);
    BoundCells cells;
    cells.add_int(row.read_int()).add_blob(row.read_blob()).add_int(row.read_int());
    cells.add_int(row.read_int()).add_bigint(row.read_bigint());
    ASSERT_TRUE(first_.shared.session->fetch({*update, cells, "", std::chrono::seconds(20)}));
  }
  EXPECT_THAT(read(*store, "mail"), ElementsAre(record(2, "mail")));
  EXPECT_EQ(store->events().damaged_items(Signal::kLogs), 1U);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
