// What the store on Cassandra promises beyond the contract: instances that share a cluster, damage,
// partitions that grow.
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

constexpr std::uint32_t kDay = 20'000;
constexpr TimestampMs kStart = kDay * kDayMs;

class TwoInstances : public ::testing::Test {
 protected:
  static Labels labels(const std::string& pod) {
    return Labels::from({{"__name__", "m"}, {"pod", pod}});
  }
  NewSeries resolve(OnCassandra& instance, const Labels& labels, const DayRange& days) {
    Catalog& catalog = instance.cold().catalog();
    const std::uint64_t seed = catalog.seed_of(a_).value();
    std::vector<NewSeries> series = {
        {labels, hash_labels(seed, to_string(labels)), days, {}, false}};
    EXPECT_TRUE(catalog.resolve(a_, series).has_value());
    return series[0];
  }
  std::vector<SeriesId> select(OnCassandra& instance) {
    const LabelMatchers none;
    const SeriesQuery query{none, kAllDays};
    const auto cursor = instance.cold().catalog().select(a_, query, unlimited_);
    std::vector<SeriesId> ids;
    for (auto page = cursor->next().value(); !page.empty(); page = cursor->next().value()) {
      for (const FoundSeries& found : page) ids.push_back(found.id);
    }
    return ids;
  }
  static ClosedChunk chunk(SeriesId id, TimestampMs first_ms, const std::string& data) {
    return {
        "m", {id, first_ms, first_ms + 1'000, kInOrder, Encoding::kFloats, data}, Resolution::kRaw};
  }
  vigia::cassandra::Page ask(const std::string& cql, const BoundCells& cells) {
    const std::string& keyspace = first_.shared.settings.keyspace;
    const auto statement =
        first_.shared.session->prepare({fmt::format(fmt::runtime(cql), keyspace)}).value();
    return first_.shared.session->fetch({*statement, cells, "", std::chrono::seconds(20)}).value();
  }
  /// The texts of log records from kStart on, in their order.
  std::vector<std::string> logs() {
    std::vector<std::string> items;
    const auto visit = [&](const LogRecordView& record) {
      items.emplace_back(record.event.item);
      return true;
    };
    const TimestampNs from_ns = TimestampNs{kStart} * 1'000'000;
    EXPECT_TRUE(opened_->events().read_logs(a_, {from_ns, from_ns + 1}, visit, unlimited_));
    return items;
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const WorkLimit unlimited_;
  OnCassandra first_;
  std::unique_ptr<CassandraColdStore> opened_ =
      CassandraColdStore::open(*first_.shared.session, OnCassandra::settings_of(first_.shared),
                               first_.clock)
          .value();
};

TEST_F(TwoInstances, FindEachOthersSeriesAndChunks) {
  const NewSeries one = resolve(first_, labels("1"), {kDay, kDay});
  EXPECT_TRUE(one.is_new);
  std::vector<NewSeries> again(1);
  again[0].labels = labels("1");
  again[0].days = {kDay, kDay};
  ASSERT_TRUE(opened_->catalog().resolve(a_, again));
  EXPECT_EQ(again[0].id, one.id);
  EXPECT_FALSE(again[0].is_new);
  EXPECT_EQ(opened_->catalog().seed_of(a_).value(), first_.cold().catalog().seed_of(a_).value());
  const ClosedChunk closed = chunk(one.id, kStart, "data");
  ASSERT_TRUE(put_now(first_.cold().chunks(), a_, {&closed, 1}));
  const auto rows = read_rows(opened_->chunks(), a_, {"m", one.id}, {0, INT64_MAX}).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].data, "data");
  EXPECT_THAT(opened_->catalog().metrics_of(a_, {one.id}).value(), ElementsAre("m"));
}

// Each of two that change one row at once has read the one before: the second has to read again.
TEST_F(TwoInstances, NoneWritesOverARollUpThatItHasNotRead) {
  for (const Resolution resolution : {Resolution::kHour, Resolution::kDay}) {
    const auto read = [&](ChunkStore& chunks) {
      return read_rows(chunks, a_, {"m", {7}}, {0, INT64_MAX, resolution}).value();
    };
    ClosedChunk row = chunk({7}, kStart, "first");
    row.resolution = resolution;
    row.replaces = 0;  // there is none
    ASSERT_TRUE(put_now(first_.cold().chunks(), a_, {&row, 1}));
    EXPECT_EQ(put_now(opened_->chunks(), a_, {&row, 1}).error().code, ErrorCode::kUnavailable);
    const auto both = read(opened_->chunks());
    ASSERT_EQ(both.size(), 1U);
    row.replaces = both.front().edition;
    row.row.data = "by the one";
    ASSERT_TRUE(put_now(first_.cold().chunks(), a_, {&row, 1}));
    row.row.data = "by the other";
    EXPECT_EQ(put_now(opened_->chunks(), a_, {&row, 1}).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(read(opened_->chunks()).at(0).data, "by the one");
    row.replaces = read(opened_->chunks()).at(0).edition;
    ASSERT_TRUE(put_now(opened_->chunks(), a_, {&row, 1}));
    EXPECT_EQ(read(first_.cold().chunks()).at(0).data, "by the other");
  }
}

// Who keeps them longer from now on goes on with what lies in the table of before.
TEST_F(TwoInstances, ARollUpGoesOnInTheTableOfAnotherRetention) {
  ColdStoreSettings settings = OnCassandra::settings_of(first_.shared);
  settings.classes.fill(class_of("chunks", std::chrono::hours(24 * 700)).value());
  const auto shorter =
      CassandraColdStore::open(*first_.shared.session, settings, first_.clock).value();
  ClosedChunk row = chunk({7}, kStart, "kept for two years");
  row.resolution = Resolution::kDay;
  row.replaces = 0;
  ASSERT_TRUE(put_now(shorter->chunks(), a_, {&row, 1}));
  const auto read = [&] {
    return read_rows(opened_->chunks(), a_, {"m", {7}}, {0, INT64_MAX, Resolution::kDay}).value();
  };
  ASSERT_EQ(read().size(), 1U);
  row.replaces = read().front().edition;
  row.row.data = "for ever";
  ASSERT_TRUE(put_now(opened_->chunks(), a_, {&row, 1}));
  ASSERT_EQ(read().size(), 1U);
  EXPECT_EQ(read().front().data, "for ever");
  EXPECT_GT(read().front().edition, *row.replaces);
}

// Two series with one hash: the second takes another id, and every instance the same one.
TEST_F(TwoInstances, AnIdThatIsAnothersIsNotGiven) {
  const std::string bytes = encode_labels(labels("1"));
  const auto page = ask("SELECT secret FROM {}.secrets WHERE name = 'series'", {});
  const std::string secret(page.row(0).read_blob());
  const SeriesIdentity identity = identity_of(a_, bytes, 0, secret);
  BoundCells claimed;
  claimed.add_bigint(static_cast<std::int64_t>(identity.id.value));
  claimed.add_blob(std::string_view("another's stands")).add_int(1);
  ask("INSERT INTO {}.series_claims (series_id, fingerprint, shard) VALUES (?, ?, ?)", claimed);
  const NewSeries one = resolve(first_, labels("1"), {kDay, kDay});
  EXPECT_EQ(one.id, identity_of(a_, bytes, 1, secret).id);
  std::vector<NewSeries> again(1);
  again[0].labels = labels("1");
  ASSERT_TRUE(opened_->catalog().resolve(a_, again));
  EXPECT_EQ(again[0].id, one.id);
  EXPECT_THAT(select(first_), ElementsAre(one.id));
}

// What one has noted of a later day, another's expiry spares, whichever comes last.
TEST_F(TwoInstances, AnExpirySparesWhatAnotherHasNotedMeanwhile) {
  const NewSeries old = resolve(first_, labels("old"), {kDay, kDay});
  const NewSeries late = resolve(first_, labels("late"), {kDay, kDay});
  std::vector<NewSeries> noted(1);
  noted[0].labels = labels("late");
  noted[0].days = {kDay + 9, kDay + 9};
  ASSERT_TRUE(opened_->catalog().resolve(a_, noted));
  ASSERT_EQ(noted[0].id, late.id);
  // The deletion that the other would send had it read before.
  BoundCells row;
  row.add_bigint(kDay + 2).add_text(a_.text()).add_text("m");
  row.add_int(1).add_bigint(static_cast<std::int64_t>(late.id.value));
  ask("DELETE FROM {}.series USING TIMESTAMP ? WHERE customer_id = ? AND metric = ? AND shard = ? "
      "AND series_id = ?",
      row);
  EXPECT_EQ(first_.cold().catalog().expire(kStart + 2 * kDayMs, kStart).value(), 1U);
  EXPECT_THAT(select(first_), ElementsAre(late.id));
  EXPECT_THAT(opened_->catalog().metrics_of(a_, {late.id}).value(), ElementsAre("m"));
  EXPECT_NE(old.id, late.id);
}

TEST_F(TwoInstances, ADamagedBlockCostsItsSeriesAndNoOther) {
  const ClosedChunk rows[] = {chunk({10}, kStart, "10"), chunk({20}, kStart, "20"),
                              chunk({30}, kStart, "30")};
  for (const ClosedChunk& row : rows) {
    ASSERT_TRUE(put_now(first_.cold().chunks(), a_, {&row, 1}));
  }
  BoundCells bad;
  bad.add_text(a_.text()).add_int(kDay).add_blob("no block");
  ask("INSERT INTO {}.chunks_kept (customer_id, metric, resolution, period, shard, first_series, "
      "writer, version, last_series, first_ms, last_ms, key_id, data) VALUES (?, 'm', 0, ?, 1, 15, "
      "1, 1, 25, 0, 9223372036854775807, 0, ?)",
      bad);
  const std::vector<SeriesKey> asked = {{"m", {10}}, {"m", {20}}, {"m", {30}}};
  const auto cursor = opened_->chunks().read(a_, asked, {0, INT64_MAX});
  EXPECT_EQ(cursor->next().value().at(0).data, "10");
  const auto damaged = cursor->next();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(cursor->at(), 1U);
  EXPECT_EQ(cursor->next().value().at(0).data, "30");
  EXPECT_THAT(cursor->next().value(), IsEmpty());
}

// As where a write ended after one replica had taken it: it is found, and must come to the others.
TEST_F(TwoInstances, ARecordThatIsThereAlreadyIsWrittenAgainInItsPlace) {
  const TimestampNs time_ns = TimestampNs{kStart} * 1'000'000;
  const std::string first = log_record_of(time_ns, "first");
  const std::string second = log_record_of(time_ns, "second");
  EventStore& events = first_.cold().events();
  const std::string body = export_of("cliente-a", {first});
  ASSERT_EQ(events.write(a_, Signal::kLogs, body)->stored, 1U);
  ASSERT_EQ(events.write(a_, Signal::kLogs, export_of("cliente-a", {second}))->stored, 1U);
  BoundCells partition;
  partition.add_text(a_.text()).add_int(static_cast<std::int32_t>(time_ns / kSlotNs));
  const auto rows =
      ask("SELECT digest, item FROM {}.log_rows WHERE customer_id = ? AND slot = ? AND shard = 1",
          partition);
  ASSERT_EQ(rows.rows(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    BoundCells key;
    key.add_text(a_.text()).add_int(static_cast<std::int32_t>(time_ns / kSlotNs));
    key.add_bigint(static_cast<std::int64_t>(time_ns)).add_blob(rows.row(i).read_blob());
    ask("DELETE item FROM {}.log_rows WHERE customer_id = ? AND slot = ? AND shard = 1 AND time_ns "
        "= ? AND digest = ? AND equal = 0",
        key);
  }
  EXPECT_EQ(events.write(a_, Signal::kLogs, export_of("cliente-a", {second}))->repeats, 1U);
  EXPECT_EQ(opened_->events().write(a_, Signal::kLogs, body)->repeats, 1U);
  EXPECT_THAT(logs(), ElementsAre(first, second)) << "in the order of their first arrivals";
}

TEST_F(TwoInstances, ASpanThatIsThereAlreadyIsWrittenAgain) {
  const std::string trace(16, 't');
  const TimestampNs time_ns = TimestampNs{kStart} * 1'000'000;
  const std::string span = span_of(trace, 's', time_ns);
  const std::string body = export_of("cliente-a", {span});
  ASSERT_EQ(first_.cold().events().write(a_, Signal::kTraces, body)->stored, 1U);
  BoundCells partition;
  partition.add_text(a_.text()).add_blob(trace);
  const auto rows =
      ask("SELECT digest FROM {}.spans WHERE customer_id = ? AND trace_id = ?", partition);
  ASSERT_EQ(rows.rows(), 1U);
  BoundCells key;
  key.add_text(a_.text()).add_blob(trace).add_bigint(static_cast<std::int64_t>(time_ns));
  key.add_blob(rows.row(0).read_blob());
  ask("DELETE item FROM {}.spans WHERE customer_id = ? AND trace_id = ? AND start_ns = ? AND "
      "digest = ?",
      key);
  EXPECT_EQ(opened_->events().write(a_, Signal::kTraces, body)->repeats, 1U);
  std::vector<std::string> items;
  const auto visit = [&](const EventView& event) {
    items.emplace_back(event.item);
    return true;
  };
  EXPECT_TRUE(opened_->events().read_trace(a_, trace, visit, unlimited_).value());
  EXPECT_THAT(items, ElementsAre(span));
}

// A partition that is made while a reader is between two others: what it has read does not come
// again, and what is left is not passed over.
TEST_F(TwoInstances, AReadGoesOnBehindWhatItHasReadThoughPartitionsWereAdded) {
  const auto put = [&](std::uint32_t day) {
    const ClosedChunk row = chunk({10}, day * kDayMs, std::to_string(day - kDay));
    EXPECT_TRUE(put_now(first_.cold().chunks(), a_, {&row, 1}));
  };
  // More than are asked at once.
  for (std::uint32_t day = kDay + 1; day <= kDay + 9; ++day) put(day);
  const std::vector<SeriesKey> asked = {{"m", {10}}};
  const auto cursor = opened_->chunks().read(a_, asked, {0, INT64_MAX, Resolution::kRaw, 1});
  std::vector<std::string> read = {cursor->next().value().at(0).data};
  put(kDay);
  for (auto page = cursor->next().value(); !page.empty(); page = cursor->next().value()) {
    for (const ChunkRow& row : page) read.push_back(row.data);
  }
  EXPECT_THAT(read, ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9"));
}

// The cluster refuses a partition key as long as the first customer's would be.
TEST_F(TwoInstances, WhatCannotBeExpiredOfOneCustomerHoldsUpNoOther) {
  const NewSeries own = resolve(first_, labels("over"), {kDay, kDay});
  const CustomerId behind = CustomerId::parse("cliente-b").value();
  ASSERT_TRUE(first_.cold().catalog().seed_of(behind));
  std::vector<NewSeries> series = {{labels("over"), {}, {kDay, kDay}, {}, false}};
  ASSERT_TRUE(first_.cold().catalog().resolve(behind, series));
  const std::string long_name(65'530, 'a');
  BoundCells row;
  row.add_text(a_.text()).add_text(long_name);
  ask("INSERT INTO {}.metrics (customer_id, metric, shard, last_day) VALUES (?, ?, 1, 0)", row);
  EXPECT_FALSE(opened_->catalog().expire(kStart + 2 * kDayMs, kStart));
  EXPECT_THAT(opened_->catalog().metrics_of(a_, {own.id}).value(), ElementsAre(""));
  EXPECT_THAT(opened_->catalog().metrics_of(behind, {series[0].id}).value(), ElementsAre(""));
  EXPECT_FALSE(opened_->catalog().expire(kStart + 2 * kDayMs, kStart)) << "it is tried again";
}

// More than are read together, in more bytes than a partition should have: each row once, in order.
TEST_F(TwoInstances, ManyLargeRowsLieInSeveralPartitionsAndAreReadInParts) {
  constexpr std::uint64_t kSeries = 80;
  constexpr std::uint64_t kApart = std::uint64_t{1} << 56U;
  const std::string large(60'000, 'x');
  std::vector<SeriesKey> asked;
  for (std::uint64_t id = 1; id <= kSeries; ++id) asked.push_back({"m", {id * kApart}});
  for (int round = 0; round < 6; ++round) {
    std::vector<ClosedChunk> closed;
    for (const SeriesKey& key : asked) {
      closed.push_back(chunk(key.id, kStart + round * 2'000, large + std::to_string(round)));
    }
    ASSERT_TRUE(put_now(first_.cold().chunks(), a_, closed));
  }
  const auto cursor = opened_->chunks().read(a_, asked, {0, INT64_MAX});
  std::vector<std::string> ends(kSeries);
  for (auto page = cursor->next().value(); !page.empty(); page = cursor->next().value()) {
    for (const ChunkRow& row : page) {
      EXPECT_EQ(row.series, asked[cursor->at()].id);
      ends[cursor->at()] += row.data.back();
    }
  }
  EXPECT_EQ(ends, std::vector<std::string>(kSeries, "012345"));
  BoundCells key;
  key.add_text(a_.text());
  const std::string cql = "SELECT shard FROM " + first_.shared.settings.keyspace +
                          ".chunk_days WHERE customer_id = ? AND metric = 'm' AND resolution = 0";
  const auto statement = first_.shared.session->prepare({cql}).value();
  const auto page =
      first_.shared.session->fetch({*statement, key, "", std::chrono::seconds(20)}).value();
  EXPECT_GT(page.rows(), 2U) << "28 MB lie in partitions of some 8 MB";
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
