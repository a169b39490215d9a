#include "services/collector/intake/delta_checkpoint.hpp"

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::collector::intake {
namespace {

class DeltaCheckpointTest : public ::testing::Test {
 protected:
  DeltaCheckpointTest() { EXPECT_TRUE(files_.create_directory("/log")); }
  void write() {
    DeltaCheckpoint::Writing writing({3, 400});
    writing.add(*CustomerId::parse("a"), "one");
    writing.add(*CustomerId::parse("b"), "");  // nothing is kept of it
    writing.add(CustomerId::provider(), "two");
    ASSERT_TRUE(file_.write(std::move(writing)));
  }
  Result<disk_log::LogPosition> read() {
    taken_.clear();
    return file_.read([this](const CustomerId& customer, std::string_view states) {
      taken_ += customer.text() + "=" + std::string(states) + " ";
      return Result<void>{};
    });
  }

  disk_log::MemoryFiles files_;
  DeltaCheckpoint file_{"/log", files_};
  std::string taken_;
};

TEST_F(DeltaCheckpointTest, ReadsWhatItWrites) {
  EXPECT_EQ(read().error().code, ErrorCode::kNotFound);
  write();
  files_.cut_power();
  const auto position = read();
  ASSERT_TRUE(position);
  EXPECT_EQ(*position, (disk_log::LogPosition{3, 400}));
  EXPECT_EQ(taken_, "a=one _provider=two ");
}

// Golden: docs/formats/delta-states.md.
TEST_F(DeltaCheckpointTest, LiesOnDiskAsItIsWritten) {
  write();
  const std::string bytes = files_.content("/log/delta-states");
  EXPECT_EQ(bytes.substr(0, 21), "vigia-delta-states 1\n");
  EXPECT_EQ(to_hex(bytes.substr(21, bytes.size() - 25)),
            "03000000000000009001000000000000"
            "0161036f6e65"
            "095f70726f7669646572"
            "0374776f");
}

TEST_F(DeltaCheckpointTest, WhatIsChangedOrCutAnywhereIsNotUsed) {
  write();
  const std::string bytes = files_.content("/log/delta-states");
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    std::string changed = bytes;
    changed[place] = static_cast<char>(changed[place] ^ 0x10);
    for (const std::string& content : {changed, bytes.substr(0, place)}) {
      files_.set_content("/log/delta-states", content);
      EXPECT_EQ(read().error().code, ErrorCode::kCorrupt) << place;
      EXPECT_EQ(taken_, "");
    }
  }
}

TEST_F(DeltaCheckpointTest, WhatTheDiskDoesNotTakeLeavesTheOldOne) {
  write();
  files_.fail_when([](std::string_view call, const std::string& path) {
    return call == "write" && path.find("delta-states") != std::string::npos;
  });
  EXPECT_FALSE(file_.write(DeltaCheckpoint::Writing({9, 9})));
  EXPECT_EQ(*read(), (disk_log::LogPosition{3, 400}));
}

}  // namespace
}  // namespace vigia::collector::intake
