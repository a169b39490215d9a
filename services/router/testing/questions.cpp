#include "services/router/testing/questions.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "libs/net/form.hpp"

namespace vigia::router::testing {

request::Parameters parameters_of(const request::Form& form) {
  net::Request request;
  request.method = "GET";
  request.query = net::encode_form(form);
  auto parameters = request::Parameters::read(request);
  CHECK(parameters.has_value());
  return std::move(*parameters);
}

access::Caller acme() {
  access::Caller caller;
  caller.customer = *CustomerId::parse("acme");
  caller.hot_shard = "hot-0";
  return caller;
}

plan::ReadingRules rules_of(promql::Dialect dialect) {
  return {dialect, kNowMs, std::chrono::minutes(2)};
}

plan::Question instant(const std::string& query) {
  auto question = plan::read_instant(acme(), parameters_of({{"query", query}}), rules_of());
  CHECK(question.has_value());
  return std::move(*question);
}

plan::Question range_of(const std::string& query, std::int64_t steps) {
  const std::int64_t end = kNowMs / 1'000;
  auto question = plan::read_range(acme(),
                                   parameters_of({{"query", query},
                                                  {"start", std::to_string(end - steps + 1)},
                                                  {"end", std::to_string(end)},
                                                  {"step", "1"}}),
                                   rules_of());
  CHECK(question.has_value());
  return std::move(*question);
}

}  // namespace vigia::router::testing
