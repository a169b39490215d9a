// What a look at the blocks of a keyspace says: nothing where all is whole, each one that is not by
// table, customer and metric.
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/store/cassandra/keyspace_check.hpp"
#include "services/storage/store/cassandra/testing/contract_stores.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vigia::cassandra::BoundCells;

constexpr TimestampMs kStart = 20'000 * kDayMs;

class KeyspaceCheckTest : public ::testing::Test {
 protected:
  static std::string floats() {
    chunk::ChunkWriter writer;
    for (int i = 0; i < 10; ++i) writer.append({kStart + i, 0.5 * i});
    return std::string(writer.bytes());
  }
  void put(const CustomerId& customer, const std::string& metric, const std::string& data) {
    const std::vector<ClosedChunk> chunks = {
        {metric,
         {SeriesId{7}, kStart, kStart + 9, kInOrder, Encoding::kFloats, data},
         Resolution::kRaw}};
    std::promise<Result<void>> told;
    node_.cold().chunks().put(customer, chunks, [&](Result<void> put) { told.set_value(put); });
    ASSERT_TRUE(told.get_future().get().has_value());
  }
  CheckReport check() {
    return check_keyspace_in(*node_.shared.session, node_.shared.settings.keyspace,
                             [](const std::string&, std::size_t) {})
        .value();
  }
  /// The customer's only block.
  void spoil(const CustomerId& customer) {
    const std::string table = node_.shared.settings.keyspace + ".chunks_kept";
    const auto find = node_.shared.session->prepare(
        {"SELECT metric, period, shard, first_series, writer, version FROM " + table +
         " WHERE customer_id = ? ALLOW FILTERING"});
    BoundCells owner;
    owner.add_text(customer.text());
    const auto found = node_.shared.session->fetch({**find, owner, "", std::chrono::seconds(20)});
    ASSERT_EQ(found->rows(), 1U);
    auto row = found->row(0);
    BoundCells cells;
    cells.add_text("no block").add_text(customer.text()).add_blob(row.read_blob());
    for (int i = 0; i < 5; ++i) cells.add_blob(row.read_blob());
    const auto write = node_.shared.session->prepare(
        {fmt::format("UPDATE {} SET data = ? WHERE customer_id = ? AND metric = ? AND resolution = "
                     "0 AND period = ? AND shard = ? AND first_series = ? AND writer = ? AND "
                     "version = ?",
                     table)});
    ASSERT_TRUE(
        node_.shared.session->fetch({**write, cells, "", std::chrono::seconds(20)}).has_value());
  }

  OnCassandra node_;
  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
};

TEST_F(KeyspaceCheckTest, WhatIsWholeIsCountedByCustomer) {
  put(a_, "m", floats());
  put(a_, "n", floats());
  put(b_, "m", floats());
  const CheckReport report = check();
  EXPECT_TRUE(report.is_of_tables);
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_EQ(report.rows.at("chunks of customer cliente-a"), 2U);
  EXPECT_EQ(report.rows.at("chunks of customer cliente-b"), 1U);
  EXPECT_GT(report.bytes, 3 * floats().size());
  EXPECT_EQ(report.files, 11U);  // five tables of chunks, five of roll-ups, one of spans
}

TEST_F(KeyspaceCheckTest, ABlockThatIsNoneIsNamedAndTheOthersAreCounted) {
  put(a_, "spoilt", floats());
  put(b_, "m", floats());
  spoil(a_);
  const CheckReport report = check();
  ASSERT_THAT(report.faults, SizeIs(1));
  EXPECT_EQ(report.faults[0].file, "chunks_kept");
  EXPECT_THAT(report.faults[0].reason, HasSubstr("checksum"));
  EXPECT_EQ(report.faults[0].cost, "chunks of customer cliente-a, metric spoilt");
  EXPECT_FALSE(report.rows.contains("chunks of customer cliente-a"));
  EXPECT_EQ(report.rows.at("chunks of customer cliente-b"), 1U);
}

// Its checksum is right: what was written is no chunk.
TEST_F(KeyspaceCheckTest, AChunkThatCannotBeDecodedIsNamedWithItsSeries) {
  put(a_, "m", "no chunk");
  const CheckReport report = check();
  ASSERT_THAT(report.faults, SizeIs(1));
  EXPECT_THAT(report.faults[0].reason, HasSubstr(fmt::format("series 7, from {} ms", kStart)));
}

TEST_F(KeyspaceCheckTest, AKeyspaceThatIsNotThereIsToldAsSuch) {
  const auto none = check_keyspace_in(*node_.shared.session, "no_such_keyspace",
                                      [](const std::string&, std::size_t) {});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
