#include <cstdlib>
#include <future>
#include <thread>

#include <gmock/gmock.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(DiskLogTest, GivesRecordsBackInOrderAndWhole) {
  open();
  ASSERT_TRUE(write("uno"));
  const auto header = write(std::string(100'000, 'x'), "cliente-b");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->sequence, 2U);
  EXPECT_LT(header->stored_bytes, 2000U);  // LZ4
  EXPECT_THAT(read(), ElementsAre("uno", std::string(100'000, 'x')));
  EXPECT_EQ(last_->tag.owner, "cliente-b");
  EXPECT_EQ(last_->items, 7U);
  EXPECT_EQ(last_->tag.route, "hot-0");
  EXPECT_EQ(last_->tag.note, "v");
  EXPECT_EQ(last_->received_ms, clock_.wall_ms());
  EXPECT_EQ(last_->next, header->next);
}

TEST_F(DiskLogTest, ATagThatDoesNotFitIsRefusedAndTheNextRecordIsTaken) {
  open();
  const std::vector<RecordTag> tags{{.owner = std::string(kOwnerBytesMax + 1, 'o')},
                                    {.owner = "o", .route = std::string(kRouteBytesMax + 1, 'r')},
                                    {.owner = "o", .note = std::string(kNoteBytesMax + 1, 'n')}};
  for (const RecordTag& tag : tags) {
    const auto refused = log_->append_and_wait({{.tag = tag}, "body"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  }
  ASSERT_TRUE(write(std::string("good"), std::string(kOwnerBytesMax, 'o')));
  EXPECT_THAT(read(), ElementsAre("good"));
}

TEST_F(DiskLogTest, CompressedBodiesAreKeptAsTheyAre) {
  open();
  DiskRecord record{{.tag = {.owner = "_provider", .kind = 3}, .encoding = BodyEncoding::kZstd},
                    std::string(5000, 'z')};
  const auto header = log_->append_and_wait(record);
  ASSERT_TRUE(header);
  EXPECT_GT(header->stored_bytes, 5000U);
  EXPECT_THAT(read(), ElementsAre(std::string(5000, 'z')));
  EXPECT_EQ(last_->encoding, BodyEncoding::kZstd);
  EXPECT_EQ(last_->tag.kind, 3);
  EXPECT_EQ(last_->tag.owner, "_provider");
}

TEST_F(DiskLogTest, UncommittedRecordsComeAgainAfterARestartAndCommittedOnesDoNot) {
  open();
  ASSERT_TRUE(write("a"));
  EXPECT_THAT(read(), ElementsAre("a"));
  commit();
  ASSERT_TRUE(write("b"));
  ASSERT_TRUE(write("c"));
  reopen();
  EXPECT_THAT(read(), ElementsAre("b", "c"));
  log_->cursor("cold").rewind();
  EXPECT_THAT(read(), ElementsAre("b", "c"));
  EXPECT_EQ(last_->sequence, 3U);
  ASSERT_TRUE(write("d"));
  EXPECT_THAT(read(), ElementsAre("d"));
  EXPECT_EQ(last_->sequence, 4U);
}

TEST_F(DiskLogTest, SequenceNumbersGoOnWhereEverythingWasDeleted) {
  open();
  ASSERT_TRUE(write("a"));
  read();
  commit();
  log_.reset();
  open();
  log_.reset();
  EXPECT_THAT(segments(), IsEmpty());
  open();
  EXPECT_EQ(write("b")->sequence, 2U);
}

TEST_F(DiskLogTest, AReaderWaitsForWhatComes) {
  open();
  auto waiting = std::async(std::launch::async,
                            [this] { return log_->cursor("cold").next(std::chrono::seconds(10)); });
  ASSERT_TRUE(write("late"));
  const auto record = waiting.get();
  ASSERT_TRUE(record && record->has_value());
  EXPECT_EQ((*record)->body, "late");
}

TEST_F(DiskLogTest, AnInterruptEndsTheWait) {
  open();
  auto waiting = std::async(std::launch::async,
                            [this] { return log_->cursor("cold").next(std::chrono::hours(1)); });
  log_->cursor("cold").interrupt();
  const auto record = waiting.get();
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->has_value());
}

TEST_F(DiskLogTest, AppendsOfManyThreadsShareSyncs) {
  open();
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      std::atomic<int> left{kEach};
      for (int n = 0; n < kEach; ++n) {
        DiskRecord record{{.tag = {.owner = "c"}}, "body"};
        log_->append(std::move(record), [&left](const Result<RecordHeader>& header) {
          EXPECT_TRUE(header);
          --left;
        });
      }
      while (left > 0) std::this_thread::yield();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(read().size(), std::size_t{kThreads} * kEach);
  const DiskLogStats stats = log_->stats();
  EXPECT_EQ(stats.appended_records, std::uint64_t{kThreads} * kEach);
  EXPECT_LT(stats.syncs, std::uint64_t{kThreads} * kEach);
}

TEST_F(DiskLogTest, WhatComesWithinTheGapSharesTheNextSync) {
  settings_.sync_gap = std::chrono::seconds(1);
  open();
  ASSERT_TRUE(write("first"));
  EXPECT_EQ(log_->stats().syncs, 1U) << "nobody waits where nothing was synced before";
  std::promise<void> is_kept;
  log_->append({{.tag = {.owner = "c"}}, "second"},
               [](const auto& header) { EXPECT_TRUE(header); });
  // Without the gap it would be on the disk, with a sync of its own, long before the third comes.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  log_->append({{.tag = {.owner = "c"}}, "third"}, [&is_kept](const auto& header) {
    EXPECT_TRUE(header);
    is_kept.set_value();
  });
  is_kept.get_future().wait();
  EXPECT_EQ(log_->stats().syncs, 2U);
}

TEST_F(DiskLogTest, ATornTailIsSkippedAndCounted) {
  open();
  ASSERT_TRUE(write("whole"));
  ASSERT_TRUE(write("torn"));
  log_.reset();
  std::string bytes = files_.content(segments().at(0));
  files_.set_content(segments().at(0), bytes.substr(0, bytes.size() - 3));
  open();
  ASSERT_TRUE(write("after"));
  EXPECT_THAT(read(), ElementsAre("whole", "after"));
  EXPECT_EQ(log_->stats().damaged_records, 1U);
}

TEST_F(DiskLogTest, ASegmentCutIntoItsHeaderIsCounted) {
  open();
  ASSERT_TRUE(write("gone"));
  log_.reset();
  const std::string path = segments().at(0);
  const std::string whole = files_.content(path);
  for (const std::size_t left : {std::size_t{17}, kSegmentHeaderBytes - 1}) {
    files_.set_content(path, whole.substr(0, left));
    open();
    EXPECT_EQ(log_->stats().damaged_records, 1U) << left;
    log_.reset();
  }
}

// C31.
TEST_F(DiskLogTest, AFlippedBitAnywhereCostsOneRecordAtMost) {
  open();
  const std::vector<std::string> bodies = {"first", "second", "third"};
  for (const std::string& body : bodies) ASSERT_TRUE(write(body));
  log_.reset();
  const std::string path = segments().at(0);
  const std::string good = files_.content(path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    files_.set_content(path, bad);
    drops_.clear();
    open();
    const std::vector<std::string> got = read();
    const std::uint64_t damaged = log_->stats().damaged_records;
    log_.reset();
    ASSERT_GE(got.size(), i < kSegmentHeaderBytes ? 3U : 2U) << "bit flipped in byte " << i;
    ASSERT_EQ(damaged, 3 - got.size()) << "bit flipped in byte " << i;
    for (const std::string& body : got) ASSERT_THAT(bodies, testing::Contains(body));
  }
}

TEST_F(DiskLogTest, ADamagedBodyIsCountedForItsCustomerOnce) {
  open();
  ASSERT_TRUE(write("aaaa"));
  const auto broken = write("bbbb");
  ASSERT_TRUE(write("cccc"));
  log_.reset();
  std::string bytes = files_.content(segments().at(0));
  bytes[broken->next.offset - 1] ^= 1;
  files_.set_content(segments().at(0), bytes);
  open();
  EXPECT_THAT(read(), ElementsAre("aaaa", "cccc"));
  log_->cursor("cold").rewind();
  EXPECT_THAT(read(), ElementsAre("aaaa", "cccc"));
  EXPECT_THAT(drops(), ElementsAre(Dropped{"cold", "cliente-a", "damaged", 7}));
  EXPECT_EQ(log_->stats().damaged_records, 1U);
}

TEST_F(DiskLogTest, ABodyThatLooksLikeARecordIsNeverReadAsOne) {
  open();
  // Any sender can build a record with a right checksum; none can know the segment's marker.
  const RecordHeader forged{.tag = {.owner = "cliente-b"}};
  const std::string inner =
      encode_record_head(forged, pack_body("evil", BodyEncoding::kGzip), 0x1234);
  DiskRecord record{{.tag = {.owner = "cliente-a"}, .encoding = BodyEncoding::kGzip},
                    inner + "evil"};
  const auto header = log_->append_and_wait(record);
  ASSERT_TRUE(write("good"));
  log_.reset();
  std::string bytes = files_.content(segments().at(0));
  bytes[header->position.offset + 20] ^= 1;
  files_.set_content(segments().at(0), bytes);
  open();
  EXPECT_THAT(read(), ElementsAre("good"));
}

TEST_F(DiskLogTest, ALostCursorFileReadsAllAgain) {
  open();
  ASSERT_TRUE(write("a"));
  ASSERT_TRUE(write("b"));
  ASSERT_TRUE(log_->cursor("cold").next(kNoWait));
  log_.reset();
  EXPECT_THAT(cursors_lost_, ElementsAre()) << "a new log has none to lose";
  files_.set_content("/log/cursors", "nonsense");
  open();
  EXPECT_THAT(read(), ElementsAre("a", "b"));
  ASSERT_EQ(cursors_lost_.size(), 1U) << "it is told once";
  EXPECT_TRUE(cursors_lost_[0].starts_with("/log/cursors: ")) << cursors_lost_[0];
  log_.reset();
  open();
  EXPECT_EQ(cursors_lost_.size(), 1U);
}

TEST_F(DiskLogTest, AFailedSyncIsNotTrustedAgainAndItsRecordIsRefused) {
  open();
  ASSERT_TRUE(write("kept"));
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && call == "sync" && path.find("segment-") != std::string::npos;
  });
  const auto refused = write("refused");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(is_retryable(refused.error()));
  EXPECT_TRUE(refused.error().retry_after.has_value());
  is_failing_ = false;
  EXPECT_FALSE(write("still refused"));  // until the disk is tried again
  clock_.advance(settings_.full_retry_interval);
  ASSERT_TRUE(write("resumed"));
  EXPECT_THAT(read(), ElementsAre("kept", "resumed"));
  EXPECT_EQ(log_->stats().sync_failures, 1U);
  EXPECT_EQ(segments().size(), 2U);
}

TEST_F(DiskLogTest, AFailedWriteLeavesNoTrace) {
  open();
  ASSERT_TRUE(write("kept"));
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return call == "write" && path.find("segment-") != std::string::npos && ++writes_ == 1;
  });
  EXPECT_FALSE(write("refused"));
  clock_.advance(settings_.full_retry_interval);
  ASSERT_TRUE(write("resumed"));
  reopen();
  EXPECT_THAT(read(), ElementsAre("kept", "resumed"));
  EXPECT_EQ(log_->stats().damaged_records, 0U);
}

// C32, D22.
TEST_F(DiskLogTest, AFullDiskRefusesRetryablyDrainsAndResumes) {
  settings_.segment_bytes = 4096;
  files_.set_capacity(40'000);
  open();
  std::size_t kept = 0;
  const auto noise = [](std::size_t n) {
    std::string body(1500, ' ');
    std::uint32_t state = static_cast<std::uint32_t>(n) + 1;
    for (char& c : body) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24U);
    return body;
  };
  Result<RecordHeader> answer = write(noise(0));
  while (answer) answer = write(noise(++kept));
  EXPECT_TRUE(is_retryable(answer.error()));
  EXPECT_TRUE(log_->stats().is_full);
  EXPECT_GT(kept, 10U);
  EXPECT_EQ(read().size(), kept);
  commit();
  eventually([this] { return segments().size() <= 1; });
  clock_.advance(settings_.full_retry_interval);
  EXPECT_TRUE(write("space again"));
  EXPECT_FALSE(log_->stats().is_full);
}

TEST_F(DiskLogTest, ARequiredCursorAtTheCapMakesAppendRefuse) {
  settings_.segment_bytes = 4096;
  settings_.bytes_max = 20'000;
  open();
  std::size_t kept = 0;
  Result<RecordHeader> answer = write("x");
  DiskRecord record{{.tag = {.owner = "c"}, .encoding = BodyEncoding::kGzip},
                    std::string(900, 'x')};
  while ((answer = log_->append_and_wait(record))) ++kept;
  EXPECT_TRUE(is_retryable(answer.error()));
  EXPECT_THAT(answer.error().message, HasSubstr("full"));
  EXPECT_GT(kept, 15U);
  EXPECT_LE(log_->stats().bytes, 20'000U);
  EXPECT_EQ(read().size(), kept + 1);
  EXPECT_FALSE(log_->append_and_wait(record));
  commit();
  eventually([&] { return log_->append_and_wait(record).has_value(); });
  EXPECT_THAT(drops(), IsEmpty());
}

TEST_F(DiskLogTest, AnOptionalCursorAtTheCapLosesTheOldestCounted) {
  settings_.cursors = {{.name = "hot", .required = false, .age_max = {}, .bytes_max = 0}};
  settings_.segment_bytes = 4096;
  settings_.bytes_max = 20'000;
  open();
  DiskRecord record{{.tag = {.owner = "c"}, .encoding = BodyEncoding::kGzip, .items = 3},
                    std::string(900, 'x')};
  constexpr std::size_t kWritten = 100;
  for (std::size_t i = 0; i < kWritten; ++i) ASSERT_TRUE(log_->append_and_wait(record));
  EXPECT_LE(log_->stats().bytes, 20'000U);
  const std::size_t dropped = drops().size();
  EXPECT_GT(dropped, 70U);
  EXPECT_EQ(drops().at(0), (Dropped{"hot", "c", "cap", 3}));
  EXPECT_EQ(read("hot").size() + dropped, kWritten);
  EXPECT_EQ(last_->sequence, kWritten);
}

TEST_F(DiskLogTest, ACommitOfWhatWasDroppedMeanwhileSaysSo) {
  settings_.cursors = {{.name = "hot", .required = false, .age_max = std::chrono::hours(1)}};
  open();
  ASSERT_TRUE(write("old"));
  EXPECT_THAT(read("hot"), ElementsAre("old"));  // in flight now
  const RecordHeader in_flight = *last_;
  clock_.advance(std::chrono::hours(2));
  eventually([this] { return drops().size() == 1; });
  const LogPosition before = log_->cursor("hot").commit(in_flight.next);
  EXPECT_GT(before, in_flight.position);  // so it is not counted as sent
  EXPECT_EQ(drops().at(0), (Dropped{"hot", "cliente-a", "too_old", 7}));
}

TEST_F(DiskLogTest, OnlyTheOptionalCursorSkipsWhatIsTooOld) {
  settings_.cursors = {{.name = "cold", .required = true, .age_max = std::chrono::hours(1)},
                       {.name = "hot/0", .required = false, .age_max = std::chrono::hours(1)}};
  open();
  ASSERT_TRUE(write("old"));
  clock_.advance(std::chrono::minutes(50));
  ASSERT_TRUE(write("young"));
  clock_.advance(std::chrono::minutes(20));
  eventually([this] { return drops().size() == 1; });
  EXPECT_THAT(read("hot/0"), ElementsAre("young"));
  EXPECT_THAT(read("cold"), ElementsAre("old", "young"));
}

TEST_F(DiskLogTest, AnOptionalCursorKeepsWithinItsShare) {
  settings_.cursors = {{.name = "cold", .required = true, .age_max = {}, .bytes_max = 0},
                       {.name = "hot", .required = false, .age_max = {}, .bytes_max = 400}};
  open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(write("body"));
  eventually([this] { return log_->stats().cursors.at(1).queued_bytes <= 400; });
  EXPECT_EQ(drops().size() + log_->stats().cursors.at(1).queued_records, 10U);
  EXPECT_EQ(log_->stats().cursors.at(0).queued_records, 10U);
}

TEST_F(DiskLogTest, WhatIsQueuedCanBeCountedWithoutReadingBodies) {
  open();
  ASSERT_TRUE(write("a"));
  ASSERT_TRUE(write("b", "cliente-b"));
  EXPECT_THAT(queued_, IsEmpty());
  reopen();
  EXPECT_THAT(queued_, ElementsAre("cold cliente-a", "cold cliente-b"));
  const CursorStats stats = log_->stats().cursors.at(0);
  EXPECT_EQ(stats.queued_records, 2U);
  EXPECT_EQ(stats.oldest_ms, clock_.wall_ms());
  EXPECT_GT(stats.queued_bytes, 0U);
}

// D21.
TEST_F(DiskLogTest, ASecondCopyOnTheFolderIsRefusedByName) {
  const TemporaryFolder folder;
  settings_.directory = folder.file("data");
  auto first = DiskLog::open(settings_, clock_);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = DiskLog::open(settings_, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(settings_.directory));
  first->reset();
  EXPECT_TRUE(DiskLog::open(settings_, clock_));
}

TEST_F(DiskLogTest, WorksOnTheRealFileSystem) {
  const TemporaryFolder folder;
  settings_.directory = folder.path();
  for (int round = 0; round < 2; ++round) {
    auto log = DiskLog::open(settings_, clock_);
    ASSERT_TRUE(log) << log.error().message;
    log_ = *std::move(log);
    ASSERT_TRUE(write("round " + std::to_string(round)));
    EXPECT_THAT(read(), ElementsAre("round " + std::to_string(round)));
    commit();
    log_.reset();
  }
}

TEST_F(DiskLogTest, ASegmentOfALaterVersionIsNotPassedOver) {
  std::string copy = encode_segment_header({1, 2}).substr(0, kSegmentHeaderBytes / 2 - 4);
  copy[4] = 2;
  append_u32(copy, crc32c(copy));
  files_.set_content("/log/segment-0000000000000001.log", copy + copy + "what only it can read");
  const auto log = DiskLog::open(settings_, clock_, {}, files_);
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error().message, HasSubstr("segment-0000000000000001.log"));
}

TEST_F(DiskLogTest, BadCursorNamesAreRefused) {
  for (const std::string_view name : {"", "a b", "x~", "\n"}) {
    settings_.cursors = {{.name = std::string(name), .required = true, .age_max = {}}};
    EXPECT_FALSE(DiskLog::open(settings_, clock_, {}, files_));
  }
  settings_.cursors = {{.name = "a", .required = true, .age_max = {}},
                       {.name = "a", .required = true, .age_max = {}}};
  EXPECT_FALSE(DiskLog::open(settings_, clock_, {}, files_));
  settings_.cursors.clear();
  EXPECT_FALSE(DiskLog::open(settings_, clock_, {}, files_));
}

}  // namespace
}  // namespace vigia::disk_log
