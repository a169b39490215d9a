#include "services/router/api/jaeger/trace_api.hpp"

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

}  // namespace
}  // namespace vigia::router::api::jaeger
