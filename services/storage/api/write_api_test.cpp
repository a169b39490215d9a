#include "services/storage/api/write_api.hpp"

#include <optional>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::storage::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(WriteAnswerTest, WhatWasKeptIsTaken) {
  heads::AppendCounts counts;
  counts.stored = 3;
  counts.repeats = 2;
  const auto answer = write_answer(counts, {}, 0);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-samples-written"), "5");
}

TEST(WriteAnswerTest, WhatIsRefusedAndInConflictIsFinal) {
  heads::AppendCounts counts;
  counts.conflicts = 1;
  EXPECT_EQ(write_answer(counts, {}, 0).status, 400);
  EXPECT_THAT(write_answer(counts, {1, "no name", "m{} at 7"}, 0).body,
              AllOf(HasSubstr("1 samples refused, 1 in conflict"), HasSubstr("the first: no name;"),
                    HasSubstr("in conflict: m{} at 7: a stored sample")));
  const auto answer = write_answer({}, {2, "no name"}, 0);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("2 samples refused"));
  EXPECT_THAT(answer.body, HasSubstr("no name"));
}

// It was answered with 400, on which a sender drops what it had acknowledged.
TEST(WriteAnswerTest, AFaultOfOursIsNotFinal) {
  heads::AppendCounts counts;
  counts.stored = 3;
  counts.conflicts = 1;
  counts.set_aside = 2;
  const auto answer = write_answer(counts, {1, "no name"}, 0);
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("2 samples could not be kept"));
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-samples-written"), "3");
}

// It was received and became nothing: the sums stood apart by it for ever.
TEST(RequestBooksTest, ARequestThatIsLetGoIsBookedAsFailed) {
  service::MetricRegistry registry;
  WriteBooks all(registry);
  std::optional<RequestBooks> books(std::in_place, all, 10);
  books->note_refused(Refusal::kInvalid, 2);
  books->note_expired(1);
  std::optional<RequestBooks> handed_on(std::move(*books));
  books.reset();
  const auto failed = [&] {
    return registry.counter("vigia_storage_samples_failed_total", "").value();
  };
  EXPECT_EQ(failed(), 0U);
  handed_on.reset();
  EXPECT_EQ(failed(), 7U);
  RequestBooks(all, 5).note({});
  EXPECT_EQ(failed(), 7U);
}

}  // namespace
}  // namespace vigia::storage::api
