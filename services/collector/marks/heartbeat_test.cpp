#include "services/collector/marks/heartbeat.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::marks {
namespace {

constexpr std::int64_t kMinute = 28'333'334;  // since 1970
constexpr std::int64_t kMinuteNs = 60'000'000'000;

/// Keeps which minutes were marked, by what collector.
class Shard final : public delivery::MessageTransport {
 public:
  void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    class Marks final : public wire::remote_write::WriteVisitor {
     public:
      void on_series(const wire::remote_write::SeriesView& series) override {
        for (const auto& label : series.labels) {
          if (label.name == "collector") collector = label.value;
          if (label.name == "of_customer") customer = label.value;
          if (label.name == "kind") kind = label.value;
          is_hole = is_hole || label.value == "vigia_hot_hole";
        }
        if (is_hole) {
          for (const Sample& sample : series.samples) {
            const std::int64_t minute = sample.timestamp_ms / Heartbeat::kMinuteMs - kMinute;
            const auto until = static_cast<std::int64_t>(sample.value) / 60 - kMinute;
            holes.insert(fmt::format("{} {} {}{}", minute, customer, kind,
                                     kind == "lost" ? fmt::format(" {}", until) : ""));
          }
          customer = kind = "";
          is_hole = false;
          return;
        }
        for (const Sample& sample : series.samples)
          minutes.insert(sample.timestamp_ms / Heartbeat::kMinuteMs - kMinute);
      }
      std::set<std::int64_t> minutes;
      std::set<std::string> holes;
      std::string collector, customer, kind;
      bool is_hole = false;
    } marks;
    if (message.empty()) ++asked;
    EXPECT_TRUE(wire::remote_write::decode_message(message, {}, marks));
    if (answer.kind == delivery::Answer::Kind::kTaken) {
      minutes.insert(marks.minutes.begin(), marks.minutes.end());
      holes.insert(marks.holes.begin(), marks.holes.end());
      collector = marks.collector;
    }
    done(answer);
  }
  delivery::Answer answer;
  std::set<std::int64_t> minutes;  // after kMinute
  std::set<std::string> holes;     // "MINUTE CUSTOMER KIND", where lost " UNTIL" behind it
  std::string collector;
  int asked = 0;  // requests with nothing in them
};

class HeartbeatTest : public testing::Test {
 protected:
  HeartbeatTest() {
    confirm();
    restart();
  }
  void restart() {
    heartbeat_ = std::make_unique<Heartbeat>(
        HeartbeatSettings{"hot-0", "1a2b3c4d", folder_.file("hot-0")}, shard_, clock_, *time_);
  }
  /// Senders say that the wall clock is right as it stands.
  void confirm() {
    const auto steady =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady().time_since_epoch());
    time_->confirm(clock_.wall_ms() - steady.count());
  }
  /// As a process that has just begun.
  void forget_time() {
    heartbeat_.reset();
    time_.emplace(clock_);
    restart();
  }
  void set_ahead(std::chrono::hours by) {
    clock_.set_wall_ns(clock_.wall_ns() + std::chrono::nanoseconds(by).count());
  }
  /// All that was received until `behind` minutes ago is there.
  void advance(std::int64_t behind = 0) {
    heartbeat_->advance(clock_.wall_ms() - behind * Heartbeat::kMinuteMs, lost_, waiting_,
                        [] { return true; });
  }
  void pass(int minutes) { clock_.advance(std::chrono::minutes(minutes)); }

  ManualClock clock_{kMinute * kMinuteNs};
  std::optional<clock::ConfirmedTime> time_{std::in_place, clock_};
  Shard shard_;
  const TemporaryFolder folder_;
  std::uint64_t lost_ = 0;
  Heartbeat::Waiting waiting_;
  std::unique_ptr<Heartbeat> heartbeat_;
};

TEST_F(HeartbeatTest, MarksEveryMinuteWithShardAndCollector) {
  advance();
  pass(2);
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(shard_.collector, "1a2b3c4d");
}

TEST_F(HeartbeatTest, AFailureIsTriedOnceAndCaughtUp) {
  advance();
  shard_.answer = {delivery::Answer::Kind::kBroken, "not now"};
  pass(3);
  advance();
  shard_.answer = {};
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 1, 2, 3));
}

TEST_F(HeartbeatTest, ALossMakesAHoleThatARestartKeeps) {
  advance();
  heartbeat_->note_loss();
  restart();
  for (int i = 0; i < 7; ++i) {
    pass(1);
    advance();
  }
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 6, 7));
}

TEST_F(HeartbeatTest, AnExporterThatIsBehindDoesNotWriteOverTheHole) {  // known 3
  advance();
  pass(30);
  lost_ = 7;
  advance(28);  // 28 minutes behind when it sees the loss
  for (const std::int64_t behind : {27, 20, 10, 0}) advance(behind);
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0));
  pass(6);
  advance(10);
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0));
  advance(0);
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 36));
}

TEST_F(HeartbeatTest, OneCustomersLossIsAHoleOfItsOwn) {
  advance();
  heartbeat_->note_losses({*CustomerId::parse("a")});
  restart();
  shard_.answer = {delivery::Answer::Kind::kBroken, "not now"};
  pass(1);
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0)) << "no mark without the hole";
  shard_.answer = {};
  pass(1);
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(shard_.holes, testing::ElementsAre("2 a lost 6"));
  restart();
  pass(1);
  advance();
  EXPECT_EQ(shard_.holes.size(), 1U) << "said once";
}

TEST_F(HeartbeatTest, WhatWaitsAsideIsAHoleOfItsCustomerWhileItDoes) {
  advance();
  waiting_.emplace(*CustomerId::parse("a"), clock_.wall_ms() + 1);
  advance();
  for (int i = 0; i < 4; ++i) {
    pass(1);
    if (i == 3) waiting_.clear();
    advance();
  }
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(shard_.holes, testing::ElementsAre("2 a waiting", "3 a waiting"));
}

// Received while the wall clock was days ahead, which nothing had confirmed.
TEST_F(HeartbeatTest, WhatWaitsAndWasReceivedInTheFutureIsAHoleToo) {
  waiting_.emplace(*CustomerId::parse("a"), clock_.wall_ms() + 72 * 3'600'000);
  waiting_.emplace(*CustomerId::parse("b"), clock_.wall_ms() + 59'000);
  advance();
  pass(1);
  advance();
  EXPECT_THAT(shard_.holes, testing::ElementsAre("0 a waiting", "1 a waiting"));
}

TEST_F(HeartbeatTest, HolesOfTooManyAreEverybodys) {
  advance();
  std::vector<CustomerId> many;
  for (std::size_t i = 0; i <= Heartbeat::kCustomersMax; ++i) {
    many.push_back(*CustomerId::parse("c" + std::to_string(i)));
    waiting_.emplace(many.back(), clock_.wall_ms());
  }
  pass(1);
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0));
  waiting_.clear();
  heartbeat_->note_losses(many);
  for (int i = 0; i < 7; ++i) {
    pass(1);
    advance();
  }
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 7, 8));
  EXPECT_THAT(shard_.holes, testing::IsEmpty());
}

TEST_F(HeartbeatTest, AClockThatIsSetBackHoldsNothingUp) {
  pass(60);
  advance();
  heartbeat_->note_loss();
  clock_.set_wall_ns(kMinute * kMinuteNs);
  confirm();
  shard_.minutes.clear();
  for (int i = 0; i < 8; ++i) {
    advance();
    pass(1);
  }
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(6, 7));
}

/// Cut to "2993" the file led to marks over the twelve hours before, holes included.
TEST_F(HeartbeatTest, ADamagedStateIsAHoleAndNeverMarks) {
  for (const std::string_view damaged : {"", "2993", "vigia-heartbeat 1 00000000 3\n1 1"}) {
    shard_.minutes.clear();
    clock_.set_wall_ns(kMinute * kMinuteNs);
    confirm();
    std::filesystem::remove(folder_.file("hot-0"));
    restart();
    advance();
    pass(60);
    heartbeat_->note_loss();
    std::ofstream(folder_.file("hot-0"), std::ios::binary) << damaged;
    pass(2);
    restart();
    advance();
    restart();
    for (int i = 0; i < 7; ++i) {
      pass(1);
      advance();
    }
    EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 68, 69)) << damaged;
  }
}

TEST_F(HeartbeatTest, AStateOfBeforeTheChecksumGoesOn) {
  std::ofstream(folder_.file("hot-0"), std::ios::binary)
      << fmt::format("{} 0 {}\n{} a\n", kMinute, kMinute, kMinute + 4);
  restart();
  pass(2);
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(1, 2));
  EXPECT_THAT(shard_.holes, testing::ElementsAre("2 a lost 5")) << "whole again from minute 5 on";
}

/// Three days for three seconds: a mark there shut the shard for everybody.
TEST_F(HeartbeatTest, AStepOfTheWallClockIsNotWritten) {
  advance();
  pass(1);
  set_ahead(std::chrono::hours(72));
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 1));
  set_ahead(std::chrono::hours(-72));
  pass(1);
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 1, 2));
}

TEST_F(HeartbeatTest, ALossShowsWhereTheClockHadSteppedEitherWay) {
  for (const int hours : {3, -3}) {
    const std::int64_t before = clock_.wall_ms() / Heartbeat::kMinuteMs - kMinute;
    advance();
    shard_.minutes.clear();
    set_ahead(std::chrono::hours(hours));
    heartbeat_->note_loss();
    heartbeat_->note_losses({*CustomerId::parse("a")});
    set_ahead(std::chrono::hours(-hours));
    for (int i = 0; i < 8; ++i) {
      pass(1);
      advance();
    }
    EXPECT_THAT(shard_.minutes, testing::ElementsAre(before + 6, before + 7, before + 8)) << hours;
    EXPECT_EQ(shard_.holes.count(fmt::format("{0} a lost {0}", before + 6)), 1U) << hours;
  }
}

TEST_F(HeartbeatTest, AStepIsFollowedWhenSendersProveIt) {
  advance();
  set_ahead(std::chrono::hours(3));
  pass(1);
  advance();
  confirm();
  advance();  // how far all is complete was read by the old time
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0, 1));
  pass(1);
  advance();
  EXPECT_EQ(shard_.minutes.count(182), 1U);
}

/// The state file is of this minute, the clock of three days later.
TEST_F(HeartbeatTest, AfterARestartAClockFarFromTheLastMarkWaits) {
  advance();
  set_ahead(std::chrono::hours(72));
  forget_time();
  for (int i = 0; i < 59; ++i) {
    advance();
    pass(1);
  }
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(0));
  EXPECT_EQ(shard_.asked, 0) << "a shard's clock says nothing against an earlier run";
  heartbeat_->note_loss();
  pass(2);
  for (int i = 0; i < 8; ++i) {  // believed by now
    advance();
    pass(1);
  }
  EXPECT_THAT(shard_.minutes, testing::Contains(72 * 60 + 68));
  EXPECT_THAT(shard_.minutes, testing::Not(testing::Contains(72 * 60 + 61)))
      << "the loss of before it was";
}

TEST_F(HeartbeatTest, AShardThatWasNeverMarkedIsAskedForItsTime) {
  forget_time();
  for (const std::int64_t off_ms : {3'600'000, -3'600'000, 500}) {
    EXPECT_THAT(shard_.minutes, testing::IsEmpty());
    shard_.answer.date_ms = clock_.wall_ms() + off_ms;
    pass(1);
    advance();
  }
  EXPECT_EQ(shard_.asked, 3);
  advance();
  advance();
  EXPECT_THAT(shard_.minutes, testing::ElementsAre(3));
}

}  // namespace
}  // namespace vigia::collector::marks
