// Who lives, who is taken over, and by whom: on a real node, by clocks that tests move.
#include <algorithm>
#include <future>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/random.hpp"
#include "services/storage/store/cassandra/open_rows.hpp"
#include "services/storage/store/cassandra/testing/node_fixture.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Numbers of instances.
constexpr std::uint64_t kFirst = 1 * InstanceLease::kNumbers;
constexpr std::uint64_t kSecond = 2 * InstanceLease::kNumbers;
constexpr std::uint64_t kThird = 3 * InstanceLease::kNumbers;
constexpr Duration kLease = std::chrono::seconds(6);

class LeaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<InstanceLease> lease(std::uint64_t number, const Clock& clock) {
    auto made = std::make_unique<InstanceLease>(*shared_.session, clock, number, kLease);
    Preparation preparation(*shared_.session, shared_.settings.keyspace);
    EXPECT_TRUE(made->prepare(preparation).has_value());
    return made;
  }

  SharedKeyspace& shared_ = empty_keyspace();
  ManualClock first_clock_{1'000'000'000};
  ManualClock second_clock_{9'000'000'000'000'000};  // hours ahead: nobody compares the two
};

TEST_F(LeaseTest, IsHeldForHalfOfItsLengthByEitherClock) {
  const auto first = lease(kFirst, first_clock_);
  EXPECT_FALSE(first->term());
  ASSERT_TRUE(first->beat());
  const LeaseTerm term = first->term().value();
  EXPECT_EQ(term.number, kFirst);
  first_clock_.advance(kLease / 2 - std::chrono::seconds(1));
  EXPECT_TRUE(first->holds(term));
  first_clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(first->holds(term));
  ASSERT_TRUE(first->beat());
  EXPECT_TRUE(first->holds(term)) << "nobody took it over";
  first_clock_.set_wall_ns(first_clock_.wall_ns() + std::chrono::nanoseconds(kLease).count());
  EXPECT_FALSE(first->holds(term)) << "the machine may have been suspended";
}

TEST_F(LeaseTest, OfOneWhoIsSilentForItsWholeLengthIsTakenOver) {
  const auto first = lease(kFirst, first_clock_);
  const auto second = lease(kSecond, second_clock_);
  ASSERT_TRUE(first->beat());
  const LeaseTerm term = first->term().value();
  ASSERT_TRUE(second->beat());
  EXPECT_THAT(second->claim_gone().value(), IsEmpty());
  second_clock_.advance(kLease - std::chrono::seconds(1));
  ASSERT_TRUE(first->beat());
  ASSERT_TRUE(second->beat());
  EXPECT_THAT(second->claim_gone().value(), IsEmpty()) << "a sign of life";
  second_clock_.advance(kLease);
  EXPECT_THAT(second->claim_gone().value(), IsEmpty()) << "its own lease is over";
  ASSERT_TRUE(second->beat());
  EXPECT_THAT(second->claim_gone().value(), ElementsAre(kFirst));
  EXPECT_THAT(second->claim_gone().value(), ElementsAre(kFirst)) << "until it is forgotten";
  ASSERT_TRUE(first->beat());
  EXPECT_FALSE(first->holds(term));
  EXPECT_EQ(first->term().value().number, kFirst + 1);
  ASSERT_TRUE(second->forget(kFirst));
  EXPECT_THAT(second->claim_gone().value(), IsEmpty());
}

TEST_F(LeaseTest, OfOneWhoTookOverAndIsGoneTooIsTakenOverByTheNext) {
  const auto first = lease(kFirst, first_clock_);
  const auto second = lease(kSecond, second_clock_);
  ManualClock third_clock(0);
  const auto third = lease(kThird, third_clock);
  ASSERT_TRUE(first->beat());
  ASSERT_TRUE(second->beat());
  EXPECT_THAT(second->claim_gone().value(), IsEmpty());
  second_clock_.advance(kLease);
  ASSERT_TRUE(second->beat());
  EXPECT_THAT(second->claim_gone().value(), ElementsAre(kFirst));
  ASSERT_TRUE(third->beat());
  EXPECT_THAT(third->claim_gone().value(), IsEmpty());
  third_clock.advance(kLease);
  ASSERT_TRUE(second->beat());
  ASSERT_TRUE(third->beat());
  EXPECT_THAT(third->claim_gone().value(), IsEmpty()) << "the second lives";
  third_clock.advance(kLease);
  ASSERT_TRUE(third->beat());
  EXPECT_THAT(third->claim_gone().value(), ElementsAre(kFirst, kSecond));
}

TEST_F(LeaseTest, AfterARestartTheNumberIsTheSame) {
  ASSERT_TRUE(lease(kFirst, first_clock_)->beat());
  const auto again = lease(kFirst, second_clock_);
  ASSERT_TRUE(again->beat());
  EXPECT_EQ(again->term().value().number, kFirst);
}

TEST_F(LeaseTest, ANumberOfWhichAllWasTakenIsNotGivenAgain) {
  const auto first = lease(kFirst, first_clock_);
  const auto second = lease(kSecond, second_clock_);
  ASSERT_TRUE(first->beat());
  ASSERT_TRUE(second->beat());
  EXPECT_THAT(second->claim_gone().value(), IsEmpty());
  second_clock_.advance(kLease);
  ASSERT_TRUE(second->beat());
  ASSERT_THAT(second->claim_gone().value(), ElementsAre(kFirst));
  ASSERT_TRUE(second->forget(kFirst));
  const auto again = lease(kFirst, first_clock_);
  ASSERT_TRUE(again->beat());
  EXPECT_EQ(again->term().value().number, kFirst + 1);
  second_clock_.advance(kLease);
  ASSERT_TRUE(again->beat());
  ASSERT_TRUE(second->beat());
  EXPECT_THAT(second->claim_gone().value(), IsEmpty()) << "nothing of the first is left";
}

TEST_F(LeaseTest, WhoLeavesItsNumberTakesItOverItself) {
  const auto first = lease(kFirst, first_clock_);
  ASSERT_TRUE(first->beat());
  ASSERT_TRUE(first->leave(kFirst));
  EXPECT_EQ(first->term().value().number, kFirst + 1);
  EXPECT_THAT(first->claim_gone().value(), ElementsAre(kFirst));
  const auto again = lease(kFirst, first_clock_);  // it ended before all was taken
  ASSERT_TRUE(again->beat());
  EXPECT_EQ(again->term().value().number, kFirst + 1);
  EXPECT_THAT(again->claim_gone().value(), ElementsAre(kFirst));
  ASSERT_TRUE(again->forget(kFirst));
  EXPECT_THAT(again->claim_gone().value(), IsEmpty());
}

TEST_F(LeaseTest, TwoProcessesWithOneNumberFindEachOtherAndPart) {
  const auto first = lease(kFirst, first_clock_);
  const auto copy = lease(kFirst, second_clock_);
  ASSERT_TRUE(first->beat());
  ASSERT_TRUE(copy->beat());  // as a restart does
  EXPECT_EQ(copy->term().value().number, kFirst);
  ASSERT_TRUE(first->beat());
  EXPECT_EQ(first->term().value().number, kFirst + 1);
  EXPECT_THAT(first->claim_gone().value(), ElementsAre(kFirst)) << "what was kept under it";
  ASSERT_TRUE(copy->beat());
  EXPECT_EQ(copy->term().value().number, kFirst + 2);
  EXPECT_THAT(copy->claim_gone().value(), IsEmpty());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(first->beat());
    ASSERT_TRUE(copy->beat());
  }
  EXPECT_EQ(first->term().value().number, kFirst + 1);
  EXPECT_EQ(copy->term().value().number, kFirst + 2);
  ASSERT_TRUE(first->forget(kFirst));
  EXPECT_THAT(first->claim_gone().value(), IsEmpty());
}

class OpenRowsTest : public LeaseTest {
 protected:
  std::unique_ptr<CassandraOpenRows> open(std::uint64_t number, const Clock& clock) {
    const OpenRowSettings settings{shared_.settings.keyspace, number, random_u64() >> 1U, kLease};
    return CassandraOpenRows::open(*shared_.session, settings, clock).value();
  }
  void SetUp() override {
    // The catalog notes customers before anything of them is written.
    for (const char* const name : {"cliente-a", "cliente-b", "_provider"}) {
      const auto statement = shared_.session->prepare(
          {"INSERT INTO " + shared_.settings.keyspace + ".customers (customer_id) VALUES (?)"});
      vigia::cassandra::BoundCells cells;
      cells.add_text(name);
      ASSERT_TRUE(shared_.session->fetch({**statement, cells, "", std::chrono::seconds(20)}));
    }
  }
  static Result<void> keep(OpenRows& rows, OpenSlot slot, std::vector<OpenRow> some) {
    std::promise<Result<void>> told;
    auto outcome = told.get_future();
    rows.keep(slot, std::move(some),
              [&told](Result<void> result) { told.set_value(std::move(result)); });
    return outcome.get();
  }
  /// What it takes over, once the lease of whoever is gone is over.
  std::vector<std::string> taken(OpenRows& rows) {
    std::vector<std::string> bodies;
    EXPECT_TRUE(rows.take_over([&](const CustomerId& customer, std::span<const std::string> some) {
      for (const std::string& body : some) bodies.push_back(customer.text() + ": " + body);
      return Result<void>();
    }));
    return bodies;
  }
  /// Moves the clock by a lease, and waits for the next sign of life, which brings its own back.
  static void pass_a_lease(const OpenRows& rows, ManualClock& clock) {
    clock.advance(kLease);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!rows.stats().is_alive && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
};

TEST_F(OpenRowsTest, WhatOneHadOpenIsTakenOverOnceInItsOrder) {
  auto first = open(kFirst, first_clock_);
  ASSERT_TRUE(keep(*first, 100, {{a_, "1"}, {b_, "2"}}));
  ASSERT_TRUE(keep(*first, 101, {{a_, "3"}}));
  ASSERT_TRUE(keep(*first, 101, {{a_, "4"}, {CustomerId::provider(), "5"}}));
  first.reset();
  const auto second = open(kSecond, second_clock_);
  EXPECT_THAT(taken(*second), IsEmpty()) << "it may live";
  pass_a_lease(*second, second_clock_);
  const auto all = taken(*second);
  EXPECT_THAT(all, UnorderedElementsAre("cliente-a: 1", "cliente-a: 3", "cliente-a: 4",
                                        "cliente-b: 2", "_provider: 5"));
  const auto place = [&](const char* text) { return std::find(all.begin(), all.end(), text); };
  EXPECT_LT(place("cliente-a: 1"), place("cliente-a: 3"));
  EXPECT_LT(place("cliente-a: 3"), place("cliente-a: 4"));
  EXPECT_THAT(taken(*second), IsEmpty());
  EXPECT_EQ(second->stats().taken_over, 1U);
}

TEST_F(OpenRowsTest, OneCustomerWhoseRowsAreNotTakenHoldsUpNoOther) {
  auto first = open(kFirst, first_clock_);
  ASSERT_TRUE(keep(*first, 100, {{a_, "1"}, {b_, "2"}}));
  first.reset();
  const auto second = open(kSecond, second_clock_);
  EXPECT_THAT(taken(*second), IsEmpty());
  pass_a_lease(*second, second_clock_);
  std::vector<std::string> bodies;
  const auto outcome =
      second->take_over([&](const CustomerId& customer, std::span<const std::string> some) {
        if (customer == a_) return Result<void>(fail(ErrorCode::kUnavailable, "his share is full"));
        bodies.insert(bodies.end(), some.begin(), some.end());
        return Result<void>();
      });
  EXPECT_FALSE(outcome);
  EXPECT_THAT(bodies, ElementsAre("2"));
  EXPECT_EQ(second->stats().taken_over, 0U);
  EXPECT_THAT(taken(*second), ElementsAre("cliente-a: 1")) << "the next time, and b's no more";
  EXPECT_EQ(second->stats().taken_over, 1U);
}

TEST_F(OpenRowsTest, WhoHasVeryManyRowsTakesTurnsAndRowsComeTogether) {
  auto first = open(kFirst, first_clock_);
  for (OpenSlot slot = 100; slot < 103; ++slot) {
    for (const char* const body : {"1", "2", "3"}) {
      ASSERT_TRUE(keep(*first, slot, {{a_, body}, {b_, body}}));
    }
  }
  first.reset();
  const auto second = open(kSecond, second_clock_);
  EXPECT_THAT(taken(*second), IsEmpty());
  pass_a_lease(*second, second_clock_);
  std::vector<std::string> turns;
  ASSERT_TRUE(second->take_over([&](const CustomerId& customer, std::span<const std::string> some) {
    EXPECT_THAT(some, ElementsAre("1", "2", "3"));
    turns.push_back(customer.text());
    return Result<void>();
  }));
  ASSERT_EQ(turns.size(), 6U);
  for (std::size_t i = 1; i < turns.size(); ++i) EXPECT_NE(turns[i], turns[i - 1]) << i;
}

// While it is asleep a third one, here by the second's own number, ends its work; the first one
// comes back in the same minute.
TEST_F(OpenRowsTest, WhoWakesUpInTheMiddleOfTakingOverForgetsNothingOfOneThatCameBack) {
  auto first = open(kFirst, first_clock_);
  ASSERT_TRUE(keep(*first, 100, {{a_, "1"}, {b_, "2"}}));
  first.reset();
  const auto second = open(kSecond, second_clock_);
  EXPECT_THAT(taken(*second), IsEmpty());
  pass_a_lease(*second, second_clock_);
  const auto while_asleep = [&] {
    const auto third = lease(kSecond, second_clock_);
    EXPECT_TRUE(third->beat());
    EXPECT_THAT(third->claim_gone().value(), ElementsAre(kFirst));
    EXPECT_TRUE(third->forget(kFirst));
    first = open(kFirst, first_clock_);
    EXPECT_TRUE(keep(*first, 100, {{a_, "3"}, {b_, "4"}}));
  };
  (void)second->take_over([&](const CustomerId& /*customer*/, std::span<const std::string>) {
    if (first == nullptr) while_asleep();
    return Result<void>();
  });
  ASSERT_NE(first, nullptr);
  ASSERT_TRUE(keep(*first, 100, {{a_, "5"}, {b_, "6"}}));  // of which the slot is noted already
  first.reset();
  // The two with one number find each other meanwhile, and the second one goes on under another.
  const std::set<std::string> wanted = {"cliente-a: 3", "cliente-b: 4", "cliente-a: 5",
                                        "cliente-b: 6"};
  std::set<std::string> all;
  const auto has_all = [&] {
    return std::includes(all.begin(), all.end(), wanted.begin(), wanted.end());
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!has_all() && std::chrono::steady_clock::now() < end) {
    (void)second->take_over(
        [&](const CustomerId& customer, std::span<const std::string> some) -> Result<void> {
          for (const std::string& body : some) all.insert(customer.text() + ": " + body);
          return {};
        });
    pass_a_lease(*second, second_clock_);
  }
  EXPECT_THAT(all, ::testing::IsSupersetOf(wanted));
}

TEST_F(OpenRowsTest, ALogThatIsNotWholeTakesBackWhatWasKeptBeforeItsStart) {
  auto first = open(kFirst, first_clock_);
  ASSERT_TRUE(keep(*first, 100, {{a_, "1"}, {b_, "2"}}));
  first.reset();
  first = open(kFirst, first_clock_);
  ASSERT_TRUE(first->replayed(100, false));
  ASSERT_TRUE(keep(*first, 102, {{a_, "3"}}));
  first->release(102);
  first.reset();  // killed before it took anything back, and its log is whole from now on
  first = open(kFirst, first_clock_);
  ASSERT_TRUE(first->replayed(102, true));
  first->release(103);
  EXPECT_THAT(taken(*first), UnorderedElementsAre("cliente-a: 1", "cliente-b: 2"));
  EXPECT_THAT(taken(*first), IsEmpty());
}

TEST_F(OpenRowsTest, ALogThatLacksWhatWasKeptLastTakesItBack) {
  auto first = open(kFirst, first_clock_);
  ASSERT_TRUE(first->replayed(0, true)) << "a first start";
  ASSERT_TRUE(keep(*first, 100, {{a_, "1"}}));
  ASSERT_TRUE(keep(*first, 101, {{b_, "2"}}));
  first.reset();
  first = open(kFirst, first_clock_);
  ASSERT_TRUE(first->replayed(101, true));
  EXPECT_THAT(taken(*first), IsEmpty()) << "the log has all of it";
  first.reset();
  first = open(kFirst, first_clock_);
  ASSERT_TRUE(first->replayed(100, true)) << "a log of an hour ago, put back";
  EXPECT_THAT(taken(*first), UnorderedElementsAre("cliente-a: 1", "cliente-b: 2"));
}

TEST_F(OpenRowsTest, WhatIsStoredIsNotReadAgain) {
  auto first = open(kFirst, first_clock_);
  ASSERT_TRUE(keep(*first, 100, {{a_, "1"}}));
  first.reset();
  first = open(kFirst, first_clock_);  // it forgets what it had noted, and is the same
  ASSERT_TRUE(keep(*first, 101, {{a_, "2"}}));
  ASSERT_TRUE(keep(*first, 102, {{a_, "3"}}));
  first->release(102);
  const auto slots = shared_.session
                         ->prepare({"SELECT slot FROM " + shared_.settings.keyspace +
                                    ".head_slots WHERE customer_id = 'cliente-a' AND instance = " +
                                    std::to_string(kFirst)})
                         .value();
  const auto left = [&] {
    return shared_.session->fetch({*slots, {}, "", std::chrono::seconds(20)}).value().rows();
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (left() > 1 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  first.reset();
  const auto second = open(kSecond, second_clock_);
  EXPECT_THAT(taken(*second), IsEmpty());
  pass_a_lease(*second, second_clock_);
  EXPECT_THAT(taken(*second), ElementsAre("cliente-a: 3"));
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
