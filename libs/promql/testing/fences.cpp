// Prints random expressions with what the router would send in their place, for the test that lets
// a real Prometheus evaluate both (tests/integration/test_fence_differential.py).
//
//   vigia-promql-fences CUSTOMER 2|3 COUNT
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
#include "libs/promql/parser.hpp"
#include "libs/promql/testing/grammar.hpp"

namespace vigia::promql {
namespace {

// Of subqueries: the grammar knows no measure, and the test has a minute for all.
constexpr std::uint64_t kEvaluationsMax = 20'000;

/// One line, or "" where the expression is none that a store would be sent.
std::string line_of(const std::string& asked, const CustomerId& customer, Dialect dialect) {
  const auto expr = parse(asked, dialect);
  if (!expr || subquery_evaluations(**expr, std::chrono::minutes(10)) > kEvaluationsMax) return "";
  hide_fence_in_absent(**expr);
  const auto sent = fenced_text(customer, **expr, dialect);
  if (!sent) return "";
  return "{\"asked\":" + json_text(asked) + ",\"sent\":" + json_text(*sent) + "}";
}

int run(std::string_view customer_text, std::string_view dialect_text, int count) {
  const auto customer = CustomerId::parse(customer_text);
  if (!customer) return EXIT_FAILURE;
  const Dialect dialect = dialect_text == "2" ? Dialect::kPrometheus2 : Dialect::kPrometheus3;
  for (std::uint32_t seed = 0; count > 0; ++seed) {
    const std::string line = line_of(Grammar(seed, dialect).expression(), *customer, dialect);
    if (line.empty()) continue;
    std::puts(line.c_str());
    --count;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace vigia::promql

int main(int argc, char** argv) {
  if (argc != 4) return EXIT_FAILURE;
  return vigia::promql::run(argv[1], argv[2], std::atoi(argv[3]));
}
