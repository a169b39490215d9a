#include "services/router/api/jaeger/trace_api.hpp"

#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace vigia::router::api::jaeger {
namespace {

TEST(TraceId, EverySpellingIsTheSameTrace) {  // C58
  const std::string id = "0e7b69838055876fdf8b7ee0ecfc276a";
  EXPECT_EQ(normal_trace_id(id), id);
  EXPECT_EQ(normal_trace_id("e7b69838055876fdf8b7ee0ecfc276a"), id);
  EXPECT_EQ(normal_trace_id("0E7B69838055876FDF8B7EE0ECFC276A"), id);
  EXPECT_EQ(normal_trace_id("a7890b687652000e"), "0000000000000000a7890b687652000e");
}

TEST(TraceId, AnythingElseIsNone) {
  for (const auto* text : {"", "x", "0", "0e7b69838055876fdf8b7ee0ecfc276a0", "../x", "1g"}) {
    EXPECT_FALSE(normal_trace_id(text).has_value()) << text;
  }
}

net::ClientResponse answered(int status, std::string gaps = "") {
  net::ClientResponse answer;
  answer.status = status;
  if (!gaps.empty()) answer.headers.add("X-Vigia-Incomplete", std::move(gaps));
  return answer;
}

using Said = std::pair<ErrorCode, std::string>;

Said said_of(const Result<net::ClientResponse>& answer,
             const std::optional<coverage::ColdReplacement>& replaced = {}) {
  const Error error = why_no_trace(answer, replaced);
  return {error.code, error.message};
}

TEST(WhyNoTrace, NotFoundIsSaidOfAWholeStoreAlone) {
  EXPECT_EQ(said_of(answered(404)), Said(ErrorCode::kNotFound, "trace not found"));
  const coverage::ColdReplacement replaced{1'000};
  EXPECT_EQ(said_of(answered(404), replaced),
            Said(ErrorCode::kNotFound, "trace not found: " + replaced.text()));
  EXPECT_EQ(said_of(answered(503, "damaged-files")),
            Said(ErrorCode::kUnavailable,
                 "trace not found; cold part may be incomplete: rows of damaged files are still "
                 "being written anew"));
}

TEST(WhyNoTrace, AStoreThatAnswersIsNotCalledAway) {
  EXPECT_EQ(said_of(answered(503)),
            Said(ErrorCode::kUnavailable, "the long-term store cannot say now (it answered 503)"));
  EXPECT_EQ(said_of(tl::unexpected(Error{ErrorCode::kUnavailable, "10.0.0.1: refused"})),
            Said(ErrorCode::kUnavailable, "the long-term store does not answer"));
  EXPECT_EQ(said_of(tl::unexpected(Error{ErrorCode::kOverLimit, "8 questions at once"})),
            Said(ErrorCode::kOverLimit, "8 questions at once"));
}

}  // namespace
}  // namespace vigia::router::api::jaeger
