#include "services/collector/tail_sampling/tail_sampler.hpp"

#include <gmock/gmock.h>

#include "services/collector/tail_sampling/testing/sampler_fixture.hpp"

namespace vigia::collector::tail_sampling {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(SamplerTest, ATraceWithAnErrorIsKeptWholeAndTheOthersGo) {
  open();
  // Of five traces, each over three requests; the second one's error comes last.
  for (std::uint64_t round = 0; round < 3; ++round) {
    SpansRequest request;
    for (std::uint64_t number = 1; number <= 5; ++number)
      add_span(request, number, 10 * number + round, number == 2 && round == 2);
    ASSERT_TRUE(send(request));
    turn();
    EXPECT_THAT(arrived(), IsEmpty());
  }
  EXPECT_EQ(books().queued, 15U);
  settle();
  EXPECT_THAT(arrived(),
              UnorderedElementsAre("cliente-a span-20", "cliente-a span-21", "cliente-a span-22"));
  const auto line = books();
  EXPECT_EQ(line.received, 15U);
  EXPECT_EQ(line.filtered, 12U);
  EXPECT_EQ(line.sent, 3U);
  EXPECT_EQ(line.queued, 0U);
  expect_balance();
  EXPECT_THAT(
      metrics_->expose(false),
      HasSubstr(R"(vigia_items_filtered_total{customer_id="cliente-a",reason="tail_sampling",)"
                R"(signal="traces"} 12)"));
}

TEST_F(SamplerTest, NothingPassesBeforeTheWaitIsOver) {
  open();
  ASSERT_TRUE(send_one(1, 1, true));
  turn();
  clock_.advance(settings_.decision_wait - std::chrono::milliseconds(1));
  turn();
  EXPECT_THAT(arrived(), IsEmpty());
  clock_.set_wall_ns(clock_.wall_ns() + 86'400'000'000'000);  // a step decides nothing
  turn();
  EXPECT_THAT(arrived(), IsEmpty());
  clock_.advance(std::chrono::milliseconds(1));
  turn();
  EXPECT_THAT(arrived(), UnorderedElementsAre("cliente-a span-1"));
}

TEST_F(SamplerTest, ALateSpanFollowsItsTraceAlsoAfterARestart) {
  open();
  ASSERT_TRUE(send_one(1, 1, true));
  ASSERT_TRUE(send_one(2, 2, false));
  settle();
  EXPECT_EQ(arrived().size(), 1U);
  for (int restarts = 0; restarts < 2; ++restarts) {
    ASSERT_TRUE(send_one(1, 3, false));
    ASSERT_TRUE(send_one(2, 4, true));
    turn();  // nobody waits for what is decided
    EXPECT_THAT(arrived(), UnorderedElementsAre("cliente-a span-3"));
    expect_balance();
    ASSERT_TRUE(sampler_->waiting_log().sync_cursors() && log_->sync_cursors());
    cut_power();
  }
}

TEST_F(SamplerTest, EqualIdsOfTwoCustomersAreTwoTraces) {
  open();
  ASSERT_TRUE(send_one(1, 1, true, "cliente-a"));
  ASSERT_TRUE(send_one(1, 1, false, "cliente-b"));
  settle();
  EXPECT_THAT(arrived(), UnorderedElementsAre("cliente-a span-1"));
  EXPECT_EQ(books("cliente-b").filtered, 1U);
}

TEST_F(SamplerTest, WhatIntakeRefusedIsNoSpanOfATrace) {
  open();
  SpansRequest request;
  add_span(request, 1, 1, true);
  add_span(request, 1, 2);
  Verdicts verdicts(2);
  verdicts.reject(0, RejectReason::kForeign);
  disk_log::DiskRecord record{{.tag = {.owner = "cliente-a",
                                       .kind = kept_number(Signal::kTraces),
                                       .route = "hot-0",
                                       .note = verdicts.encode()},
                               .items = 2,
                               .rejected = 1},
                              request.SerializeAsString()};
  ASSERT_TRUE(sampler_->waiting_log().append_and_wait(std::move(record)));
  settle();
  EXPECT_THAT(arrived(), IsEmpty()) << "the error was not this customer's";
}

// The log that takes what is kept is full for a while: nothing is lost, nothing comes twice.
TEST_F(SamplerTest, AFullDiskLogIsWaitedFor) {
  open();
  for (std::uint64_t number = 1; number <= 20; ++number)
    ASSERT_TRUE(send_one(number, number, true));
  turn();
  clock_.advance(settings_.decision_wait);
  int calls = 0;
  files_.fail_when([&calls](std::string_view call, const std::string& path) {
    // Verdicts can be written; of the disk log some batches fail.
    return call == "write" && path.starts_with("/log/segment-") && ++calls < 3;
  });
  for (int i = 0; i < 10; ++i) {
    turn();
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_GE(calls, 3) << "it has failed";
  files_.fail_when(nullptr);
  for (int i = 0; i < 3; ++i) {
    clock_.advance(std::chrono::seconds(1));
    turn();
  }
  const auto names = arrived();
  EXPECT_EQ(names.size(), 20U);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 20U);
  expect_balance();
}

TEST_F(SamplerTest, WhoOpensMoreTracesThanFitIsRefusedAndTheOthersAreNot) {
  settings_.num_traces = 10;
  settings_.remembered = 10;
  open();
  ASSERT_TRUE(send_one(1, 1, true, "quiet"));
  for (std::uint64_t number = 1; number <= 100; ++number)
    ASSERT_TRUE(send_one(number, number, number == 3, "loud"));
  turn();
  EXPECT_TRUE(shares_.is_over("loud"));
  EXPECT_FALSE(shares_.is_over("quiet"));
  settle();
  EXPECT_FALSE(shares_.is_over("loud"));
  const auto names = arrived();
  EXPECT_EQ(names.count("quiet span-1"), 1U);
  EXPECT_EQ(names.count("loud span-3"), 1U) << "decided early, by what was there";
  expect_balance("loud");
}

// What one customer has had acknowledged is many times what memory has room for, behind a trace
// that is not decided yet: another one's trace behind all of it waits for its own time alone.
TEST_F(SamplerTest, AFloodThatWasAcknowledgedHoldsNobodyUp) {
  settings_.num_traces = 10;
  settings_.remembered = 10;
  open();
  ASSERT_TRUE(send_one(1, 1, true, "quiet"));
  constexpr std::uint64_t kFlood = 5'000;  // of room for 90
  for (std::uint64_t number = 1; number <= kFlood; number += 50) {
    SpansRequest request;
    for (std::uint64_t i = number; i < number + 50; ++i) add_span(request, i, i, i % 1'000 == 0);
    ASSERT_TRUE(send(request, "loud"));
  }
  ASSERT_TRUE(send_one(2, 2, true, "quiet"));
  turn();
  EXPECT_TRUE(shares_.is_over("loud"));
  clock_.advance(settings_.decision_wait);
  turn();
  const auto names = arrived();
  EXPECT_EQ(names.count("quiet span-1"), 1U);
  EXPECT_EQ(names.count("quiet span-2"), 1U) << "one wait, whatever lies before it";
  EXPECT_EQ(names.size(), 2 + kFlood / 1'000) << "of the flood what has an error, no other";
  for (const char* customer : {"quiet", "loud"}) {
    expect_balance(customer);
    EXPECT_EQ(books(customer).queued, 0U);
  }
  clock_.advance(std::chrono::seconds(1));
  turn();
  EXPECT_FALSE(shares_.is_over("loud"));
  EXPECT_THAT(metrics_->expose(false),
              HasSubstr(R"(vigia_tail_sampling_by_record_total{customer_id="loud"} 49)"));
}

// Its spans of one trace may be decided apart; none is lost, none comes twice.
TEST_F(SamplerTest, ATraceOfAFloodHasEachOfItsRecordsDecided) {
  settings_.num_traces = 10;
  settings_.remembered = 10;
  open();
  ASSERT_TRUE(send_one(1, 1, true, "quiet"));
  for (std::uint64_t number = 1; number <= 200; ++number)
    ASSERT_TRUE(send_one(number, number, false, "loud"));
  ASSERT_TRUE(send_one(1'000, 1'000, false, "loud"));
  ASSERT_TRUE(send_one(1'000, 1'001, true, "loud"));
  settle();
  const auto names = arrived();
  EXPECT_EQ(names.count("loud span-1001"), 1U);
  EXPECT_EQ(names.count("loud span-1000"), 0U);
  expect_balance("loud");
}

// The file has the processor no more: what was acknowledged is passed on.
TEST_F(SamplerTest, WithoutTheProcessorWhatWaitsIsKept) {
  open();
  ASSERT_TRUE(send_one(1, 1));
  settle();
  ASSERT_TRUE(send_one(2, 2));
  turn();
  settings_ = keep_all();
  cut_power();
  ASSERT_TRUE(send_one(1, 3));
  settle();
  EXPECT_THAT(arrived(), UnorderedElementsAre("cliente-a span-2"))
      << "what was decided stays decided";
}

}  // namespace
}  // namespace vigia::collector::tail_sampling
