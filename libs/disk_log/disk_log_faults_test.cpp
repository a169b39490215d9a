// The log on a disk that cannot read what it holds.
#include <future>

#include <gmock/gmock.h>

#include "libs/base/fault.hpp"
#include "libs/base/testing/failing_allocations.hpp"
#include "libs/disk_log/testing/disk_log_faults_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(DiskLogFaultsTest, WhoThrowsAtAnAnswerCostsNobodyTheLog) {
  open();
  const std::uint64_t before = fault_count();
  DiskRecord record{{.tag = {.owner = "cliente-a"}}, "first"};
  log_->append(std::move(record),
               [](const Result<RecordHeader>&) { throw std::runtime_error("not foreseen"); });
  ASSERT_TRUE(write("second"));
  EXPECT_EQ(fault_count(), before + 1);
  EXPECT_THAT(read(), ElementsAre("first", "second"));
}

TEST_F(DiskLogFaultsTest, AFaultOfOursAtAWriteIsAnAnswerAndPasses) {
  open();
  ASSERT_TRUE(write("first"));
  const std::uint64_t before = fault_count();
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    if (is_failing_ && call == "write" && path.find("segment-") != std::string::npos)
      throw std::bad_alloc();
    return false;
  });
  const auto refused = write("second");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(is_retryable(refused.error()));
  EXPECT_EQ(fault_count(), before + 1);
  is_failing_ = false;
  clock_.advance(settings_.full_retry_interval);
  ASSERT_TRUE(write("third"));
  reopen();
  EXPECT_THAT(read(), ElementsAre("first", "third"));
}

// Answers come on the writer's thread: the first one's lets memory end there for what follows.
TEST_F(DiskLogFaultsTest, MemoryThatEndsInTheWritersThreadCostsWhatItHeldAndNoRoom) {
  settings_.pending_bytes_max = 100'000;
  open();
  using Answers = std::vector<std::future<bool>>;
  const auto append = [&](Answers& answers, std::string body, int number) {
    std::promise<bool> promise;
    answers.push_back(promise.get_future());
    log_->append(
        {{.tag = {.owner = "cliente-a"}, .encoding = BodyEncoding::kGzip}, std::move(body)},
        [promise = std::move(promise), number](const auto& header) mutable {
          promise.set_value(header.has_value());
          if (number >= 0 && header) fail_allocation(number, 2);
        });
  };
  // What is let go is heard of as well, as a promise that was broken.
  std::size_t kept = 0;
  const auto hear = [&](Answers& answers) {
    std::size_t good = 0;
    for (auto& answer : answers) {
      contain_faults("a promise that was let go", [&] { good += answer.get() ? 1U : 0U; });
    }
    kept += good;
    return good;
  };
  for (int number = 0; number < 40; ++number) {
    Answers answers;
    append(answers, "x", number);
    for (int i = 0; i < 4; ++i) append(answers, std::string(20'000, 'y'), -1);
    hear(answers);
    clock_.advance(settings_.full_retry_interval);  // for so long it refuses after a write failed
  }
  Answers answers;
  append(answers, "calm", 1'000'000);
  EXPECT_EQ(hear(answers), 1U);
  for (int i = 0; i < 60; ++i) append(answers, std::string(1'000, 'z'), -1);
  answers.erase(answers.begin());
  EXPECT_EQ(hear(answers), 60U);
  EXPECT_EQ(read().size(), kept);
}

TEST_F(DiskLogFaultsTest, CursorsThatCannotBeReadNowAreNoNewLog) {
  open();
  ASSERT_TRUE(write("first"));
  EXPECT_THAT(read(), ElementsAre("first"));
  commit();
  ASSERT_TRUE(write("second"));
  log_.reset();
  is_failing_ = true;  // as without descriptors
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && call == "open" && path == "/log/cursors";
  });
  const auto refused = DiskLog::open(settings_, clock_, {}, files_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("/log/cursors"));
  is_failing_ = false;
  open();
  EXPECT_THAT(read(), ElementsAre("second"));
}

TEST_F(DiskLogFaultsTest, AReadFaultThatPassesLosesNothing) {
  open();
  ASSERT_TRUE(write_large('a'));
  const auto at_fault = write_large('b');
  ASSERT_TRUE(write_large('c'));
  for (const bool is_head : {false, true}) {
    is_head ? spoil_head(*at_fault) : spoil_body(*at_fault);
    log_->cursor("cold").rewind();
    EXPECT_EQ(read_letters(), "a!");  // what lies before is given at once
    for (int i = 0; i < 100; ++i) EXPECT_EQ(read_letters(), "!");
    clock_.advance(settings_.unreadable_patience - std::chrono::seconds(1));
    EXPECT_EQ(read_letters(), "!");
    files_.mend_sectors();
    EXPECT_EQ(read_letters(), "bc");
  }
  EXPECT_THAT(drops(), IsEmpty());
  EXPECT_THAT(skips_, IsEmpty());
  EXPECT_EQ(log_->stats().damaged_records, 0U);
}

TEST_F(DiskLogFaultsTest, ALongPauseBetweenTwoTriesIsNoPatience) {
  open();
  const auto at_fault = write_large('a');
  spoil_body(*at_fault);
  EXPECT_EQ(read_letters(), "!");
  clock_.advance(10 * settings_.unreadable_patience);
  EXPECT_EQ(read_letters(), "!");
  files_.mend_sectors();
  EXPECT_EQ(read_letters(), "a");
}

TEST_F(DiskLogFaultsTest, ABodyThatStaysUnreadableCostsItsRecordAlone) {
  open();
  ASSERT_TRUE(write_large('a'));
  const auto at_fault = write_large('b');
  ASSERT_TRUE(write_large('c'));
  spoil_body(*at_fault);
  EXPECT_EQ(read_over_the_patience(), "a!!c");
  EXPECT_THAT(drops(), ElementsAre(Dropped{"cold", "cliente-a", "damaged", 7}));
  ASSERT_EQ(skips_.size(), 1U);
  EXPECT_EQ(skips_[0].cursor, "cold");
  EXPECT_EQ(skips_[0].path, path_of(*at_fault));
  EXPECT_EQ(skips_[0].begin, at_fault->position.offset);
  EXPECT_EQ(skips_[0].end, at_fault->next.offset);
  EXPECT_THAT(skips_[0].why, HasSubstr("input/output error"));
  EXPECT_EQ(log_->stats().damaged_records, 1U);
  commit();  // and the log goes on
  ASSERT_TRUE(write_large('d'));
  EXPECT_EQ(read_letters(), "d");
}

TEST_F(DiskLogFaultsTest, AHeadThatStaysUnreadableCostsThePagesAtFault) {
  open();
  const auto at_fault = write_large('a');
  const auto next = write_large('b');
  ASSERT_TRUE(write_large('c'));
  spoil_head(*at_fault);
  EXPECT_EQ(read_over_the_patience(), "!!bc");
  // The segment's sums, kept in memory, tell whose it was.
  EXPECT_THAT(drops(), ElementsAre(Dropped{"cold", "cliente-a", "damaged", 7}));
  ASSERT_EQ(skips_.size(), 1U);
  EXPECT_EQ(skips_[0].begin, at_fault->position.offset);
  EXPECT_EQ(skips_[0].end, next->position.offset);
  EXPECT_EQ(log_->stats().damaged_records, 1U);
}

TEST_F(DiskLogFaultsTest, AFaultBehindAnotherHasItsOwnPatience) {
  open();
  const auto first = write_large('a');
  ASSERT_TRUE(write_large('b'));
  const auto second = write_large('c');
  ASSERT_TRUE(write_large('d'));
  spoil_head(*first);
  spoil_body(*second);
  EXPECT_EQ(read_over_the_patience(), "!!b!");
  EXPECT_EQ(read_over_the_patience(), "!d");
}

TEST_F(DiskLogFaultsTest, TheHeaderOfASegmentInUseIsNotNeeded) {
  open();
  ASSERT_TRUE(write_large('a'));
  files_.spoil(segments().at(0), 0, 64);
  EXPECT_EQ(read_letters(), "a");
}

TEST_F(DiskLogFaultsTest, ASegmentThatIsGoneIsPassedOver) {
  settings_.segment_bytes = 4096;
  open();
  const auto gone = write_large('a');
  ASSERT_TRUE(write_large('b'));
  ASSERT_TRUE(files_.remove(path_of(*gone)));
  EXPECT_EQ(read_over_the_patience(), "!!b");
  EXPECT_EQ(skips_.size(), 1U);
}

TEST_F(DiskLogFaultsTest, AFaultThatIsNotTheDisksIsWaitedOut) {
  settings_.segment_bytes = 4096;
  open();
  ASSERT_TRUE(write_large('a'));
  ASSERT_TRUE(write_large('b'));
  is_failing_ = true;  // as where the process has no descriptors left
  files_.fail_when([this](std::string_view call, const std::string& /*path*/) {
    return is_failing_ && call == "open";
  });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(read_over_the_patience(), "!!!");
  is_failing_ = false;
  EXPECT_EQ(read_letters(), "ab");
  EXPECT_THAT(skips_, IsEmpty());
}

TEST_F(DiskLogFaultsTest, WhatIsDroppedBehindAFaultIsCounted) {
  settings_.cursors = {{.name = "hot", .required = false, .age_max = std::chrono::hours(1)}};
  open();
  ASSERT_TRUE(write_large('a'));
  const auto at_fault = write_large('b');
  ASSERT_TRUE(write_large('c'));
  spoil_head(*at_fault);
  clock_.advance(std::chrono::hours(2));
  eventually([this] { return drops().size() == 3; });  // the one at fault, too
  ASSERT_TRUE(write_large('d'));
  EXPECT_EQ(read_letters("hot"), "d");
}

TEST_F(DiskLogFaultsTest, ASegmentThatCouldNotBeMadeStopsNoWalk) {
  settings_.cursors = {{.name = "hot", .required = false, .age_max = std::chrono::hours(1)}};
  open();
  ASSERT_TRUE(write_large('a'));
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && (call == "write" || call == "create") &&
           path.find("segment-") != std::string::npos;
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(write_large('x'));
    clock_.advance(settings_.full_retry_interval);
  }
  is_failing_ = false;
  ASSERT_TRUE(write_large('b'));
  clock_.advance(std::chrono::hours(2));
  eventually([this] { return drops().size() == 2; });
}

TEST_F(DiskLogFaultsTest, NumbersThatCannotBeReadAreNotGivenAgain) {
  open();
  ASSERT_TRUE(write_large('a'));
  const auto last = write_large('b');
  log_.reset();
  files_.set_content("/log/cursors", "nonsense");
  spoil_head(*last);
  open();
  EXPECT_GT(write_large('c')->sequence, last->sequence);
}

TEST_F(DiskLogFaultsTest, WhatWasRefusedAndCouldNotBeCutOffSharesNoNumber) {
  open();
  ASSERT_TRUE(write_large('a'));
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && (call == "sync" || call == "truncate") &&
           path.find("segment-") != std::string::npos;
  });
  EXPECT_FALSE(write_large('x'));  // whole in the file
  is_failing_ = false;
  clock_.advance(settings_.full_retry_interval);
  const auto after = write_large('b');
  ASSERT_TRUE(after);
  EXPECT_EQ(read_letters(), "ab");
  reopen();
  std::vector<std::uint64_t> sequences;
  std::string letters;
  for (auto record = log_->cursor("cold").next(kNoWait); record && *record;
       record = log_->cursor("cold").next(kNoWait)) {
    sequences.push_back((*record)->header.sequence);
    letters += (*record)->body.at(0);
  }
  EXPECT_EQ(letters, "axb");  // its sender, who was told to try again, may have sent it once more
  EXPECT_THAT(sequences, ElementsAre(1, 2, 3));
}

TEST_F(DiskLogFaultsTest, AFullDiskDoesNotCollectEmptySegments) {
  open();
  ASSERT_TRUE(write_large('a'));
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && call == "write" && path.find("segment-") != std::string::npos;
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(write_large('x'));
    clock_.advance(settings_.full_retry_interval);
  }
  EXPECT_EQ(log_->stats().segments, 1U);
  EXPECT_EQ(segments().size(), 1U);
}

class MakingRoomTest : public DiskLogFaultsTest {
 protected:
  void SetUp() override {
    DiskLogFaultsTest::SetUp();
    settings_.segment_bytes = 20'000;
    settings_.bytes_max = 100'000;
    settings_.cursors = {{.name = "hot", .required = false}};
  }
  /// Items told as dropped, and those that can still be read.
  std::uint64_t items_accounted_for() {
    std::uint64_t items = 0;
    for (const Dropped& drop : drops()) items += drop.items;
    return items + 7 * read_letters("hot").size();
  }
};

TEST_F(MakingRoomTest, NothingIsDroppedUncountedForWantOfDescriptors) {
  open();
  std::uint64_t written = 0;
  while (log_->stats().bytes < 80'000) written += write_large('a') ? 7U : 0U;
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& /*path*/) {
    return is_failing_ && call == "open";
  });
  Result<RecordHeader> answer = write_large('b');
  while (answer) {
    written += 7;
    answer = write_large('b');
  }
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(answer.error().retry_after.has_value());
  EXPECT_THAT(drops(), IsEmpty());
  is_failing_ = false;
  clock_.advance(settings_.full_retry_interval);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(write_large('c'));
    written += 7;
  }
  EXPECT_FALSE(drops().empty());
  EXPECT_EQ(items_accounted_for(), written);
}

TEST_F(MakingRoomTest, WhatTheDeviceCannotReadIsCountedByCustomerAllTheSame) {
  open();
  const auto first = write_large('a');
  for (const char letter : {'b', 'c', 'd', 'e', 'f', 'g'}) ASSERT_TRUE(write_large(letter));
  ASSERT_TRUE(files_.remove(path_of(*first)));  // a whole file
  const auto third = write_large('h');
  spoil_head(*third);
  std::uint64_t written = 8 * 7;
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(write_large('i'));
    written += 7;
  }
  EXPECT_EQ(items_accounted_for(), written);
  for (const Dropped& drop : drops()) EXPECT_EQ(drop.customer, "cliente-a");
}

TEST_F(MakingRoomTest, DamageThatTwoReadersMeetIsToldToEachOnce) {
  settings_.cursors = {{.name = "hot", .required = false}, {.name = "cold", .required = true}};
  settings_.bytes_max = 10U << 20U;
  settings_.segment_bytes = 1U << 20U;
  open();
  ASSERT_TRUE(write_large('a'));
  const auto first = write_large('b');
  ASSERT_TRUE(write_large('c'));
  const auto second = write_large('d');
  ASSERT_TRUE(write_large('e'));
  spoil_head(*first);
  for (int round = 0; round < 2; ++round) {
    for (const std::string_view cursor : {"hot", "cold"}) {
      for (int i = 0; i < 2 * kUnreadableTriesMin; ++i) {
        (void)read_letters(cursor);
        clock_.advance(settings_.unreadable_patience);
      }
      log_->cursor(cursor).rewind();
    }
    spoil_head(*second);  // the next round meets another one
  }
  EXPECT_EQ(drops().size(), 4U);
  for (const Dropped& drop : drops()) EXPECT_EQ(drop.items, 7U);
}

}  // namespace
}  // namespace vigia::disk_log
