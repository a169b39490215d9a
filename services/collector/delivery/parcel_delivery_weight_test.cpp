// Requests that were made small because larger ones have timed out stay small, whatever is
// searched.
#include <algorithm>

#include <gtest/gtest.h>

#include "services/collector/delivery/parcel_delivery.hpp"

namespace vigia::collector::delivery {
namespace {

constexpr std::size_t kUnits = 1000;
constexpr std::size_t kWeightMax = 10;

/// Answers that way where the unit "x" is in a request.
class Particular final : public MessageTransport {
 public:
  explicit Particular(Answer answer) : answer_(std::move(answer)) {}
  void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view message,
            Task<void(Answer)> done) override {
    largest = std::max(largest, message.size());
    if (message.find('x') != std::string_view::npos) {
      done(answer_);
      return;
    }
    taken += message.size();
    done(Answer{});
  }
  std::size_t largest = 0;
  std::size_t taken = 0;

 private:
  const Answer answer_;
};

class Counts final : public DeliveryObserver {
 public:
  void on_refused(const Parcel& /*parcel*/, std::size_t /*unit*/,
                  const std::string& /*why*/) override {
    ++refused;
  }
  void on_rejected(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                   std::uint64_t /*count*/, const std::string& /*why*/) override {}
  void on_set_aside(const Parcel& /*parcel*/, std::size_t first, std::size_t last, Aside /*aside*/,
                    const std::string& /*why*/) override {
    aside += last - first;
  }
  void on_answer(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                 const Answer& /*answer*/, Duration /*took*/) override {}
  bool go_on() override { return true; }
  std::size_t refused = 0, aside = 0;
};

/// One-letter units, the first of them "x", the oldest or the newest.
Parcel weighted(bool is_oldest) {
  Parcel parcel{.customer = *CustomerId::parse("a"), .weight_max = kWeightMax};
  for (std::size_t i = 0; i < kUnits; ++i) {
    const std::size_t time = is_oldest ? i + 1 : kUnits - i;
    parcel.units.push_back({.begin = i, .timestamp_ms = static_cast<std::int64_t>(time)});
    parcel.message += i == 0 ? 'x' : 'n';
  }
  return parcel;
}

DeliverySettings side_settings() {
  DeliverySettings settings;
  settings.lane = Lane::kSide;
  settings.searches_max = 512;
  settings.retry_initial = std::chrono::milliseconds(1);
  settings.retry_max = std::chrono::milliseconds(4);
  return settings;
}

// One sample that is too old made them full-size again, which then timed out as before.
TEST(DeliveryWeightTest, TheSearchForWhatIsTooOldKeepsThemSmall) {
  Particular destination({.kind = Answer::Kind::kRefused, .why = "too old", .is_too_old = true});
  SystemClock clock;
  Counts counts;
  ParcelDelivery delivery(side_settings(), destination, clock);
  EXPECT_TRUE(delivery.run({weighted(true)}, counts));
  EXPECT_EQ(destination.largest, kWeightMax);
  EXPECT_EQ(destination.taken, kUnits - 1);
  EXPECT_EQ(counts.refused, 1U);
}

TEST(DeliveryWeightTest, TheSearchForWhatIsTooNewKeepsThemSmall) {
  Particular destination({.kind = Answer::Kind::kRetry, .why = "too new", .is_too_new = true});
  SystemClock clock;
  Counts counts;
  const auto evidence = std::make_shared<Evidence>();
  evidence->note_taken(clock.steady(), true);
  ParcelDelivery delivery(side_settings(), destination, clock, evidence);
  EXPECT_TRUE(delivery.run({weighted(false)}, counts));
  EXPECT_EQ(destination.largest, kWeightMax);
  EXPECT_EQ(destination.taken, kUnits - 1);
  EXPECT_EQ(counts.aside, 1U);
}

}  // namespace
}  // namespace vigia::collector::delivery
