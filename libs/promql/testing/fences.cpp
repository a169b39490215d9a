// Prints random expressions with what the router would send in their place, for the test that lets
// a real Prometheus evaluate both (tests/integration/test_fence_differential.py).
//
//   vigia-promql-fences CUSTOMER VERSION FEATURES COUNT
//
// A line each: {"asked":…,"sent":…}. The same arguments give the same lines.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libs/base/json_text.hpp"
#include "libs/promql/absent.hpp"
#include "libs/promql/cost.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/info.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/query_times.hpp"
#include "libs/promql/testing/grammar.hpp"

namespace vigia::promql {
namespace {

// Of subqueries: the grammar knows no measure, and the test has a minute for all.
constexpr std::uint64_t kEvaluationsMax = 20'000;

// Of the range query that the test asks.
constexpr Evaluation kTimes{1'609'745'400'000, 1'609'746'000'000};

/// One line, or "" where the expression is none that a store would be sent.
std::string line_of(const std::string& asked, const CustomerId& customer,
                    const Language& language) {
  const auto expr = parse(asked, language);
  if (!expr || subquery_evaluations(**expr, std::chrono::minutes(10)) > kEvaluationsMax) return "";
  if (!fold_query_times(**expr, kTimes, std::chrono::minutes(1))) return "";
  write_info_selectors(**expr);
  hide_fence_in_absent(**expr);
  const auto sent = fenced_text(customer, **expr, language);
  if (!sent) return "";
  return "{\"asked\":" + json_text(asked) + ",\"sent\":" + json_text(*sent) + "}";
}

int run(std::string_view customer_text, std::string_view version, std::string_view features,
        int count) {
  const auto customer = CustomerId::parse(customer_text);
  if (!customer) return EXIT_FAILURE;
  const auto language = language_of(version, features);
  if (!language) return EXIT_FAILURE;
  for (std::uint32_t seed = 0; count > 0; ++seed) {
    const std::string line = line_of(Grammar(seed, *language).expression(), *customer, *language);
    if (line.empty()) continue;
    std::puts(line.c_str());
    --count;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace vigia::promql

int main(int argc, char** argv) {
  if (argc != 5) return EXIT_FAILURE;
  return vigia::promql::run(argv[1], argv[2], argv[3], std::atoi(argv[4]));
}
