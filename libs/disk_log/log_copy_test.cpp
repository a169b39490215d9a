#include "libs/disk_log/log_copy.hpp"

#include <gmock/gmock.h>

#include "libs/disk_log/log_check.hpp"
#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LogCopyTest : public DiskLogTest {
 protected:
  std::vector<std::string> bodies(const std::string& directory) {
    std::vector<std::string> bodies;
    const auto checked =
        check_log(files_, directory, [&](const RecordHeader&, std::string_view body) {
          bodies.emplace_back(body);
          return Result<void>();
        });
    EXPECT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_THAT(checked->damage, IsEmpty());
    EXPECT_FALSE(checked->is_torn);
    return bodies;
  }
};

TEST_F(LogCopyTest, OfALogInUseAllThatWasAcknowledgedIsThere) {
  open();
  ASSERT_TRUE(write("first"));
  ASSERT_TRUE(write("second"));
  ASSERT_TRUE(copy_log(files_, "/log", "/copy"));
  ASSERT_TRUE(write("third"));  // of which the copy knows nothing
  EXPECT_THAT(bodies("/copy"), ElementsAre("first", "second"));
}

// A record that is being written ends in the middle.
TEST_F(LogCopyTest, WhatIsUnderWayIsLeftOut) {
  open();
  ASSERT_TRUE(write("first"));
  ASSERT_TRUE(write("second"));
  const std::string name = segments().front();
  const std::string whole = files_.content(name);
  files_.set_content(name, whole.substr(0, whole.size() - 3));
  ASSERT_TRUE(copy_log(files_, "/log", "/copy"));
  EXPECT_THAT(bodies("/copy"), ElementsAre("first"));
}

TEST_F(LogCopyTest, WhereThereIsNoLogTheCopyIsEmpty) {
  ASSERT_TRUE(copy_log(files_, "/log", "/copy"));
  EXPECT_THAT(files_.names("/copy"), IsEmpty());
}

}  // namespace
}  // namespace vigia::disk_log
