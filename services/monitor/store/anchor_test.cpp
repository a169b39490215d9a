#include "services/monitor/store/anchor.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::monitor::store {
namespace {

const std::string kId(32, 'a');

class AnchorFile : public ::testing::Test {
 protected:
  std::string path() const { return folder_.file("anchor"); }
  Anchor open() const {
    auto anchor = Anchor::open(path());
    EXPECT_TRUE(anchor.has_value()) << anchor.error().message;
    return std::move(*anchor);
  }
  std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }

  const TemporaryFolder folder_;
};

TEST_F(AnchorFile, KeepsTheNewestMark) {
  EXPECT_FALSE(open().mark().has_value());
  EXPECT_EQ(open().damaged_places(), 0);
  for (std::int64_t revision = 1; revision <= 5; ++revision) {
    auto anchor = open();
    ASSERT_TRUE(anchor.note({kId, revision}).has_value());
    EXPECT_EQ(open().mark()->revision, revision);
    EXPECT_EQ(open().mark()->database, kId);
  }
}

TEST_F(AnchorFile, NoFlippedBitAndNoCutGivesAMarkThatNeverWas) {
  {
    auto anchor = open();
    for (std::int64_t revision = 6; revision <= 7; ++revision) {
      ASSERT_TRUE(anchor.note({kId, revision}).has_value());
    }
  }
  const std::string good = content();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    for (const std::string& text : {damaged, good.substr(0, at)}) {
      put(text);
      const auto anchor = open();
      if (!anchor.mark()) continue;
      EXPECT_EQ(anchor.mark()->database, kId) << at;
      EXPECT_TRUE(anchor.mark()->revision == 6 || anchor.mark()->revision == 7) << at;
      EXPECT_LE(anchor.damaged_places(), 1) << at;
    }
  }
}

TEST_F(AnchorFile, BothPlacesDamagedIsSaid) {
  {
    auto anchor = open();
    ASSERT_TRUE(anchor.note({kId, 1}).has_value());
    ASSERT_TRUE(anchor.note({kId, 2}).has_value());
  }
  std::string text = content();
  text[3] ^= 1;
  text[4096 + 3] ^= 1;
  put(text);
  auto anchor = open();
  EXPECT_FALSE(anchor.mark().has_value());
  EXPECT_EQ(anchor.damaged_places(), 2);
  ASSERT_TRUE(anchor.note({kId, 9}).has_value());
  EXPECT_EQ(open().mark()->revision, 9);
}

}  // namespace
}  // namespace vigia::monitor::store
