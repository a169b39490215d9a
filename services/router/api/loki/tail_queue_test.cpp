#include "services/router/api/loki/tail_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TailLine line(std::int64_t time_ns, const std::string& text, const std::string& service = "shop") {
  const TailQueue queue(true);
  return queue.made_of({time_ns, text, Labels::from({{"service_name", service}}), {}});
}

TEST(TailQueueTest, NothingWaitsNothingIsSaid) { EXPECT_EQ(TailQueue(false).take_message(), ""); }

TEST(TailQueueTest, LinesStayInOrderNeighboursOfAStreamTogether) {
  TailQueue queue(false);
  queue.push(line(1, "a"));
  queue.push(line(2, "b"));
  queue.push(line(3, "c", "till"));
  queue.push(line(4, "d"));
  EXPECT_EQ(
      queue.take_message(),
      R"({"streams":[{"stream":{"service_name":"shop"},"values":[["1","a",{}],["2","b",{}]]},)"
      R"({"stream":{"service_name":"till"},"values":[["3","c",{}]]},)"
      R"({"stream":{"service_name":"shop"},"values":[["4","d",{}]]}]})");
  EXPECT_EQ(queue.take_message(), "");
}

TEST(TailQueueTest, LabelsAreToldApartForWhoAsksSo) {
  const AnsweredLine one{1, "a", Labels::from({{"service_name", "shop"}}),
                         Labels::from({{"trace_id", "0e"}}), Labels::from({{"x", "1"}})};
  TailQueue apart(true);
  apart.push(apart.made_of(one));
  EXPECT_EQ(apart.take_message(),
            R"({"streams":[{"stream":{"service_name":"shop"},"values":[["1","a",)"
            R"({"structuredMetadata":{"trace_id":"0e"},"parsed":{"x":"1"}}]]}],)"
            R"("encodingFlags":["categorize-labels"]})");
  TailQueue together(false);
  together.push(together.made_of(one));
  EXPECT_EQ(together.take_message(),
            R"({"streams":[{"stream":{"service_name":"shop","trace_id":"0e","x":"1"},)"
            R"("values":[["1","a"]]}]})");
}

TEST(TailQueueTest, TheOldestGoWhereNobodyReads) {
  TailQueue queue(false);
  constexpr std::int64_t kLines = 5'000;
  for (std::int64_t i = 0; i < kLines; ++i) queue.push(line(i, std::string(1'000, 'x')));
  EXPECT_EQ(queue.pushed(), 5'000U);
  EXPECT_GT(queue.dropped(), 4'400U);
  EXPECT_LT(queue.dropped(), 4'700U);
  const std::string first = queue.take_message();
  EXPECT_LT(first.size(), 220U << 10U) << "the names of a thousand, and a message";
  EXPECT_THAT(first, StartsWith(R"({"streams":[{"stream":{"service_name":"shop"},"values":[["4)"));
  EXPECT_THAT(
      first,
      HasSubstr(R"("dropped_entries":[{"labels":{"service_name":"shop"},"timestamp":"0"},)"));
  EXPECT_THAT(first, HasSubstr(R"("timestamp":"999"}]})"));
  std::string last;
  for (std::string next = first; !next.empty(); next = queue.take_message()) {
    if (next != first) {
      EXPECT_THAT(next, Not(HasSubstr("dropped_entries")));
    }
    last = std::move(next);
  }
  EXPECT_THAT(last, HasSubstr(R"(["4999",)"));
}

TEST(TailQueueTest, ALineThatNeedsAllOfTheRoomGoes) {
  TailQueue queue(false);
  queue.push(line(1, "a"));
  queue.push(line(2, std::string(TailQueue::kBytesMax, 'x')));
  queue.push(line(3, "c"));
  EXPECT_EQ(
      queue.take_message(),
      R"({"streams":[{"stream":{"service_name":"shop"},"values":[["1","a",{}],["3","c",{}]]}],)"
      R"("dropped_entries":[{"labels":{"service_name":"shop"},"timestamp":"2"}]})");
}

TEST(TailQueueTest, LongLabelsOfLinesThatWentAreNotKept) {
  TailQueue queue(false);
  for (int i = 0; i < 100; ++i) {
    queue.push(line(i, std::string(TailQueue::kBytesMax, 'x'), std::string(10'000, 's')));
  }
  EXPECT_EQ(queue.dropped(), 100U);
  EXPECT_LT(queue.take_message().size(), 2 * TailQueue::kNamedBytesMax);
  queue.note_skipped(7);
  EXPECT_THAT(queue.take_message(), HasSubstr("dropped_entries")) << "there is room again";
}

TEST(TailQueueTest, WhatWasPassedOverIsSaidWithoutALine) {
  TailQueue queue(false);
  queue.note_skipped(7);
  EXPECT_EQ(queue.take_message(),
            R"({"streams":[],"dropped_entries":[{"labels":{},"timestamp":"7"}]})");
}

}  // namespace
}  // namespace vigia::router::api::loki
