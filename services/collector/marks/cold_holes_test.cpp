#include "services/collector/marks/cold_holes.hpp"

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

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kMinute = 28'333'334;  // since 1970
constexpr std::int64_t kMinuteNs = 60'000'000'000;

/// Keeps what it was told: "BEGIN..END CUSTOMER", minutes after kMinute.
class Store final : public delivery::MessageTransport, private wire::remote_write::WriteVisitor {
 public:
  void send(const CustomerId& customer, Signal /*signal*/, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    EXPECT_TRUE(customer.is_provider());
    ++requests;
    if (answer.kind == delivery::Answer::Kind::kTaken) {
      EXPECT_TRUE(wire::remote_write::decode_message(message, {}, *this));
    }
    done(answer);
  }
  delivery::Answer answer;
  std::vector<std::string> holes;
  int requests = 0;

 private:
  void on_series(const wire::remote_write::SeriesView& series) override {
    std::string customer = "all", name;
    for (const auto& label : series.labels) {
      if (label.name == "of_customer") customer = label.value;
      if (label.name == "__name__") name = label.value;
    }
    EXPECT_EQ(name, "vigia_cold_hole");
    for (const Sample& sample : series.samples) {
      holes.push_back(fmt::format("{}..{} {}",
                                  static_cast<std::int64_t>(sample.value) / 60 - kMinute,
                                  sample.timestamp_ms / ColdHoles::kMinuteMs - kMinute, customer));
    }
  }
};

class ColdHolesTest : public testing::Test {
 protected:
  ColdHolesTest() {
    confirm();
    restart();
  }
  std::string file() const { return folder_.file("cold"); }
  void restart() {
    holes_ =
        std::make_unique<ColdHoles>(ColdHolesSettings{"1a2b3c4d", file()}, store_, clock_, *time_);
  }
  void confirm() {
    const auto steady =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady().time_since_epoch());
    time_->confirm(clock_.wall_ms() - steady.count());
  }
  void advance(std::int64_t behind = 0) {
    holes_->advance(clock_.wall_ms() - behind * ColdHoles::kMinuteMs, lost_, [] { return true; });
  }
  void pass(int minutes) { clock_.advance(std::chrono::minutes(minutes)); }

  ManualClock clock_{kMinute * kMinuteNs};
  std::optional<clock::ConfirmedTime> time_{std::in_place, clock_};
  Store store_;
  const TemporaryFolder folder_;
  std::uint64_t lost_ = 0;
  std::unique_ptr<ColdHoles> holes_;
};

TEST_F(ColdHolesTest, NothingIsWrittenWhileNothingIsLost) {
  for (int i = 0; i < 10; ++i) {
    advance();
    pass(1);
  }
  EXPECT_EQ(store_.requests, 0);
}

TEST_F(ColdHolesTest, ALossIsSaidFromWhenAllWasThere) {
  advance();
  pass(10);
  advance(7);  // the store was away, or slow
  lost_ = 1;
  advance();
  EXPECT_THAT(store_.holes, ElementsAre("3..10 all"));
  pass(1);
  advance();
  lost_ = 3;
  advance();
  EXPECT_THAT(store_.holes, ElementsAre("3..10 all", "11..11 all"));
}

TEST_F(ColdHolesTest, AStoreThatDoesNotTakeItGetsItLaterAndOverARestart) {
  advance();
  store_.answer.kind = delivery::Answer::Kind::kRetry;
  lost_ = 1;
  pass(1);
  advance();
  restart();
  pass(5);
  advance();
  EXPECT_THAT(store_.holes, IsEmpty());
  store_.answer.kind = delivery::Answer::Kind::kTaken;
  restart();
  advance();
  EXPECT_THAT(store_.holes, ElementsAre("0..6 all"));
  restart();
  advance();
  EXPECT_EQ(store_.holes.size(), 1U);
}

TEST_F(ColdHolesTest, WhatIsLostWhileNoExporterRunsIsSaidAfterwards) {
  advance();
  pass(30);
  lost_ = 2;
  restart();
  advance();
  EXPECT_THAT(store_.holes, ElementsAre("0..30 all"));
}

TEST_F(ColdHolesTest, WhatWasLostBeforeAnybodyKeptCountIsNot) {
  lost_ = 5;
  restart();
  advance();
  restart();
  advance();
  EXPECT_EQ(store_.requests, 0);
}

TEST_F(ColdHolesTest, OneCustomersIsItsOwn) {
  advance();
  pass(2);
  holes_->note_losses({*CustomerId::parse("cliente-a")});
  restart();
  advance();
  EXPECT_THAT(store_.holes, ElementsAre("0..2 cliente-a"));
}

TEST_F(ColdHolesTest, WithoutAConfirmedTimeItWaits) {
  advance();
  holes_.reset();
  time_.emplace(clock_);
  clock_.set_wall_ns(clock_.wall_ns() + 300 * kMinuteNs);  // more than a restart takes
  restart();
  lost_ = 1;
  advance();
  EXPECT_EQ(store_.requests, 0);
  confirm();
  advance();
  EXPECT_THAT(store_.holes, ElementsAre("0..300 all"));
}

TEST_F(ColdHolesTest, OfADamagedStateTheLastDayIsAHole) {
  advance();
  std::ofstream(file()) << "vigia-heartbeat 1 00000000 4\nabcd";
  restart();
  advance();
  EXPECT_THAT(store_.holes, ElementsAre("-1440..0 all"));
  restart();
  advance();
  EXPECT_EQ(store_.holes.size(), 1U);
}

}  // namespace
}  // namespace vigia::collector::marks
