// Queries as the plan knows them, for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "services/router/plan/question.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::testing {

/// As they come in a URL: "query", "up", …
request::Parameters parameters_of(const request::Form& form);

inline constexpr TimestampMs kNowMs = 1'800'000'000'000;

/// Of customer acme.
access::Caller acme();
plan::ReadingRules rules_of(promql::Dialect dialect = promql::Dialect::kPrometheus3);

/// An instant query of acme's at kNowMs; "up" touches the five minutes before. Ends the test
/// program where it cannot be read.
plan::Question instant(const std::string& query);
/// A range query of so many steps of a second that ends then.
plan::Question range_of(const std::string& query, std::int64_t steps);

}  // namespace vigia::router::testing
