#include "libs/promql/fence.hpp"

#include <algorithm>
#include <utility>

#include "libs/model/labels.hpp"
#include "libs/promql/info.hpp"
#include "libs/promql/internal/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/visit.hpp"

namespace vigia::promql {
namespace {

Matcher fence_matcher(const CustomerId& customer) {
  return Matcher{MatchType::kEqual, std::string(kCustomerLabel), customer.text()};
}

bool has_matcher(const Selector& selector, const Matcher& wanted) {
  return std::find(selector.matchers.begin(), selector.matchers.end(), wanted) !=
         selector.matchers.end();
}

}  // namespace

void fence(const CustomerId& customer, Selector& selector) {
  Matcher matcher = fence_matcher(customer);
  // Appended whatever the customer wrote on this label: matchers are a conjunction, so another
  // value leaves an empty answer. Nothing of the customer's is taken out or trusted.
  if (!has_matcher(selector, matcher)) selector.matchers.push_back(std::move(matcher));
}

void fence(const CustomerId& customer, Expr& expr) {
  write_info_selectors(expr);  // what it reads unsaid has no place for the matcher
  for_each_selector(expr, [&](Selector& selector) { fence(customer, selector); });
}

bool is_fenced(const CustomerId& customer, const Expr& expr) {
  const Matcher matcher = fence_matcher(customer);
  bool all = are_info_selectors_written(expr);
  for_each_selector(expr,
                    [&](const Selector& selector) { all = all && has_matcher(selector, matcher); });
  return all;
}

Result<std::string> fenced_text(const CustomerId& customer, Expr& expr, const Language& language) {
  auto can_be = check_info_can_be_fenced(expr);
  if (!can_be) return forward(can_be);
  fence(customer, expr);
  // The text is what the store runs, so the text is what is checked: read again by the same rules,
  // every selector in it must carry the matcher, and printing it again must change nothing. A fault
  // in printer or parser then costs a query, never another customer's data.
  std::string text = print(expr);
  auto again = internal::parse_printed(text, language);
  if (!again && again.error().code == ErrorCode::kTooLarge) return forward(again);
  if (!again || !is_fenced(customer, **again) || print(**again) != text) {
    return fail(ErrorCode::kInternal, "the query could not be rewritten safely and was not sent");
  }
  return text;
}

Result<std::string> fenced_text(const CustomerId& customer, Selector selector,
                                const Language& language) {
  Expr expr;
  expr.node = std::move(selector);
  expr.type = ValueType::kVector;
  return fenced_text(customer, expr, language);
}

}  // namespace vigia::promql
