// What this parser says of queries, for the tests that ask Prometheus the same
// (tests/integration/test_promql_parser.py).
//
//   vigia-promql-parsed make VERSION FEATURES COUNT SEED   random queries, every second one mutated
//   vigia-promql-parsed read VERSION FEATURES              of the queries on its standard input
//   vigia-promql-parsed send VERSION FEATURES CUSTOMER     the same, as a store would get them
//
// A query is a line, as a JSON string. `read` prints a line each: {"text":…} as it is printed, or
// {"error":…}.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/json_text.hpp"
#include "libs/promql/absent.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/info.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/query_times.hpp"
#include "libs/promql/testing/grammar.hpp"
#include "libs/promql/text.hpp"

namespace vigia::promql {
namespace {

int make(const Language& language, std::uint32_t count, std::uint32_t seed) {
  for (std::uint32_t i = 0; i < count; ++i) {
    Grammar grammar(seed + i, language);
    std::string text = grammar.expression();
    if (i % 2 == 1) text = grammar.mutated(std::move(text));
    std::cout << json_text(text) << '\n';
  }
  return EXIT_SUCCESS;
}

/// As it is printed; with a customer, as it would be sent of a query at one time.
Result<std::string> text_of(std::string_view query, const Language& language,
                            const std::optional<CustomerId>& customer) {
  auto expr = parse(query, language);
  if (!expr) return forward(expr);
  if (!customer) return print(**expr);
  auto folded = fold_query_times(**expr, {1'609'746'000'000, 1'609'746'000'000}, Duration{0});
  if (!folded) return forward(folded);
  write_info_selectors(**expr);
  hide_fence_in_absent(**expr);
  return fenced_text(*customer, **expr, language);
}

int read(const Language& language, const std::optional<CustomerId>& customer) {
  std::string line;
  while (std::getline(std::cin, line)) {
    // The escapes of JSON that such a line has are PromQL's, too.
    const auto query = unquote(line);
    if (!query) return EXIT_FAILURE;
    const auto text = text_of(*query, language, customer);
    std::cout << (text ? "{\"text\":" + json_text(*text)
                       : "{\"error\":" + json_text(text.error().message))
              << "}\n";
  }
  return EXIT_SUCCESS;
}

int run(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto language = argc > 3 ? language_of(argv[2], argv[3]) : std::nullopt;
  if (!language) return EXIT_FAILURE;
  if (what == "read" && argc == 4) return read(*language, std::nullopt);
  if (what == "send" && argc == 5) {
    const auto customer = CustomerId::parse(argv[4]);
    return customer ? read(*language, *customer) : EXIT_FAILURE;
  }
  if (what != "make" || argc != 6) return EXIT_FAILURE;
  return make(*language, static_cast<std::uint32_t>(std::atoi(argv[4])),
              static_cast<std::uint32_t>(std::atoi(argv[5])));
}

}  // namespace
}  // namespace vigia::promql

int main(int argc, char** argv) { return vigia::promql::run(argc, argv); }
