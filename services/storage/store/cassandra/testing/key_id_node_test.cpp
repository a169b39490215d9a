// Rows that another program has encrypted by a key: each is one row that cannot be read.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/testing/contract_stores.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;

constexpr TimestampMs kStart = 20'000 * kDayMs;
constexpr TimestampNs kStartNs = TimestampNs{kStart} * 1'000'000;

class KeyIdsOnANode : public ::testing::Test {
 protected:
  Page ask(const std::string& cql, const BoundCells& cells = {}) {
    const auto text = fmt::format(fmt::runtime(cql), stores_.shared.settings.keyspace);
    const auto statement = stores_.shared.session->prepare({text}).value();
    return stores_.shared.session->fetch({*statement, cells, "", std::chrono::seconds(20)}).value();
  }
  std::vector<std::string> logs() {
    std::vector<std::string> items;
    const auto visit = [&](const LogRecordView& record) {
      items.emplace_back(record.event.item);
      return true;
    };
    EXPECT_TRUE(stores_.cold().events().read_logs(a_, {kStartNs, kStartNs + 9}, visit, unlimited_));
    return items;
  }
  std::vector<std::string> spans(const std::string& trace) {
    std::vector<std::string> items;
    const auto visit = [&](const EventView& event) {
      items.emplace_back(event.item);
      return true;
    };
    EXPECT_TRUE(stores_.cold().events().read_trace(a_, trace, visit, unlimited_));
    return items;
  }
  std::vector<double> exemplars(SeriesId series) {
    std::vector<double> values;
    const auto visit = [&](const StoredExemplar& exemplar) {
      values.push_back(exemplar.sample.value);
      return true;
    };
    EXPECT_TRUE(
        stores_.cold().exemplars()->read(a_, series, {kStart, kStart + 9}, visit, unlimited_));
    return values;
  }
  std::vector<std::string> metadata(const std::string& metric) {
    std::vector<std::string> helps;
    const auto visit = [&](const MetricMetadata& one) {
      helps.push_back(one.help);
      return true;
    };
    EXPECT_TRUE(stores_.cold().metadata()->read(a_, metric, visit, unlimited_));
    return helps;
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const WorkLimit unlimited_;
  OnCassandra stores_;
};

TEST_F(KeyIdsOnANode, AnEncryptedLogRecordIsOneThatCannotBeRead) {
  const std::string first = log_record_of(kStartNs, "first");
  const std::string second = log_record_of(kStartNs + 1, "second");
  EventStore& events = stores_.cold().events();
  ASSERT_EQ(events.write(a_, Signal::kLogs, export_of("cliente-a", {first, second}))->stored, 2U);
  EXPECT_THAT(logs(), ElementsAre(first, second));
  const std::string row = " WHERE customer_id = ? AND slot = ? AND shard = 1 AND time_ns = ?";
  BoundCells key;
  key.add_text(a_.text()).add_int(static_cast<std::int32_t>(kStartNs / kSlotNs));
  key.add_bigint(static_cast<std::int64_t>(kStartNs));
  const Page found = ask("SELECT digest FROM {}.log_rows" + row, key);
  key.add_blob(found.row(0).read_blob());
  ask("UPDATE {}.log_rows SET key_id = 1" + row + " AND digest = ? AND equal = 0", key);
  EXPECT_THAT(logs(), ElementsAre(second));
  EXPECT_EQ(events.damaged_items(Signal::kLogs), 1U);
  ask("UPDATE {}.log_rows SET key_id = 0" + row + " AND digest = ? AND equal = 0", key);
  EXPECT_THAT(logs(), ElementsAre(first, second));
}

TEST_F(KeyIdsOnANode, AnEncryptedSpanAndItsResourceAreOnesThatCannotBeRead) {
  const std::string trace(16, 't');
  const std::string first = span_of(trace, 's', kStartNs);
  const std::string second = span_of(trace, 'u', kStartNs + 1);
  EventStore& events = stores_.cold().events();
  ASSERT_EQ(events.write(a_, Signal::kTraces, export_of("cliente-a", {first, second}))->stored, 2U);
  EXPECT_THAT(spans(trace), ElementsAre(first, second));
  BoundCells key;
  key.add_text(a_.text()).add_blob(trace).add_bigint(static_cast<std::int64_t>(kStartNs));
  const Page found = ask(
      "SELECT digest FROM {}.spans WHERE customer_id = ? AND trace_id = ? AND start_ns = ?", key);
  key.add_blob(found.row(0).read_blob());
  ask("UPDATE {}.spans SET key_id = 1 WHERE customer_id = ? AND trace_id = ? AND start_ns = ? AND "
      "digest = ?",
      key);
  EXPECT_THAT(spans(trace), ElementsAre(second));
  EXPECT_EQ(events.damaged_items(Signal::kTraces), 1U);
  const Page origins = ask("SELECT customer_id, day, digest FROM {}.event_origins");
  for (std::size_t i = 0; i < origins.rows(); ++i) {
    auto row = origins.row(i);
    BoundCells origin;
    origin.add_text(row.read_text()).add_int(row.read_int()).add_blob(row.read_blob());
    ask("UPDATE {}.event_origins SET key_id = 1 WHERE customer_id = ? AND day = ? AND digest = ?",
        origin);
  }
  EXPECT_THAT(spans(trace), IsEmpty());
}

TEST_F(KeyIdsOnANode, AnEncryptedExemplarIsOneThatCannotBeRead) {
  const SeriesId series{7};
  const std::string none = encode_labels({});
  const NewExemplar both[] = {{series, {kStart, 1.0}, none}, {series, {kStart + 1, 2.0}, none}};
  ASSERT_TRUE(stores_.cold().exemplars()->put(a_, both));
  EXPECT_THAT(exemplars(series), ElementsAre(1.0, 2.0));
  const Page found = ask("SELECT hour, time_ms, digest FROM {}.exemplars");
  ASSERT_EQ(found.rows(), 2U);
  auto row = found.row(0);
  BoundCells key;
  key.add_text(a_.text()).add_int(row.read_int()).add_bigint(row.read_bigint());
  key.add_blob(row.read_blob());
  ask("UPDATE {}.exemplars SET key_id = 1 WHERE customer_id = ? AND series_id = 7 AND hour = ? AND "
      "time_ms = ? AND digest = ?",
      key);
  EXPECT_THAT(exemplars(series), ElementsAre(2.0));
  EXPECT_EQ(stores_.cold().exemplars()->damaged(), 1U);
}

TEST_F(KeyIdsOnANode, WhatIsSaidOfOneMetricAndEncryptedIsOneRowThatCannotBeRead) {
  const MetricMetadata both[] = {{"down", 1, "", "first", 20'000}, {"up", 1, "", "second", 20'000}};
  ASSERT_TRUE(stores_.cold().metadata()->put(a_, both));
  EXPECT_THAT(metadata(""), ElementsAre("first", "second"));
  ask("UPDATE {}.metric_metadata SET key_id = 1 WHERE customer_id = 'cliente-a' AND metric = "
      "'down'");
  EXPECT_THAT(metadata(""), ElementsAre("second"));
  EXPECT_THAT(metadata("down"), IsEmpty());
  EXPECT_EQ(stores_.cold().metadata()->damaged(), 2U);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
