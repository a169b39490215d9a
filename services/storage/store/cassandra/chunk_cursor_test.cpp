#include "services/storage/store/cassandra/chunk_cursor.hpp"

#include <gtest/gtest.h>

namespace vigia::storage::store::cassandra {
namespace {

ReadRow row(TimestampMs last_ms, std::string data, std::int64_t written) {
  return {{{1}, 0, last_ms, kInOrder, Encoding::kFloats, std::move(data)}, written};
}

std::string kept_of(std::vector<ReadRow> rows) {
  const std::vector<ChunkRow> sorted = sorted_rows(std::move(rows));
  EXPECT_EQ(sorted.size(), 1U);
  return sorted.front().data;
}

// Whose clock is ahead may have written the shorter one.
TEST(SortedRows, OfTwoWithOneKeyTheOneThatHoldsMoreIsKept) {
  EXPECT_EQ(kept_of({row(10, "shorter", 9), row(20, "longer", 1)}), "longer");
  EXPECT_EQ(kept_of({row(20, "longer", 1), row(10, "of more bytes", 9)}), "longer");
  EXPECT_EQ(kept_of({row(10, "more", 1), row(10, "few", 9)}), "more");
  EXPECT_EQ(kept_of({row(10, "old", 1), row(10, "new", 9)}), "new");
}

// What was made anew may have fewer bytes.
TEST(SortedRows, OfARollUpTheLastEditionIsKept) {
  const std::vector<ChunkRow> sorted =
      sorted_rows({row(10, "of more bytes", 1), row(5, "few", 2)}, Resolution::kHour);
  ASSERT_EQ(sorted.size(), 1U);
  EXPECT_EQ(sorted.front().data, "few");
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
