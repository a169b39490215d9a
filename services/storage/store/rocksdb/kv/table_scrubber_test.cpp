#include "services/storage/store/rocksdb/kv/table_scrubber.hpp"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::uint64_t kMib = 1U << 20U;

class TableScrubberTest : public ::testing::Test {
 protected:
  TableScrubber scrubber(Duration pass = days(7)) {
    return {{[this] { return live_; },
             [this](std::uint64_t number) -> Result<void> {
               read_.push_back(number);
               const auto trouble = troubles_.find(number);
               if (trouble == troubles_.end()) return {};
               return tl::unexpected<Error>(trouble->second);
             },
             [this](std::uint64_t number, const std::string& reason) {
               damaged_.emplace(number, reason);
             }},
            note(),
            pass};
  }
  std::string note() const { return folder_.path() + "/vigia-scrub"; }

  TemporaryFolder folder_;
  std::vector<ScrubTable> live_{{12, kMib}, {5, kMib}, {9, 2 * kMib}};
  std::map<std::uint64_t, Error> troubles_;
  std::vector<std::uint64_t> read_;
  std::map<std::uint64_t, std::string> damaged_;
};

TEST_F(TableScrubberTest, EachTableIsReadOnceAPass) {
  auto scrubber = this->scrubber();
  for (int i = 0; i < 3; ++i) scrubber.step();
  EXPECT_THAT(read_, ElementsAre(5, 9, 12));
  EXPECT_EQ(scrubber.stats().passes, 0U) << "told when the next one begins";
  scrubber.step();
  EXPECT_THAT(read_, ElementsAre(5, 9, 12, 5));
  EXPECT_EQ(scrubber.stats().passes, 1U);
  EXPECT_EQ(scrubber.stats().tables, 4U);
  EXPECT_EQ(scrubber.stats().bytes, 5 * kMib);
}

TEST_F(TableScrubberTest, APassTakesItsTimeAndEachTableItsPartOfIt) {
  auto scrubber = this->scrubber(hours(2));
  EXPECT_EQ(scrubber.step(), minutes(30));
  EXPECT_EQ(scrubber.step(), hours(1)) << "half of the bytes, half of the time";
  live_ = {{13, kMib}};
  EXPECT_EQ(scrubber.step(), kScrubPauseMax) << "one table is read once an hour, too";
  live_ = {{14, 1}, {15, std::uint64_t{1} << 40U}};
  EXPECT_EQ(scrubber.step(), kScrubPauseMin);
  live_.clear();
  EXPECT_EQ(scrubber.step(), kScrubPauseMax);
}

TEST_F(TableScrubberTest, ItGoesOnWhereItWasOverAStart) {
  scrubber().step();
  scrubber().step();
  EXPECT_THAT(read_, ElementsAre(5, 9));
  live_ = {{20, kMib}, {21, kMib}};  // all that there was is compacted
  auto later = scrubber();
  later.step();
  later.step();
  EXPECT_THAT(read_, ElementsAre(5, 9, 20, 21));
}

TEST_F(TableScrubberTest, ANoteThatIsDamagedOrOfALaterProgramCostsAPassThatBeginsAnew) {
  for (const std::size_t at : {0U, 4U, 8U, 19U}) {
    read_.clear();
    scrubber().step();
    scrubber().step();
    {
      std::fstream file(note(), std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(static_cast<std::streamoff>(at));
      file.put('\x7f');
    }
    scrubber().step();
    ASSERT_EQ(read_.size(), 3U);
    EXPECT_EQ(read_.back(), 5U) << at;
    std::remove(note().c_str());
  }
}

TEST_F(TableScrubberTest, DamageIsToldAndWhatCannotBeReadIsCounted) {
  troubles_[5] = {ErrorCode::kCorrupt, "block checksum mismatch"};
  troubles_[9] = {ErrorCode::kUnavailable, "gone"};
  auto scrubber = this->scrubber();
  for (int i = 0; i < 3; ++i) scrubber.step();
  EXPECT_THAT(damaged_, ElementsAre(Pair(5, "block checksum mismatch")));
  EXPECT_EQ(scrubber.stats().failures, 1U);
  EXPECT_THAT(read_, ElementsAre(5, 9, 12)) << "neither holds up the rest";
}

// A folder stands for a file that the disk does not read: it is there, and reading it fails.
TEST(TableFooter, WhatIsNotReadNowIsNoDamage) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder.path(), folder.path() + "/none"}) {
    const auto checked = check_table_footer(path);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::kUnavailable) << path;
    EXPECT_FALSE(mend_table_footer(path));
  }
  const std::string table = folder.path() + "/000007.sst";
  for (const std::size_t bytes : {0U, 52U, 53U, 4096U}) {
    std::ofstream(table, std::ios::binary) << std::string(bytes, 'x');
    EXPECT_EQ(check_table_footer(table).error().code, ErrorCode::kCorrupt) << bytes;
  }
}

TEST_F(TableScrubberTest, ItsThreadEndsWhileItWaits) {
  auto scrubber = this->scrubber();
  scrubber.start(hours(1));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
