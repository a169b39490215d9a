// What goes out in one request, when it goes again, and how a run ends.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "services/collector/delivery/testing/delivery_fixture.hpp"

namespace vigia::collector::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(DeliveryTest, OneRequestACustomerWhereItFits) {  // C62
  EXPECT_TRUE(run({parcel_of("xyz", "a"), parcel_of("uv", "b")}));
  EXPECT_THAT(destination_.requests, ElementsAre("a:xyz", "b:uv"));
}

TEST_F(DeliveryTest, NothingToSendIsDone) {
  EXPECT_TRUE(run({}) && run({parcel_of("")}));
  EXPECT_THAT(destination_.requests, IsEmpty());
}

TEST_F(DeliveryTest, CutsAtTheSizeLimitAndKeepsTheOrder) {  // R-EXP-5, R-RW-2, C34
  settings_.request_bytes_max = 2;
  EXPECT_TRUE(run({parcel_of("abcde")}));
  EXPECT_THAT(destination_.requests, ElementsAre("a:ab", "a:cd", "a:e"));
}

TEST_F(DeliveryTest, ABrokenDestinationCostsNothing) {
  int left = 40;
  destination_.script = [&left](const auto&, const auto&) {
    return left-- > 0 ? Answer{Kind::kBroken, "disk full"} : Answer{};
  };
  EXPECT_TRUE(run({parcel_of("abcd"), parcel_of("x", "b")}));
  EXPECT_THAT(notes_.refused, IsEmpty());
  std::string taken = destination_.taken;
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(taken, "abcdx");
}

TEST_F(DeliveryTest, RetriesUntilItIsTaken) {
  int left = 5;
  destination_.script = [&left](const auto&, const auto&) {
    return left-- > 0 ? Answer{Kind::kRetry, "busy"} : Answer{};
  };
  EXPECT_TRUE(run({parcel_of("abc")}));
  EXPECT_EQ(destination_.requests.size(), 6U);
  EXPECT_EQ(destination_.taken, "abc");
}

TEST_F(DeliveryTest, RetryAfterIsTheFloorOfTheWait) {  // R-EXP-3, R-RW-3
  bool is_first = true;
  destination_.script = [&is_first](const auto&, const auto&) {
    if (!is_first) return Answer{};
    is_first = false;
    return Answer{Kind::kRetry, "busy", std::chrono::milliseconds(60)};
  };
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(run({parcel_of("a")}));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(60));
}

TEST_F(DeliveryTest, ACustomerThatWaitsDoesNotHoldAnotherUp) {
  int left = 3;
  destination_.script = [&left](const std::string& customer, const auto&) {
    return customer == "a" && left-- > 0 ? Answer{Kind::kRetry, "busy"} : Answer{};
  };
  EXPECT_TRUE(run({parcel_of("x", "a"), parcel_of("y", "b")}));
  EXPECT_EQ(destination_.taken, "yx");
}

TEST_F(DeliveryTest, PartialSuccessIsReportedAndNotSentAgain) {  // R-EXP-4
  destination_.script = [](const auto&, const auto&) {
    return Answer{Kind::kTaken, "two were bad", std::nullopt, 2};
  };
  EXPECT_TRUE(run({parcel_of("abc")}));
  EXPECT_EQ(notes_.rejected, 2U);
  EXPECT_EQ(destination_.requests.size(), 1U);
}

TEST_F(DeliveryTest, GivesUpWhenTheObserverSaysSo) {
  destination_.script = [](const auto&, const auto&) { return Answer{Kind::kRetry, "down"}; };
  notes_.may_go_on = [this] { return notes_.answers < 3; };
  EXPECT_FALSE(run({parcel_of("abc")}));
  EXPECT_EQ(destination_.taken, "");
}

TEST_F(DeliveryTest, AnAnswerThatNeverComesEndsAtTheStopDeadline) {
  class Silent final : public MessageTransport {
   public:
    void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view /*message*/,
              Task<void(Answer)> done) override {
      kept = std::move(done);
      on_sent();
    }
    Task<void(Answer)> kept;
    std::function<void()> on_sent;
  } silent;
  ParcelDelivery delivery(settings_, silent, clock_);
  std::atomic<bool> is_stopping{false};
  notes_.may_go_on = [&] { return !is_stopping; };
  std::thread stopper;
  silent.on_sent = [&] {
    stopper = std::thread([&] {
      delivery.set_stop_deadline(clock_.steady() + std::chrono::milliseconds(20));
      is_stopping = true;
      delivery.wake();
    });
  };
  EXPECT_FALSE(delivery.run({parcel_of("a")}, notes_));
  stopper.join();
  silent.kept(Answer{});  // too late, and harmless
}

}  // namespace
}  // namespace vigia::collector::delivery
