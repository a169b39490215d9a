#include "services/router/plan/look_up.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/fence.hpp"
#include "libs/promql/printer.hpp"
#include "services/router/plan/cold_form.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::plan {
namespace {

/// Nothing for a selector means all series that the caller may see.
Result<void> add_selector(const access::Caller& caller, const promql::Language& language,
                          std::optional<promql::Selector> selector, LookUp& look_up) {
  if (selector) {
    // storage takes matchers, not selectors: "next" divides what belongs to one match[] from the
    // next.
    if (!look_up.cold_form.empty()) look_up.cold_form.emplace_back("next", "1");
    if (!append_matchers(*selector, look_up.cold_form)) {
      return fail(ErrorCode::kInvalid,
                  "invalid parameter \"match[]\": label names with = or ! cannot be asked for");
    }
  }
  // Hot knows no customers, so the customer's matcher goes into each selector, and where there is
  // none, one is made of it alone. Storage is told by a header instead.
  if (caller.customer) {
    auto fenced =
        promql::fenced_text(*caller.customer, selector.value_or(promql::Selector{}), language);
    if (!fenced) return forward(fenced);
    look_up.hot_form.emplace_back("match[]", std::move(*fenced));
  } else if (selector) {
    look_up.hot_form.emplace_back("match[]", promql::print(*selector));
  }
  return {};
}

Result<void> add_selectors(const access::Caller& caller, const request::Parameters& parameters,
                           const promql::Language& language, LookUp& look_up) {
  auto selectors = read_selectors(parameters, language);
  if (!selectors) return forward(selectors);
  const bool is_all = selectors->empty();
  for (promql::Selector& selector : *selectors) {
    auto added = add_selector(caller, language, std::move(selector), look_up);
    if (!added) return added;
  }
  // Without a selector hot would answer with every customer's labels.
  return is_all ? add_selector(caller, language, std::nullopt, look_up) : Result<void>();
}

Result<void> add_limit(const request::Parameters& parameters, LookUp& look_up) {
  auto limit = parameters.single("limit");
  if (!limit) return forward(limit);
  if (!*limit) return {};
  const std::string& text = **limit;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, look_up.limit);
  if (failure != std::errc{} || stop != end) {
    return fail(ErrorCode::kInvalid, "invalid parameter \"limit\": must be a number from 0 on");
  }
  look_up.hot_form.emplace_back("limit", text);
  look_up.cold_form.emplace_back("limit", text);
  return {};
}

Result<void> add_times(const access::Caller& caller, const request::Parameters& parameters,
                       TimestampMs now_ms, LookUp& look_up) {
  const auto start = parameters.time("start");
  if (!start) return forward(start);
  const auto end = parameters.time("end");
  if (!end) return forward(end);
  const auto first = first_looked_at(caller.limits, *start, *end, now_ms);
  if (!first) return forward(first);
  look_up.start_ms = *first;
  look_up.is_cut_off = *first && !*start;
  for (const auto& [name, time] : {std::pair("start", *first), std::pair("end", *end)}) {
    if (!time) continue;
    look_up.hot_form.emplace_back(name, request::format_seconds(*time));
    look_up.cold_form.emplace_back(name, request::format_seconds(cold_time(*time)));
  }
  return {};
}

}  // namespace

Result<std::optional<TimestampMs>> first_looked_at(const access::QueryLimits& limits,
                                                   std::optional<TimestampMs> start_ms,
                                                   std::optional<TimestampMs> end_ms,
                                                   TimestampMs now_ms) {
  const TimestampMs until_ms = end_ms.value_or(now_ms);
  if (!start_ms) return limits.first_of(until_ms);
  if (auto may = limits.check_range(*start_ms, until_ms); !may) return forward(may);
  return start_ms;
}

std::string cut_off_warning(TimestampMs start_ms) {
  return fmt::format(
      "this is of the time since {} alone, as far back as {} lets one query look: name start and "
      "end for an earlier time",
      request::format_time(start_ms), access::name_of(access::QueryLimit::kRange));
}

Result<LookUp> read_look_up(const access::Caller& caller, const request::Parameters& parameters,
                            const promql::Language& language, TimestampMs now_ms) {
  LookUp look_up;
  auto added = add_selectors(caller, parameters, language, look_up);
  if (!added) return forward(added);
  auto timed = add_times(caller, parameters, now_ms, look_up);
  if (!timed) return forward(timed);
  auto limited = add_limit(parameters, look_up);
  if (!limited) return forward(limited);
  return look_up;
}

}  // namespace vigia::router::plan
