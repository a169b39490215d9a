// Whatever the order of the spans and wherever the power goes: each trace is kept or dropped as a
// whole, as its policy says, and nothing that was acknowledged is lost.
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "services/collector/tail_sampling/testing/sampler_fixture.hpp"

namespace vigia::collector::tail_sampling {
namespace {

constexpr std::uint64_t kTraces = 40;
constexpr std::uint64_t kSpansOfTrace = 4;

struct OneSpan {
  std::uint64_t trace = 0;
  std::uint64_t number = 0;
  bool is_error = false;
  std::string customer;
};

class SamplerKillsTest : public SamplerTest {
 protected:
  /// Traces with an error in one of their spans at random, in any order, of two customers.
  std::vector<OneSpan> draw() {
    std::vector<OneSpan> spans;
    for (std::uint64_t trace_number = 1; trace_number <= kTraces; ++trace_number) {
      const bool has_error = random_() % 2 == 0;
      const std::uint64_t where = random_() % kSpansOfTrace;
      const std::string customer = trace_number % 3 == 0 ? "cliente-b" : "cliente-a";
      for (std::uint64_t i = 0; i < kSpansOfTrace; ++i) {
        const std::uint64_t number = trace_number * 10 + i;
        spans.push_back({trace_number, number, has_error && i == where, customer});
        if (has_error) expected_.insert(fmt::format("{} span-{}", customer, number));
      }
    }
    std::shuffle(spans.begin(), spans.end(), random_);
    return spans;
  }
  /// In requests of some spans each, turns between them.
  void send_all(const std::vector<OneSpan>& spans) {
    for (std::size_t at = 0; at < spans.size();) {
      const std::size_t count = 1 + random_() % 5;
      std::map<std::string, SpansRequest> requests;
      for (std::size_t i = at; i < std::min(spans.size(), at + count); ++i)
        add_span(requests[spans[i].customer], spans[i].trace, spans[i].number, spans[i].is_error);
      for (const auto& [customer, request] : requests) ASSERT_TRUE(send(request, customer));
      at += count;
      if (random_() % 3 == 0) turn();
      if (random_() % 10 == 0) cut_power();
    }
  }
  /// Some came again after a kill, as from any exporter: none too few, none that was dropped.
  void expect_exactly(const std::multiset<std::string>& names) {
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), expected_);
  }

  /// What waits is decided and passed on, the power going meanwhile; and nothing is left.
  void expect_all_through_kills() {
    turn();
    clock_.advance(settings_.decision_wait);
    std::multiset<std::string> names;
    const auto take = [this, &names] {
      const auto more = arrived();
      names.insert(more.begin(), more.end());
    };
    for (int kills = 0; kills < 6; ++kills) {
      // The call with which the power goes: within the verdicts, the copies or the cursors.
      const std::uint64_t last = random_() % 12;
      std::uint64_t calls = 0;
      files_.fail_when([&](std::string_view call, const std::string&) {
        return (call == "write" || call == "sync") && calls++ >= last;
      });
      turn();
      files_.fail_when(nullptr);
      if (random_() % 2 == 0) take();
      cut_power();
      turn();
      clock_.advance(settings_.decision_wait);
    }
    settle();
    take();
    expect_exactly(names);
    for (const char* customer : {"cliente-a", "cliente-b"}) {
      expect_balance(customer);
      EXPECT_EQ(books(customer).queued, 0U);
    }
  }

  std::mt19937_64 random_;
  std::set<std::string> expected_;
};

class SamplerSeedsTest : public SamplerKillsTest, public ::testing::WithParamInterface<int> {};

TEST_P(SamplerSeedsTest, TheSameSpansAreKeptWhereverThePowerGoes) {
  random_.seed(static_cast<std::uint64_t>(GetParam()));
  open();
  send_all(draw());
  expect_all_through_kills();
}

// More traces than there is room for, each of one span: decided by its record, each comes out as
// its policy says.
TEST_P(SamplerSeedsTest, AFloodIsKeptByItsRecordsWhereverThePowerGoes) {
  random_.seed(static_cast<std::uint64_t>(GetParam()));
  settings_.num_traces = 4;
  settings_.remembered = 4;
  open();
  std::vector<OneSpan> spans;
  for (std::uint64_t number = 1; number <= 400; ++number) {
    const std::string customer = number % 20 == 0 ? "cliente-b" : "cliente-a";
    const bool is_error = random_() % 4 == 0;
    spans.push_back({number, number, is_error, customer});
    if (is_error) expected_.insert(fmt::format("{} span-{}", customer, number));
  }
  send_all(spans);
  expect_all_through_kills();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SamplerSeedsTest, ::testing::Range(1, 26));

// Between "verdicts are durable" and "copied", between "copied" and "the cursor has moved": nothing
// is copied twice as long as it lies in the disk log.
TEST_F(SamplerKillsTest, WhatLiesInTheDiskLogIsNotCopiedAgain) {
  open();
  for (std::uint64_t number = 1; number <= 10; ++number) {
    SpansRequest request;
    add_span(request, number, number, number % 2 == 0);
    add_span(request, number + 100, number + 100);
    ASSERT_TRUE(send(request));
  }
  turn();
  clock_.advance(settings_.decision_wait);
  // The cursors of the waiting log reach the disk in no case.
  files_.fail_when([](std::string_view, const std::string& path) {
    return path.find("waiting/cursors") != std::string::npos;
  });
  turn();
  turn();
  cut_power();
  EXPECT_EQ(books().queued_at_start, 20U) << "5 in the disk log, 15 that are dropped";
  settle();
  const auto names = arrived();
  EXPECT_EQ(names.size(), 5U);
  EXPECT_EQ(books().filtered, 15U);
  EXPECT_EQ(books().queued, 0U);
  expect_balance();
}

// A verdict that was acted on is not taken back by an error that comes after it, whatever is lost.
TEST_F(SamplerKillsTest, ATraceIsNeverDecidedTwiceDifferently) {
  open();
  ASSERT_TRUE(send_one(1, 1));
  turn();
  clock_.advance(settings_.decision_wait);
  files_.fail_when([](std::string_view, const std::string& path) {
    return path.find("waiting/cursors") != std::string::npos;
  });
  turn();
  cut_power();
  ASSERT_TRUE(send_one(1, 2, true));
  settle();
  EXPECT_TRUE(arrived().empty());
  EXPECT_EQ(books().filtered, 2U);
}

}  // namespace
}  // namespace vigia::collector::tail_sampling
