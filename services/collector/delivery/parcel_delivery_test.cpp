#include "services/collector/delivery/parcel_delivery.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::collector::delivery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Answer::Kind;

/// A destination that answers at once, as it is told to.
class ScriptedDestination final : public MessageTransport {
 public:
  void send(const CustomerId& customer, Signal /*signal*/, std::string_view message,
            Task<void(Answer)> done) override {
    requests.push_back(customer.text() + ":" + std::string(message));
    Answer answer = script(customer.text(), std::string(message));
    if (answer.kind == Kind::kTaken) taken += message;
    done(std::move(answer));
  }
  std::function<Answer(const std::string& customer, const std::string& message)> script =
      [](const auto&, const auto&) { return Answer{}; };
  std::vector<std::string> requests;
  std::string taken;
};

class Notes final : public DeliveryObserver {
 public:
  void on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) override {
    refused.push_back(std::string(parcel.run(unit, unit + 1)) + ": " + why);
  }
  void on_rejected(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                   std::uint64_t count, const std::string& /*why*/) override {
    rejected += count;
  }
  void on_set_aside(const Parcel& parcel, std::size_t first, std::size_t last, Aside aside,
                    const std::string& /*why*/) override {
    auto& units = aside == Aside::kSuspect ? suspects : aside == Aside::kSlow ? slow : left;
    units += parcel.run(first, last);
    if (aside == Aside::kTooNew) too_new += parcel.run(first, last);
  }
  void on_answer(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                 const Answer& /*answer*/, Duration /*took*/) override {
    ++answers;
  }
  std::string_view kind_of(const Parcel& parcel, std::size_t unit) override {
    return has_kinds ? parcel.run(unit, unit + 1) : std::string_view();
  }
  bool others_wait(const std::set<CustomerId>& /*in_run*/) override { return has_others_behind; }
  bool go_on() override { return may_go_on(); }
  bool has_others_behind = false;
  bool has_kinds = false;  // a unit's letter is its kind
  std::vector<std::string> refused;
  std::string left, slow, suspects;  // set aside
  std::string too_new;               // of what is left
  std::uint64_t rejected = 0;
  int answers = 0;
  std::function<bool()> may_go_on = [] { return true; };
};

/// A parcel of one-letter units.
Parcel parcel_of(std::string_view letters, std::string_view customer = "a") {
  Parcel parcel{.customer = *CustomerId::parse(customer)};
  for (const char letter : letters) {
    parcel.units.push_back({.begin = parcel.message.size()});
    parcel.message += letter;
  }
  return parcel;
}

/// Units "1000;", "1001;", …, each of its number's time.
Parcel numbered(int count) {
  Parcel parcel{.customer = *CustomerId::parse("a")};
  for (int number = 1000; number < 1000 + count; ++number) {
    parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = number});
    parcel.message += std::to_string(number) + ";";
  }
  return parcel;
}

/// As a store that takes nothing at or before that time.
std::function<Answer(const std::string&, const std::string&)> refusing_until(int timestamp) {
  return [timestamp](const auto&, const std::string& message) {
    for (std::size_t i = 0; i < message.size(); i += 5) {
      if (std::stoi(message.substr(i, 4)) <= timestamp)
        return Answer{Kind::kRefused, "too old sample", std::nullopt, 0, true};
    }
    return Answer{};
  };
}

constexpr std::int64_t kHourMs = 3'600'000;

Answer refuse_what_holds(char letter, const std::string& message, Kind kind = Kind::kRefused) {
  if (message.find(letter) == std::string::npos) return {};
  return {kind, "bad"};
}

class DeliveryTest : public testing::Test {
 protected:
  DeliveryTest() {
    settings_.retry_initial = std::chrono::milliseconds(1);
    settings_.retry_max = std::chrono::milliseconds(4);
    time_.resume(clock_.wall_ms());
  }
  bool run(const std::vector<Parcel>& parcels) {
    ParcelDelivery delivery(settings_, destination_, clock_);
    return delivery.run(parcels, notes_);
  }
  /// With probes, which are data and whose message is "probe".
  bool run_probing(const std::vector<Parcel>& parcels) {
    const auto evidence = std::make_shared<Evidence>();
    Prober prober({Signal::kMetrics, [](std::int64_t) { return std::string("probe"); }, true},
                  destination_, evidence, clock_, time_);
    ParcelDelivery delivery(settings_, destination_, clock_, evidence, &prober);
    return delivery.run(parcels, notes_);
  }
  DeliverySettings settings_;
  SystemClock clock_;
  clock::ConfirmedTime time_{clock_};
  ScriptedDestination destination_;
  Notes notes_;
};

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

TEST_F(DeliveryTest, HalvesARefusalDownToTheUnitThatIsToBlame) {
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('f', message);
  };
  EXPECT_TRUE(run({parcel_of("abcdefgh")}));
  EXPECT_EQ(destination_.taken, "abcdegh");
  EXPECT_THAT(notes_.refused, ElementsAre("f: bad"));
  EXPECT_LE(destination_.requests.size(), 7U);
}

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

TEST_F(DeliveryTest, TheSideLaneHalvesA500DownToTheSuspects) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  EXPECT_TRUE(run_probing({parcel_of("abcdefgh")}));
  EXPECT_EQ(destination_.taken.find('c'), std::string::npos);
  for (const char letter : std::string("abdefgh"))
    EXPECT_NE(destination_.taken.find(letter), std::string::npos) << letter;
  EXPECT_EQ(notes_.suspects, "c");
  EXPECT_THAT(notes_.refused, IsEmpty());
}

// A store that manages no more in time: what is cut small enough arrives, and nobody is to blame.
TEST_F(DeliveryTest, TheSideLaneHalvesWhatTimesOut) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    Answer late{Kind::kRetry, "no answer in time"};
    late.is_timeout = true;
    return message != "probe" && message.size() > 2 ? late : Answer{};
  };
  EXPECT_TRUE(run_probing({parcel_of("ABCDEFGH")}));
  for (const std::string_view pair : {"a:AB", "a:CD", "a:EF", "a:GH"})
    EXPECT_THAT(destination_.requests, ::testing::Contains(pair));
  EXPECT_EQ(notes_.left + notes_.slow + notes_.suspects, "");
  EXPECT_THAT(notes_.refused, IsEmpty());
}

TEST_F(DeliveryTest, OfSuspectsOneIsTriedForAll) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  Parcel suspects = parcel_of("ccc");
  suspects.stage = Parcel::Stage::kSuspect;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_EQ(notes_.suspects, "ccc");
  EXPECT_EQ(std::count(destination_.requests.begin(), destination_.requests.end(), "a:c"), 1);
}

TEST_F(DeliveryTest, OnlyWhatFailsAloneOnceMoreWhileDataIsTakenIsGivenUp) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  Parcel suspects = parcel_of("cd");
  suspects.stage = Parcel::Stage::kLastTry;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_THAT(notes_.refused, ElementsAre("c: bad"));
  EXPECT_NE(destination_.taken.find('d'), std::string::npos);
}

TEST_F(DeliveryTest, OfSuspectsOneOfAKindIsTriedAndWhatIsTakenGoesOn) {
  settings_.lane = Lane::kSide;
  notes_.has_kinds = true;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  Parcel suspects = parcel_of("cccdcd");
  suspects.stage = Parcel::Stage::kSuspect;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_EQ(notes_.suspects, "cccc");
  EXPECT_EQ(std::count(destination_.requests.begin(), destination_.requests.end(), "a:c"), 1);
  EXPECT_EQ(std::count(destination_.taken.begin(), destination_.taken.end(), 'd'), 2);
}

// As many failing series as there may be: what comes in a second must not take an hour to go.
TEST_F(DeliveryTest, AtTheLastTryAKindSharesItsFateAndManyKindsWaitForOneSignOfLife) {
  settings_.lane = Lane::kSide;
  notes_.has_kinds = true;
  std::size_t probes = 0;
  destination_.script = [&probes](const std::string& customer, const std::string&) {
    probes += customer == "a" ? 0 : 1;
    return customer == "a" ? Answer{Kind::kBroken, "bad"} : Answer{};
  };
  std::string letters;
  for (char letter = 'a'; letter <= 'z'; ++letter) letters += std::string(100, letter);
  Parcel suspects = parcel_of(letters);
  suspects.stage = Parcel::Stage::kLastTry;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_EQ(notes_.refused.size(), letters.size());
  EXPECT_LT(probes, 10U);
  // One of each kind, and the first ones until the destination was seen to take data.
  EXPECT_LT(destination_.requests.size() - probes, 40U);
}

TEST_F(DeliveryTest, TheLastTryGivesNothingUpWhileNothingIsTaken) {
  settings_.lane = Lane::kSide;
  settings_.run_max = std::chrono::milliseconds(30);
  destination_.script = [](const auto&, const auto&) { return Answer{Kind::kBroken, "disk full"}; };
  Parcel suspects = parcel_of("c");
  suspects.stage = Parcel::Stage::kLastTry;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_THAT(notes_.refused, IsEmpty());
  EXPECT_EQ(notes_.left, "c");
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

TEST_F(DeliveryTest, AUnitOfSeveralItemsIsCutWhereItIsToBlame) {
  class Cutting final : public DeliveryObserver {
   public:
    explicit Cutting(Notes& notes) : notes_(notes) {}
    void on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) override {
      notes_.on_refused(parcel, unit, why);
    }
    void on_rejected(const Parcel& parcel, std::size_t first, std::size_t last, std::uint64_t count,
                     const std::string& why) override {
      notes_.on_rejected(parcel, first, last, count, why);
    }
    void on_set_aside(const Parcel& parcel, std::size_t first, std::size_t last, Aside aside,
                      const std::string& why) override {
      notes_.on_set_aside(parcel, first, last, aside, why);
    }
    void on_answer(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                   const Answer& /*answer*/, Duration /*took*/) override {}
    std::optional<Parcel> split(const Parcel& parcel, std::size_t unit) override {
      const std::string_view whole = parcel.run(unit, unit + 1);
      Parcel parts{.customer = parcel.customer, .signal = parcel.signal};
      for (const std::size_t begin : {std::size_t{0}, whole.size() / 2}) {
        const std::size_t end = begin == 0 ? whole.size() / 2 : whole.size();
        parts.units.push_back({.begin = begin, .items = static_cast<std::uint32_t>(end - begin)});
      }
      parts.message = whole;
      return parts;
    }
    bool go_on() override { return true; }

   private:
    Notes& notes_;
  } cutting(notes_);
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message);
  };
  Parcel parcel{.customer = *CustomerId::parse("a"), .signal = Signal::kLogs};
  parcel.units.push_back({.items = 8});
  parcel.message = "abcdefgh";
  ParcelDelivery delivery(settings_, destination_, clock_);
  EXPECT_TRUE(delivery.run({parcel}, cutting));
  EXPECT_EQ(destination_.taken, "abdefgh");
  EXPECT_THAT(notes_.refused, ElementsAre("c: bad"));
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

TEST_F(DeliveryTest, DataThatIsTooOldCostsFewRequestsAndIsRemembered) {
  const auto evidence = std::make_shared<Evidence>();
  evidence->note_newest(3 * kHourMs);
  ParcelDelivery delivery(settings_, destination_, clock_, evidence);
  destination_.script = refusing_until(5000);
  EXPECT_TRUE(delivery.run({numbered(1000)}, notes_));
  EXPECT_EQ(notes_.refused.size(), 1000U);
  EXPECT_LE(destination_.requests.size(), 15U);
  destination_.requests.clear();
  EXPECT_TRUE(delivery.run({numbered(1000)}, notes_));
  EXPECT_THAT(destination_.requests, IsEmpty());
  EXPECT_EQ(notes_.refused.size(), 2000U);
}

/// Where our clock was hours ahead, one customer's word became everybody's.
TEST_F(DeliveryTest, TooOldIsOneSeriesWordUntilSomethingMuchNewerWasTaken) {
  const auto evidence = std::make_shared<Evidence>();
  ParcelDelivery delivery(settings_, destination_, clock_, evidence);
  destination_.script = [](const std::string& customer, const auto&) {
    if (customer != "a") return Answer{};
    return Answer{Kind::kRefused, "too old sample", std::nullopt, 0, true};
  };
  const auto deliver = [&](const char* customer, std::int64_t timestamp_ms) {
    Parcel parcel{.customer = *CustomerId::parse(customer)};
    parcel.units.push_back({.begin = 0, .timestamp_ms = timestamp_ms});
    parcel.message = "x";
    destination_.taken.clear();
    EXPECT_TRUE(delivery.run({std::move(parcel)}, notes_));
    return destination_.taken == "x";
  };
  deliver("a", 10 * kHourMs);
  EXPECT_TRUE(deliver("b", 9 * kHourMs));
  EXPECT_TRUE(deliver("b", 11 * kHourMs));
  deliver("a", 10 * kHourMs);
  EXPECT_TRUE(deliver("b", 9 * kHourMs)) << "of the last two hours";
  EXPECT_TRUE(deliver("b", 13 * kHourMs));
  deliver("a", 10 * kHourMs);
  EXPECT_FALSE(deliver("b", 9 * kHourMs));
}

/// As a store that takes nothing after that time.
std::function<Answer(const std::string&, const std::string&)> ahead_from(int timestamp) {
  return [timestamp](const auto&, const std::string& message) {
    Answer answer;
    for (std::size_t i = 0; i + 4 < message.size() && message != "probe"; i += 5) {
      if (std::stoi(message.substr(i, 4)) >= timestamp) answer = {Kind::kRetry, "too far"};
    }
    answer.is_too_new = answer.kind == Kind::kRetry;
    return answer;
  };
}

TEST_F(DeliveryTest, WhatIsAheadOfTheStoreWaitsAloneAndIsNeverGivenUp) {
  destination_.script = ahead_from(1900);
  EXPECT_TRUE(run_probing({numbered(1000)}));
  EXPECT_EQ(notes_.left.size(), 1000U * 5) << "the front lane searches nothing";
  EXPECT_EQ(notes_.too_new, "");
  notes_.left.clear();
  settings_.lane = Lane::kSide;
  for (const auto stage :
       {Parcel::Stage::kFresh, Parcel::Stage::kSuspect, Parcel::Stage::kLastTry}) {
    destination_.taken.clear();
    destination_.requests.clear();
    Parcel parcel = numbered(1000);
    if (stage != Parcel::Stage::kFresh) {
      parcel = Parcel{.customer = parcel.customer};
      parcel.append(numbered(1000), 899, 901);
    }
    parcel.stage = stage;
    EXPECT_TRUE(run_probing({parcel}));
    EXPECT_THAT(notes_.refused, IsEmpty());
    EXPECT_THAT(notes_.suspects, IsEmpty());
    EXPECT_TRUE(notes_.left.starts_with("1900;")) << notes_.left.substr(0, 20);
    EXPECT_EQ(notes_.too_new, notes_.left);
    EXPECT_THAT(destination_.taken, testing::HasSubstr("1899;"));
    if (stage == Parcel::Stage::kFresh) {
      EXPECT_EQ(notes_.left.size(), 100U * 5);
      EXPECT_LE(destination_.requests.size(), 40U);
    }
    notes_.left.clear();
    notes_.too_new.clear();
  }
}

/// The store's own clock is behind: nobody's data is to blame, and none may fill the side queue.
TEST_F(DeliveryTest, WhereAllIsAheadOfTheStoreNothingIsSetAside) {
  destination_.script = [](const auto&, const auto&) {
    Answer answer{Kind::kRetry, "too far"};
    answer.is_too_new = true;
    return answer;
  };
  int looks = 0;
  notes_.may_go_on = [&looks] { return ++looks < 20; };
  EXPECT_FALSE(run_probing({parcel_of("x", "a"), parcel_of("y", "b")}));
  EXPECT_EQ(notes_.left + notes_.slow + notes_.suspects, "");
  EXPECT_THAT(notes_.refused, IsEmpty());
}

TEST_F(DeliveryTest, OfDataThatIsPartlyTooOldAllThatIsYoungArrives) {
  destination_.script = refusing_until(1299);
  const auto evidence = std::make_shared<Evidence>();
  evidence->note_newest(3 * kHourMs);
  EXPECT_TRUE(
      ParcelDelivery(settings_, destination_, clock_, evidence).run({numbered(1000)}, notes_));
  EXPECT_EQ(notes_.refused.size(), 300U);
  EXPECT_EQ(destination_.taken.size(), 700U * 5);
  EXPECT_LE(destination_.requests.size(), 40U);
}

TEST_F(DeliveryTest, AParcelFullOfConflictsCannotTakeAllTheTimeAndLosesNothing) {
  destination_.script = [](const auto&, const auto&) { return Answer{Kind::kRefused, "conflict"}; };
  EXPECT_TRUE(run({numbered(5000)}));
  EXPECT_LE(destination_.requests.size(), 2U * 64U + 15U);
  EXPECT_EQ(notes_.refused.size() + notes_.left.size() / 5, 5000U);
}

TEST_F(DeliveryTest, OfConflictsAmongGoodSeriesOnlyTheConflictsAreGivenUp) {  // A5
  settings_.lane = Lane::kSide;
  settings_.searches_max = 100'000;
  destination_.script = [](const auto&, const std::string& message) {
    for (std::size_t i = 0; i < message.size(); i += 5) {
      if (std::stoi(message.substr(i, 4)) % 14 == 0) return Answer{Kind::kRefused, "conflict"};
    }
    return Answer{};
  };
  EXPECT_TRUE(run({numbered(4300)}));
  EXPECT_EQ(notes_.refused.size(), 307U);
  EXPECT_EQ(destination_.taken.size(), (4300U - 307U) * 5);
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
