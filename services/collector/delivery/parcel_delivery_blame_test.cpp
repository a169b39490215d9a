// Whose trouble a failure is: one customer's, who is set aside, or the destination's.
#include <gmock/gmock.h>

#include "services/collector/delivery/testing/delivery_fixture.hpp"

namespace vigia::collector::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(DeliveryTest, A500OfOneCustomerIsSetAsideAfterOneRequestWhileOthersAreTaken) {
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  EXPECT_TRUE(run({parcel_of("abcd"), parcel_of("xy", "b")}));
  EXPECT_EQ(destination_.taken, "xy");
  EXPECT_EQ(notes_.left, "abcd");
  EXPECT_THAT(notes_.refused, IsEmpty());
  EXPECT_EQ(destination_.requests.size(), 2U);
}

TEST_F(DeliveryTest, WhereNobodyElseSendsAProbeTellsAContentFromAnOutage) {
  settings_.request_bytes_max = 2;  // what stands behind goes aside with it, and is not tried
  destination_.script = [](auto&, auto& sent) {
    return refuse_what_holds('a', sent, Kind::kBroken);
  };
  EXPECT_TRUE(run_probing({parcel_of("abcd")}));
  EXPECT_EQ(notes_.left, "abcd");
  EXPECT_THAT(destination_.requests, ::testing::Contains("_provider:probe"));
}

// Logs and spans: the probe is empty. In the customer's own name it would fail as the data does.
TEST_F(DeliveryTest, AnEmptyProbeFindsACustomerOfWhomNothingIsTaken) {
  for (const Kind answer_to_nobody : {Kind::kTaken, Kind::kRefused}) {
    notes_ = Notes();
    destination_.script = [answer_to_nobody](const std::string& customer, const auto&) {
      return customer == "a" ? Answer{Kind::kBroken, "bad"} : Answer{answer_to_nobody};
    };
    const auto evidence = std::make_shared<Evidence>();
    Prober prober(empty_probe(Signal::kLogs), destination_, evidence, clock_, time_);
    ParcelDelivery delivery(settings_, destination_, clock_, evidence, &prober);
    EXPECT_TRUE(delivery.run({parcel_of("abcd")}, notes_));
    EXPECT_EQ(notes_.left, "abcd");
    EXPECT_FALSE(evidence->data_taken_since(TimePoint{} + Duration(1)));
  }
}

TEST_F(DeliveryTest, WhileProbesFailTooNothingIsSetAside) {
  int left = 12;
  destination_.script = [&left](const auto&, const std::string& message) {
    if (message == "probe" && left > 0) return Answer{Kind::kBroken, "disk full"};
    return left-- > 0 ? Answer{Kind::kBroken, "disk full"} : Answer{};
  };
  EXPECT_TRUE(run_probing({parcel_of("abcd")}));
  EXPECT_EQ(destination_.taken, "abcd");
  EXPECT_EQ(notes_.left + notes_.slow + notes_.suspects, "");
}

TEST_F(DeliveryTest, ATimeoutOfOneCustomerSetsAllOfItsParcelAside) {
  settings_.request_bytes_max = 2;
  destination_.script = [](const std::string& customer, const auto&) {
    Answer late{Kind::kRetry, "no answer in time"};
    late.is_timeout = true;
    return customer == "a" ? late : Answer{};
  };
  EXPECT_TRUE(run({parcel_of("abcd"), parcel_of("xy", "b")}));
  EXPECT_EQ(destination_.taken, "xy");
  EXPECT_EQ(notes_.slow, "abcd");
}

TEST_F(DeliveryTest, ACustomerWhoAloneIsToldToWaitIsSetAsideWhenPatienceEnds) {
  settings_.patience = std::chrono::milliseconds(20);
  destination_.script = [](const std::string& customer, const auto&) {
    return customer == "a" ? Answer{Kind::kRetry, "over its budget"} : Answer{};
  };
  EXPECT_TRUE(run_probing({parcel_of("abcd"), parcel_of("xy", "b")}));
  EXPECT_EQ(notes_.slow, "abcd");
  EXPECT_EQ(destination_.taken.substr(0, 2), "xy");
}

TEST_F(DeliveryTest, ACustomerWhoseEveryRequestIsSlowDoesNotKeepTheOthersForAllOfThem) {
  ManualClock clock(0);
  destination_.script = [&clock](const std::string& customer, const auto&) {
    if (customer == "a") clock.advance(std::chrono::milliseconds(2900));
    return Answer{};
  };
  settings_.request_units_max = 1;
  ParcelDelivery delivery(settings_, destination_, clock);
  EXPECT_TRUE(delivery.run({parcel_of("abcdefgh"), parcel_of("x", "b")}, notes_));
  EXPECT_LE(destination_.taken.size(), 4U);
  EXPECT_EQ(destination_.taken.size() + notes_.slow.size(), 9U);
  // Alone it takes its time: nobody waits for it.
  notes_.slow.clear();
  EXPECT_TRUE(delivery.run({parcel_of("abcdefgh")}, notes_));
  EXPECT_EQ(notes_.slow, "");
  // Unless others lie behind it in the log.
  notes_.has_others_behind = true;
  destination_.taken.clear();
  EXPECT_TRUE(delivery.run({parcel_of("abcdefgh")}, notes_));
  EXPECT_EQ(destination_.taken, "ab");
  EXPECT_EQ(notes_.slow, "cdefgh");
}

TEST_F(DeliveryTest, TwoCustomersThatAreSlowAtOnceDoNotKeepTheOthersEither) {
  ManualClock clock(0);
  destination_.script = [&clock](const std::string& customer, const auto&) {
    if (customer != "b") clock.advance(std::chrono::milliseconds(2500));
    return Answer{};
  };
  settings_.request_units_max = 1;
  ParcelDelivery delivery(settings_, destination_, clock);
  const TimePoint began = clock.steady();
  EXPECT_TRUE(delivery.run({parcel_of("abcdefgh"), parcel_of("ABCDEFGH", "c"), parcel_of("x", "b")},
                           notes_));
  EXPECT_LE(clock.steady() - began, 4 * settings_.patience) << "two requests of each";
  EXPECT_EQ(destination_.taken.size() + notes_.slow.size(), 17U);
}

// It is the destination that is slow. All would go aside, where fewer are sent at a time.
TEST_F(DeliveryTest, WhereAllAreSlowAlikeNoneIsSetAsideUnlessSomebodyElseWaits) {
  ManualClock clock(0);
  destination_.script = [&clock](const std::string& customer, const auto&) {
    if (customer == "c") clock.advance(std::chrono::milliseconds(2500));
    return Answer{};
  };
  settings_.request_units_max = 1;
  ParcelDelivery delivery(settings_, destination_, clock);
  const std::vector<Parcel> both{parcel_of("abcd"), parcel_of("efgh", "c")};
  EXPECT_TRUE(delivery.run(both, notes_));
  EXPECT_EQ(notes_.slow, "");
  EXPECT_EQ(destination_.taken.size(), 8U);
  notes_.has_others_behind = true;
  EXPECT_TRUE(delivery.run(both, notes_));
  EXPECT_EQ(notes_.slow, "cdgh");
}

// It was taken for slowness: with the first success after an outage everybody was set aside.
TEST_F(DeliveryTest, TimeInRequestsThatFailedIsNotTheCustomersOwn) {
  ManualClock clock(0);
  bool is_out = true;
  destination_.script = [&](const auto&, const auto&) {
    if (is_out) clock.advance(std::chrono::milliseconds(1100));
    return is_out ? Answer{Kind::kBroken, "bad gateway"} : Answer{};
  };
  notes_.may_go_on = [&] {
    clock.advance(settings_.retry_max);
    is_out = destination_.requests.size() < 10;
    return true;
  };
  notes_.has_others_behind = true;
  ParcelDelivery delivery(settings_, destination_, clock);
  EXPECT_TRUE(delivery.run({parcel_of("x"), parcel_of("y", "b")}, notes_));
  EXPECT_EQ(notes_.slow + notes_.left, "");
  EXPECT_EQ(destination_.taken.size(), 2U);
}

TEST_F(DeliveryTest, ALateSuccessSaysNothingOfNow) {
  class HangsForA final : public MessageTransport {
   public:
    void send(const CustomerId& customer, Signal /*signal*/, std::string_view /*message*/,
              Task<void(Answer)> done) override {
      if (customer.text() == "a")
        kept = std::move(done);
      else
        done(Answer{});
    }
    Task<void(Answer)> kept;
  } transport;
  const auto evidence = std::make_shared<Evidence>();
  settings_.patience = std::chrono::milliseconds(5);
  ParcelDelivery delivery(settings_, transport, clock_, evidence);
  EXPECT_TRUE(delivery.run({parcel_of("abcd"), parcel_of("xy", "b")}, notes_));
  const TimePoint now = clock_.steady();
  transport.kept(Answer{});
  EXPECT_TRUE(delivery.run({}, notes_));
  EXPECT_FALSE(evidence->taken_since(now));
}

TEST_F(DeliveryTest, AProbeThatCannotBeSentIsNotTheLast) {
  class Faulty final : public MessageTransport {
   public:
    void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view /*message*/,
              Task<void(Answer)> done) override {
      if (++sent == 1) throw std::bad_alloc();
      done(Answer{});
    }
    int sent = 0;
  } transport;
  ManualClock clock(0);
  clock::ConfirmedTime time(clock);
  const auto evidence = std::make_shared<Evidence>();
  Prober prober({Signal::kMetrics, [](std::int64_t) { return std::string("probe"); }, true},
                transport, evidence, clock, time);
  for (int i = 0; i < 2; ++i) {
    clock.advance(2 * Prober::kInterval);
    prober.ask();
  }
  EXPECT_EQ(transport.sent, 2);
  EXPECT_TRUE(evidence->taken_since(clock.steady()));
}

// An empty request is answered well by a store whose disk is full.
TEST_F(DeliveryTest, WhileNoTimeIsConfirmedAnEmptyProbeIsNoSignThatDataIsTaken) {
  destination_.script = [](const auto&, const std::string& message) {
    return message.empty() ? Answer{} : Answer{Kind::kBroken, "disk full"};
  };
  clock::ConfirmedTime time(clock_);
  const auto evidence = std::make_shared<Evidence>();
  Prober prober(
      {Signal::kMetrics, [](std::int64_t ms) { return "probe" + std::to_string(ms); }, true},
      destination_, evidence, clock_, time);
  ParcelDelivery delivery(settings_, destination_, clock_, evidence, &prober);
  int looks = 0;
  notes_.may_go_on = [&looks] { return ++looks < 20; };
  EXPECT_FALSE(delivery.run({numbered(3)}, notes_));
  EXPECT_EQ(notes_.left + notes_.slow + notes_.suspects, "");
  EXPECT_THAT(destination_.requests, testing::Contains("_provider:probe1001"));
}

TEST_F(DeliveryTest, AProbeOfALentTimeShowsThatDataIsTakenOnlyWhereItIs) {
  Answer too_new{Kind::kRetry, "too far"};
  too_new.is_too_new = true;
  const auto shown = [this](const Answer& answer) {
    destination_.script = [&answer](const auto&, const auto&) { return answer; };
    clock::ConfirmedTime time(clock_);
    const auto evidence = std::make_shared<Evidence>();
    Prober prober({Signal::kMetrics, [](std::int64_t) { return std::string("probe"); }, true},
                  destination_, evidence, clock_, time);
    const TimePoint now = clock_.steady();
    prober.ask(1000);
    return std::pair{evidence->taken_since(now), evidence->data_taken_since(now)};
  };
  EXPECT_EQ(shown({}), std::pair(true, true));
  EXPECT_EQ(shown(too_new), std::pair(true, false)) << "it has looked at it";
  EXPECT_EQ(shown({Kind::kRefused, "too old"}), std::pair(true, false));
  EXPECT_EQ(shown({Kind::kBroken, "disk full"}), std::pair(false, false));
  EXPECT_EQ(shown({Kind::kRetry, "not now"}), std::pair(false, false));
}

/// A probe of three days ahead shuts a store for everybody.
TEST(Prober, WritesNoTimeThatIsNotConfirmed) {
  class Keeping final : public MessageTransport {
   public:
    void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view message,
              Task<void(Answer)> done) override {
      messages.emplace_back(message);
      done(Answer{});
    }
    std::vector<std::string> messages;
  } transport;
  constexpr std::int64_t kStartMs = 1'800'000'000'000;
  constexpr std::int64_t kMillion = 1'000'000;
  ManualClock clock(kStartMs * kMillion);
  clock::ConfirmedTime time(clock);
  const auto evidence = std::make_shared<Evidence>();
  Prober prober(
      {Signal::kMetrics, [](std::int64_t now_ms) { return std::to_string(now_ms); }, true},
      transport, evidence, clock, time);
  const auto ask = [&] {
    clock.advance(Prober::kInterval);
    prober.ask();
  };
  ask();
  EXPECT_THAT(transport.messages, ElementsAre(""));
  EXPECT_TRUE(evidence->taken_since(clock.steady()));
  EXPECT_FALSE(evidence->data_taken_since(clock.steady())) << "nothing in it";
  time.resume(kStartMs);
  ask();
  EXPECT_TRUE(evidence->data_taken_since(clock.steady()));
  clock.set_wall_ns((kStartMs + 72LL * 3'600'000) * kMillion);
  ask();
  EXPECT_THAT(transport.messages,
              ElementsAre("", std::to_string(kStartMs + 2'000), std::to_string(kStartMs + 3'000)));
}

TEST_F(DeliveryTest, ARequestThatHangsIsNotWaitedForOnceOthersAreTaken) {
  class HangsForA final : public MessageTransport {
   public:
    void send(const CustomerId& customer, Signal /*signal*/, std::string_view /*message*/,
              Task<void(Answer)> done) override {
      if (customer.text() == "a")
        kept = std::move(done);
      else
        done(Answer{});
    }
    Task<void(Answer)> kept;
  } transport;
  settings_.patience = std::chrono::milliseconds(5);
  ParcelDelivery delivery(settings_, transport, clock_);
  EXPECT_TRUE(delivery.run({parcel_of("abcd"), parcel_of("xy", "b")}, notes_));
  EXPECT_EQ(notes_.slow, "abcd");
  transport.kept(Answer{});  // late, and harmless
  EXPECT_TRUE(delivery.run({parcel_of("xy", "b")}, notes_));
}

}  // namespace
}  // namespace vigia::collector::delivery
