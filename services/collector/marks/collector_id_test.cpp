#include "services/collector/marks/collector_id.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::collector::marks {
namespace {

constexpr const char* kPath = "/data/collector-id";
constexpr const char* kCopy = "/data/collector-id.copy";

class CollectorIdTest : public testing::Test {
 protected:
  CollectorId start() {
    auto id = collector_id("/data", files_);
    EXPECT_TRUE(id) << id.error().message;
    return id ? *id : CollectorId{};
  }
  void flip(const char* path, std::size_t byte, int bit) {
    std::string text = files_.content(path);
    text[byte] = static_cast<char>(text[byte] ^ (1 << bit));
    files_.set_content(path, text);
  }

  disk_log::MemoryFiles files_;
};

TEST_F(CollectorIdTest, IsMadeOnceAndSaidToBeNew) {
  const CollectorId made = start();
  EXPECT_TRUE(made.is_new);
  EXPECT_EQ(made.damaged, 0);
  EXPECT_EQ(made.text.size(), 8U);
  EXPECT_EQ(files_.content(kPath), files_.content(kCopy));
  const CollectorId again = start();
  EXPECT_EQ(again.text, made.text);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.damaged, 0);
}

TEST_F(CollectorIdTest, NoFlippedBitInEitherFileChangesIt) {
  const std::string id = start().text;
  const std::string good = files_.content(kPath);
  for (const char* path : {kPath, kCopy}) {
    for (std::size_t byte = 0; byte < good.size(); ++byte) {
      for (int bit = 0; bit < 8; ++bit) {
        flip(path, byte, bit);
        const CollectorId found = start();
        ASSERT_EQ(found.text, id) << path << " byte " << byte << " bit " << bit;
        ASSERT_EQ(found.damaged, 1);
        ASSERT_FALSE(found.is_new);
        ASSERT_EQ(files_.content(path), good) << "it is mended";
      }
    }
  }
}

TEST_F(CollectorIdTest, OneThatIsGoneOrCutIsPutBack) {
  const std::string id = start().text;
  const std::string good = files_.content(kPath);
  ASSERT_TRUE(files_.remove(kPath));
  EXPECT_EQ(start().text, id);
  files_.set_content(kPath, "");
  EXPECT_EQ(start().damaged, 1);
  files_.set_content(kPath, good.substr(0, 12));
  EXPECT_EQ(start().text, id);
  files_.spoil(kPath, 0, 64);  // the device cannot read it
  EXPECT_EQ(start().text, id);
  files_.mend_sectors();
  EXPECT_EQ(files_.content(kPath), good);
}

TEST_F(CollectorIdTest, TheOldFileIsReadAndGetsItsChecksum) {
  files_.set_content(kPath, "1a2b3c4d\n");
  const CollectorId found = start();
  EXPECT_EQ(found.text, "1a2b3c4d");
  EXPECT_FALSE(found.is_new);
  std::ifstream golden("tests/golden/collector_id/v1");
  const std::string pinned{std::istreambuf_iterator<char>(golden), {}};
  EXPECT_EQ(files_.content(kPath), pinned);
  EXPECT_EQ(files_.content(kPath), files_.content(kCopy));
}

// Who empties a full disk is the collector: it must start.
TEST_F(CollectorIdTest, OnAFullDiskOneThatIsKnownIsEnough) {
  files_.set_content(kPath, "1a2b3c4d\n");
  files_.set_capacity(files_.used_bytes());
  EXPECT_EQ(start().text, "1a2b3c4d");
  files_.set_capacity(1U << 20U);
  EXPECT_EQ(start().text, "1a2b3c4d");
  EXPECT_EQ(files_.content(kPath), files_.content(kCopy)) << "written when there is room";
}

// An older program was run in between, or somebody has written the old id by hand.
TEST_F(CollectorIdTest, WhatHasAChecksumWinsOverWhatHasNone) {
  const std::string id = start().text;
  files_.set_content(kPath, "1a2b3c4d\n");
  const CollectorId found = start();
  EXPECT_EQ(found.text, id);
  EXPECT_EQ(found.damaged, 1);
  files_.set_content(kPath, "1a2b3c4d\n");
  ASSERT_TRUE(files_.remove(kCopy));
  EXPECT_EQ(start().text, "1a2b3c4d") << "written back, and the copy removed";
}

TEST_F(CollectorIdTest, BothDamagedIsANewOneThatIsSaid) {
  const std::string id = start().text;
  flip(kPath, 3, 0);
  flip(kCopy, 5, 0);
  const CollectorId found = start();
  EXPECT_NE(found.text, id);
  EXPECT_TRUE(found.is_new);
  EXPECT_EQ(found.damaged, 2);
}

TEST_F(CollectorIdTest, AFileThatCannotBeOpenedEndsTheStart) {
  start();
  files_.fail_when([](std::string_view call, const std::string&) { return call == "open"; });
  const auto refused = collector_id("/data", files_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace vigia::collector::marks
