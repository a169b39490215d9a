#include "libs/cassandra/cells.hpp"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/cassandra/failure_codes.hpp"
#include "libs/cassandra/row_reader.hpp"

namespace vigia::cassandra {
namespace {

using namespace std::string_literals;

std::string bytes_of(const RawCell& cell) {
  return {reinterpret_cast<const char*>(cell.data), static_cast<std::size_t>(cell.size)};
}

TEST(BoundCells, NumbersHaveTheirHighestByteFirst) {
  BoundCells cells;
  cells.add_tinyint(-2).add_int(0x01020304).add_bigint(-1).add_bigint(0x0102030405060708);
  const auto raw = cells.raw();
  EXPECT_EQ(bytes_of(raw[0]), "\xfe");
  EXPECT_EQ(bytes_of(raw[1]), "\x01\x02\x03\x04");
  EXPECT_EQ(bytes_of(raw[2]), "\xff\xff\xff\xff\xff\xff\xff\xff");
  EXPECT_EQ(bytes_of(raw[3]), "\x01\x02\x03\x04\x05\x06\x07\x08");
}

TEST(BoundCells, AnEmptyTextIsNotNullAndNullIsNotUnset) {
  BoundCells cells;
  cells.add_text("").add_null().add_unset().add_blob("\0x"s.substr(0, 2));
  const auto raw = cells.raw();
  EXPECT_EQ(raw[0].size, 0);
  EXPECT_EQ(raw[1].size, VIGIA_CASSANDRA_NULL);
  EXPECT_EQ(raw[2].size, VIGIA_CASSANDRA_UNSET);
  EXPECT_EQ(raw[3].size, 2);
}

TEST(BoundCells, TextsAndBlobsAreNotCopied) {
  const std::string blob(64 << 10, 'x');
  BoundCells cells;
  cells.add_blob(blob);
  EXPECT_EQ(reinterpret_cast<const char*>(cells.raw()[0].data), blob.data());
}

TEST(RowReader, ReadsWhatWasBound) {
  BoundCells cells;
  cells.add_tinyint(-128)
      .add_int(std::numeric_limits<std::int32_t>::min())
      .add_bigint(std::numeric_limits<std::int64_t>::max())
      .add_text("ñ")
      .add_null()
      .add_blob("");
  const auto raw = cells.raw();
  RowReader row(raw);
  EXPECT_EQ(row.read_tinyint(), -128);
  EXPECT_EQ(row.read_int(), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(row.read_bigint(), std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(row.take_null());
  EXPECT_EQ(row.read_text(), "ñ");
  EXPECT_TRUE(row.take_null());
  EXPECT_EQ(row.read_blob(), "");
  EXPECT_TRUE(row.ok());
}

TEST(RowReader, AColumnOfAnotherSizeEndsTheRow) {
  BoundCells cells;
  cells.add_int(7).add_bigint(8);
  const auto raw = cells.raw();
  RowReader row(raw);
  EXPECT_EQ(row.read_bigint(), 0);
  EXPECT_EQ(row.read_bigint(), 0) << "after a failure nothing is read any more";
  EXPECT_FALSE(row.ok());
}

TEST(RowReader, NeitherNullNorAMissingColumnIsAValue) {
  BoundCells cells;
  cells.add_null();
  const auto raw = cells.raw();
  RowReader null_row(raw);
  EXPECT_EQ(null_row.read_text(), "");
  EXPECT_FALSE(null_row.ok());
  RowReader empty_row({});
  EXPECT_EQ(empty_row.read_int(), 0);
  EXPECT_FALSE(empty_row.ok());
}

TEST(FailureCodes, WhatPassesIsRetryable) {
  EXPECT_TRUE(is_retryable(error_of(VIGIA_CASSANDRA_UNAVAILABLE, "x")));
  EXPECT_TRUE(is_retryable(error_of(VIGIA_CASSANDRA_DEADLINE, "x")));
  for (const std::uint32_t code :
       {VIGIA_CASSANDRA_INVALID, VIGIA_CASSANDRA_EXISTS, VIGIA_CASSANDRA_UNAUTHENTICATED,
        VIGIA_CASSANDRA_FORBIDDEN, VIGIA_CASSANDRA_CORRUPT, VIGIA_CASSANDRA_INTERNAL}) {
    EXPECT_FALSE(is_retryable(error_of(code, "x"))) << code;
  }
}

TEST(FailureCodes, ACodeThatNobodyKnowsIsAFaultOfOurs) {
  const Error error = error_of(99, "x");
  EXPECT_EQ(error.code, ErrorCode::kInternal);
  EXPECT_EQ(error.message, "Cassandra: x");
}

}  // namespace
}  // namespace vigia::cassandra
