// No owner takes the log from the others.
#include <future>
#include <map>

#include <gmock/gmock.h>

#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kLogBytes = 1U << 20U;
constexpr std::uint64_t kSegmentBytes = 16U << 10U;
constexpr std::size_t kBodyBytes = 8000;

class DiskLogShareTest : public DiskLogTest {
 protected:
  void SetUp() override {
    DiskLogTest::SetUp();
    settings_.bytes_max = kLogBytes;
    settings_.segment_bytes = kSegmentBytes;
    settings_.owner_share = 0.25;
  }
  /// As a sender with compression sends it: the log makes it no smaller.
  Result<RecordHeader> send(std::string_view customer, std::size_t bytes = kBodyBytes) {
    DiskRecord record{{.tag = {.owner = std::string(customer)}, .encoding = BodyEncoding::kGzip},
                      std::string(bytes, 'x')};
    record.header.items = 1;
    return log_->append_and_wait(std::move(record));
  }
  /// Sends until it is refused; the refusal.
  Error fill(std::string_view customer) {
    for (;;) {
      auto sent = send(customer);
      if (!sent) return sent.error();
    }
  }
  std::map<std::string, std::uint64_t> held() {
    std::map<std::string, std::uint64_t> all;
    for (const OwnerBytes& held : log_->held_by_owner()) all[held.owner] = held.bytes;
    return all;
  }
  static double share_of_log(std::uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(kLogBytes);
  }
};

TEST_F(DiskLogShareTest, WhoFillsTheLogIsRefusedAndEverybodyElseGoesOn) {
  open();
  const Error refusal = fill("greedy");
  EXPECT_EQ(refusal.code, ErrorCode::kOverLimit);
  EXPECT_TRUE(is_retryable(refusal));
  EXPECT_TRUE(refusal.retry_after.has_value());
  EXPECT_THAT(refusal.message,
              AllOf(HasSubstr("share"), HasSubstr("greedy"), HasSubstr("send again later")));
  EXPECT_NEAR(share_of_log(held()["greedy"]), 0.5, 0.02);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(send("small", 100));
  EXPECT_FALSE(send("greedy"));
  EXPECT_FALSE(send("greedy", 100));
  EXPECT_THAT(drops(), IsEmpty());
  EXPECT_EQ(log_->stats().refused_records, 3U);
}

// What was acknowledged elsewhere must not stand before everybody else's for its owner's sake.
TEST_F(DiskLogShareTest, WhatOnlyMovesHereIsTakenOverTheShareAndCountsForIt) {
  open();
  EXPECT_TRUE(log_->check_share("greedy"));
  fill("greedy");
  const std::uint64_t before = held()["greedy"];
  DiskRecord record{{.tag = {.owner = "greedy"}, .encoding = BodyEncoding::kGzip},
                    std::string(kBodyBytes, 'x')};
  record.is_moved = true;
  EXPECT_TRUE(log_->append_and_wait(record));
  std::promise<bool> both;
  log_->append_all({record, record},
                   [&both](const auto& kept) { both.set_value(kept.has_value()); });
  EXPECT_TRUE(both.get_future().get());
  EXPECT_GT(held()["greedy"], before + 3 * kBodyBytes);
  const auto asked = log_->check_share("greedy");
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(log_->check_share("small"));
  EXPECT_FALSE(send("greedy"));
}

TEST_F(DiskLogShareTest, ManyWhoFillItTogetherLeaveRoomForWhoSendsLittle) {
  open();
  for (int i = 0; i < 5; ++i) fill("greedy-" + std::to_string(i));
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(send("small-" + std::to_string(i % 5), 100)) << i;
  EXPECT_LT(share_of_log(log_->stats().bytes), 0.99);
}

TEST_F(DiskLogShareTest, TheShareIsFreeAgainOnceTheDestinationHasTakenTheData) {
  settings_.cursors = {{.name = "cold", .required = true}, {.name = "spans", .required = true}};
  open();
  fill("greedy");
  read("cold");
  commit("cold");
  EXPECT_FALSE(send("greedy"));  // another one needs it still
  read("spans");
  commit("spans");
  EXPECT_TRUE(send("greedy"));
  EXPECT_LT(held()["greedy"], 3 * kSegmentBytes);
}

TEST_F(DiskLogShareTest, WhatOnlyOptionalCursorsHoldCountsForNobody) {
  settings_.cursors = {{.name = "cold", .required = true}, {.name = "hot", .required = false}};
  open();
  fill("greedy");
  read("cold");
  commit("cold");
  EXPECT_TRUE(send("greedy"));
  EXPECT_LT(held()["greedy"], 3 * kSegmentBytes);
}

TEST_F(DiskLogShareTest, ALogWithoutRequiredCursorsHasNoShares) {
  settings_.cursors = {{.name = "hot", .required = false}};
  open();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(send("one"));
}

TEST_F(DiskLogShareTest, SharesAreTheSameAfterARestart) {
  open();
  fill("greedy");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(send("b", 1000));
  const auto before = held();
  reopen();
  EXPECT_EQ(held(), before);
  EXPECT_EQ(send("greedy").error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(send("b"));
}

TEST_F(DiskLogShareTest, SharesAreTheSameAfterAPowerCut) {
  open();
  fill("greedy");
  ASSERT_TRUE(send("b", 1000));
  const auto before = held();
  std::unique_ptr<DiskLog> dead = std::move(log_);
  files_.cut_power();
  dead.reset();
  open();
  EXPECT_EQ(held(), before);
  EXPECT_FALSE(send("greedy"));
  EXPECT_TRUE(send("b", 100));
}

TEST_F(DiskLogShareTest, WhatWasNotWrittenIsNotHeld) {
  open();
  ASSERT_TRUE(send("a"));
  const auto before = held();
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && call == "sync" && path.find("segment-") != std::string::npos;
  });
  EXPECT_FALSE(send("a"));
  EXPECT_FALSE(send("b"));
  EXPECT_EQ(held(), before);
  is_failing_ = false;
}

TEST_F(DiskLogShareTest, OneCustomersLargeBodiesDoNotFillWhatWaitsToBeWritten) {
  settings_.bytes_max = 64U << 20U;
  settings_.segment_bytes = 1U << 20U;
  settings_.pending_bytes_max = 1U << 20U;
  open();
  std::atomic<int> refused{0};
  std::atomic<int> answered{0};
  std::mutex writing;
  writing.lock();
  files_.fail_when([&](std::string_view call, const std::string& path) {
    if (call == "sync" && path.find("segment-") != std::string::npos) {
      writing.lock();
      writing.unlock();
    }
    return false;
  });
  constexpr int kSent = 8;
  for (int i = 0; i < kSent; ++i) {
    DiskRecord record{{.tag = {.owner = "greedy"}, .encoding = BodyEncoding::kGzip},
                      std::string(300U << 10U, 'x')};
    log_->append(std::move(record), [&](const Result<RecordHeader>& kept) {
      if (!kept) ++refused;
      ++answered;
    });
  }
  EXPECT_GE(refused, kSent - 2);  // the disk stands still
  std::promise<bool> taken;
  log_->append(DiskRecord{{.tag = {.owner = "small"}}, "point"},
               [&](const Result<RecordHeader>& kept) { taken.set_value(kept.has_value()); });
  writing.unlock();
  EXPECT_TRUE(taken.get_future().get());
  eventually([&] { return answered == kSent; });
  files_.fail_when(nullptr);
}

/// Records that belong together, as a large request is cut into.
std::vector<DiskRecord> group_of(std::string_view customer, int count, std::size_t bytes) {
  std::vector<DiskRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back({{.tag = {.owner = std::string(customer)}, .encoding = BodyEncoding::kGzip},
                       std::string(bytes, static_cast<char>('a' + i))});
    records.back().header.items = 1;
  }
  return records;
}

TEST_F(DiskLogShareTest, RecordsThatBelongTogetherAreOneWriteOrNone) {
  settings_.pending_bytes_max = kBodyBytes;  // less than they have: the first of all goes in
  open();
  const auto sent = [this](std::vector<DiskRecord> records) {
    std::promise<Result<RecordHeader>> answer;
    log_->append_all(std::move(records),
                     [&](const Result<RecordHeader>& kept) { answer.set_value(kept); });
    return answer.get_future().get();
  };
  const std::uint64_t syncs = log_->stats().syncs;
  auto kept = sent(group_of("a", 6, kBodyBytes));  // three segments' worth
  ASSERT_TRUE(kept.has_value()) << kept.error().message;
  EXPECT_EQ(kept->sequence, 6U);
  EXPECT_EQ(log_->stats().syncs, syncs + 1);
  EXPECT_EQ(log_->stats().appended_records, 6U);

  std::atomic<int> left = 2;  // the disk fails once: what was refused is nowhere, then or later
  files_.fail_when([&left](std::string_view call, const std::string& path) {
    return call == "sync" && path.find("segment-") != std::string::npos && left-- == 2;
  });
  kept = sent(group_of("a", 6, kBodyBytes));
  ASSERT_FALSE(kept.has_value());
  EXPECT_TRUE(is_retryable(kept.error()));
  files_.fail_when(nullptr);
  clock_.advance(std::chrono::seconds(2));
  ASSERT_TRUE(send("b", 10));
  std::vector<char> found;
  while (auto record = *log_->cursor("cold").next(std::chrono::milliseconds(0)))
    found.push_back(record->body.front());
  EXPECT_THAT(found, testing::ElementsAre('a', 'b', 'c', 'd', 'e', 'f', 'x'));

  // One customer's share counts all of them together.
  EXPECT_EQ(sent(group_of("a", 200, kBodyBytes)).error().code, ErrorCode::kTooLarge);
  const auto before = held();
  EXPECT_EQ(sent(group_of("a", 100, kBodyBytes)).error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(held(), before);
}

}  // namespace
}  // namespace vigia::disk_log
