#include "libs/disk_log/log_check.hpp"

#include <algorithm>
#include <functional>
#include <random>

#include <gmock/gmock.h>

#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class LogCheckTest : public DiskLogTest {
 protected:
  void SetUp() override {
    DiskLogTest::SetUp();
    settings_.segment_bytes = 4096;
  }
  // Several segments, closed.
  void fill() {
    open();
    std::minstd_rand random(3);
    for (int i = 0; i < 12; ++i) {
      std::string body(1000, ' ');  // that does not pack
      for (char& c : body) c = static_cast<char>(random());
      ASSERT_TRUE(write(std::move(body)));
    }
    log_.reset();
    for (const std::string& name : files_.names("/log")) {
      if (name.starts_with("segment-") && name.ends_with(".log")) segments_.push_back(name);
    }
    ASSERT_GT(segments_.size(), 2U);
  }
  void change(const std::string& name, const std::function<void(std::string&)>& how) {
    std::string bytes = files_.content("/log/" + name);
    how(bytes);
    files_.set_content("/log/" + name, bytes);
  }
  LogCheck check() {
    const auto found = check_log(files_, "/log");
    EXPECT_TRUE(found.has_value()) << found.error().message;
    return found.value_or(LogCheck());
  }

  std::vector<std::string> segments_;
};

TEST_F(LogCheckTest, OfAWholeLogEveryRecordIsRead) {
  fill();
  const LogCheck found = check();
  EXPECT_EQ(found.segments, segments_.size());
  EXPECT_EQ(found.records, 12U);
  EXPECT_THAT(found.damage, IsEmpty());
  EXPECT_FALSE(found.is_torn);
}

TEST_F(LogCheckTest, DamageIsNamedBySegmentAndTheRestIsRead) {
  fill();
  change(segments_[1], [](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; });
  const LogCheck found = check();
  ASSERT_THAT(found.damage, SizeIs(1));
  EXPECT_EQ(found.damage[0].file, segments_[1]);
  EXPECT_EQ(found.damage[0].what, "1 damaged passages");
  EXPECT_EQ(found.records, 11U);
}

TEST_F(LogCheckTest, AnEndThatAKillHasTornIsNoDamageOfTheLastSegmentAlone) {
  fill();
  const std::size_t whole = files_.content("/log/" + segments_.back()).size();
  constexpr std::size_t kPage = 4096;  // where a kill cuts
  ASSERT_GT(whole, kPage);
  ASSERT_LT(whole, kPage + 1'000) << "within the last record";
  const auto cut = [](std::string& bytes) { bytes.resize(kPage); };
  change(segments_.back(), cut);
  EXPECT_TRUE(check().is_torn);
  EXPECT_THAT(check().damage, IsEmpty());
  // Flipped it is damage, and no end that is missing.
  const std::string torn = files_.content("/log/" + segments_.back());
  change(segments_.back(), [](std::string& bytes) { bytes[bytes.size() - 500] ^= 1; });
  EXPECT_TRUE(check().is_torn);  // the body is not there to be judged
  change(segments_.back(),
         [&](std::string& bytes) { bytes = torn.substr(0, kPage - 800) + std::string(800, 'x'); });
  EXPECT_FALSE(check().is_torn);
  EXPECT_THAT(check().damage, SizeIs(1));
  change(segments_.back(), [&](std::string& bytes) { bytes = torn; });
  change(segments_.front(), cut);
  ASSERT_THAT(check().damage, SizeIs(1));
  EXPECT_EQ(check().damage[0].file, segments_.front());
  change(segments_.front(), [&](std::string& bytes) {
    bytes.resize(whole, ' ');
    std::fill(bytes.end() - 1'050, bytes.end(), 'x');  // the last record, head and all
  });
  ASSERT_THAT(check().damage, SizeIs(1));  // as long as it was, and a record is missing
  EXPECT_THAT(check().damage[0].what, testing::HasSubstr("its end is damaged"));
}

// Cut between two records, nothing in the segment itself says so.
TEST_F(LogCheckTest, AnEndThatIsLostAndASegmentThatIsGoneAreNamed) {
  fill();
  const std::uint64_t whole = check().records;
  std::uint64_t end = 0;
  change(segments_[0], [&](std::string& bytes) {
    end = bytes.size();
    bytes.resize(kSegmentHeaderBytes);
  });
  ASSERT_THAT(check().damage, SizeIs(1));
  EXPECT_EQ(check().damage[0].file, segments_[0]);
  EXPECT_THAT(check().damage[0].what, testing::HasSubstr("its end is missing"));
  EXPECT_LT(check().records, whole);
  ASSERT_TRUE(files_.remove("/log/" + segments_[1]));
  ASSERT_THAT(check().damage, SizeIs(1));
  EXPECT_THAT(check().damage[0].what, testing::HasSubstr("1 segments behind it are missing"));
}

// A start goes on in a new segment behind one that a kill has torn.
TEST_F(LogCheckTest, ATornEndThatAStartHasSeenIsNoDamage) {
  fill();
  change(segments_.back(), [](std::string& bytes) { bytes += std::string(50, 'x'); });
  open();
  ASSERT_TRUE(write("more"));
  log_.reset();
  EXPECT_THAT(check().damage, IsEmpty());
  EXPECT_FALSE(check().is_torn);
  EXPECT_EQ(check().records, 13U);
}

TEST_F(LogCheckTest, ALogThatIsInUseIsNotLookedAt) {
  open();
  files_.set_content("/log/lock", "");  // these files know a lock without one
  const auto found = check_log(files_, "/log");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace vigia::disk_log
