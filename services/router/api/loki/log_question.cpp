#include "services/router/api/loki/log_question.hpp"

#include <utility>
#include <variant>

#include "libs/logql/fence.hpp"
#include "libs/logql/parser.hpp"
#include "libs/model/labels.hpp"
#include "services/router/api/loki/page_ask.hpp"

namespace vigia::router::api::loki {
namespace {

using logql::LogSelector;

/// The one customer that a selector can be about.
const std::string* named_in(const LogSelector& selector) {
  for (const Matcher& matcher : selector.matchers) {
    if (matcher.name == kCustomerLabel && matcher.type == MatchType::kEqual) return &matcher.value;
  }
  return nullptr;
}

/// Of an expression that gives lines, in whatever parentheses.
LogSelector& selector_of(logql::LogExpr& expr) {
  logql::LogExpr* inner = &expr;
  while (auto* grouped = std::get_if<logql::GroupedExpr>(&inner->node)) {
    inner = grouped->expr.get();
  }
  return std::get<LogSelector>(inner->node);
}

Error nobody_named() {
  return {ErrorCode::kInvalid,
          "logs are read of one customer at a time: name it with the header X-Vigia-Customer, or "
          "with customer_id=\"ID\" in every selector"};
}

Result<std::optional<std::string>> read_cursor(const request::Parameters& parameters) {
  auto cursor = parameters.single("cursor");
  if (!cursor || !*cursor) return cursor;
  if ((*cursor)->find_first_not_of("0123456789abcdef") == std::string::npos) return cursor;
  return fail(ErrorCode::kInvalid, "invalid parameter \"cursor\": it is none of an answer's");
}

}  // namespace

Result<CustomerId> customer_of(const access::Caller& caller,
                               const std::vector<const LogSelector*>& selectors) {
  if (caller.customer) return *caller.customer;
  const std::string* name = nullptr;
  for (const LogSelector* selector : selectors) {
    const std::string* found = named_in(*selector);
    if (found == nullptr || (name != nullptr && *name != *found)) {
      return tl::unexpected<Error>(nobody_named());
    }
    name = found;
  }
  if (name == nullptr) return tl::unexpected<Error>(nobody_named());
  return CustomerId::parse(*name);
}

Error as_bad_query(Error error) {
  if (error.code == ErrorCode::kTooLarge) error.code = ErrorCode::kInvalid;
  return error;
}

Result<ReadQuery> read_query(const access::Caller& caller, const request::Parameters& parameters) {
  const auto text = parameters.single("query");
  if (!text) return forward(text);
  auto expr = logql::parse_logs(text->value_or(""));
  if (!expr) return tl::unexpected<Error>(as_bad_query(std::move(expr.error())));
  std::vector<const LogSelector*> selectors;
  logql::for_each_logs(std::as_const(**expr),
                       [&](const LogSelector& each) { selectors.push_back(&each); });
  ReadQuery query{caller.payer(), std::nullopt, std::move(*expr), caller.limits};
  if (selectors.empty()) return query;
  auto customer = customer_of(caller, selectors);
  if (!customer) return forward(customer);
  // The tree is what is run; that it survives its own text is looked at all the same.
  auto fenced = logql::fenced_text(*customer, *query.expr);
  if (!fenced) return tl::unexpected<Error>(as_bad_query(std::move(fenced.error())));
  query.customer = std::move(*customer);
  return query;
}

Result<LogQuestion> read_question(ReadQuery query, const request::Parameters& parameters,
                                  TimestampMs now_ms) {
  LogSelector& selector = selector_of(*query.expr);
  std::string lines = pushed_filters(selector);
  auto stages = LineStages::compile(selector);
  if (!stages) return tl::unexpected<Error>(as_bad_query(std::move(stages.error())));
  auto streams = stream_query_of(selector.matchers);
  if (!streams) return forward(streams);
  const auto range =
      read_range(parameters, now_ms, query.limits.range_at_most(std::chrono::hours(1)));
  if (!range) return forward(range);
  if (auto may = check_range(query.limits, *range); !may) return forward(may);
  const auto wish = read_wish(parameters);
  if (!wish) return forward(wish);
  auto cursor = read_cursor(parameters);
  if (!cursor) return forward(cursor);
  return LogQuestion{
      std::move(query.payer), std::move(*query.customer), query.limits, std::move(*streams),
      std::move(lines),       std::move(*stages),         *range,       *wish,
      std::move(*cursor)};
}

}  // namespace vigia::router::api::loki
