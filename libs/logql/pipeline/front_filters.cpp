#include "libs/logql/pipeline/front_filters.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/logql/parser.hpp"
#include "libs/logql/printer.hpp"

namespace vigia::logql::pipeline {
namespace {

// Filters alone are no expression.
constexpr std::string_view kAnyStreams = R"({a="b"})";

Result<LogExprPtr> parse_behind_selector(std::string_view text) {
  auto expr = parse_logs(std::string(kAnyStreams).append(" ").append(text));
  if (!expr) return expr;
  const auto* selector = std::get_if<LogSelector>(&(*expr)->node);
  if (selector != nullptr && count_front_filters(*selector) == selector->stages.size()) return expr;
  return fail(ErrorCode::kInvalid, "only line filters are taken: |= != |~ !~ |> !>");
}

}  // namespace

std::size_t count_front_filters(const LogSelector& selector) {
  const auto first = std::find_if_not(
      selector.stages.begin(), selector.stages.end(),
      [](const Stage& stage) { return std::holds_alternative<LineFilter>(stage); });
  return static_cast<std::size_t>(first - selector.stages.begin());
}

std::string text_of_front_filters(const LogSelector& selector) {
  LogSelector front;
  const std::size_t count = count_front_filters(selector);
  for (std::size_t i = 0; i < count; ++i) {
    front.stages.emplace_back(std::get<LineFilter>(selector.stages[i]));
  }
  if (count == 0) return {};
  const std::string behind_none = print(LogSelector());
  return print(front).substr(behind_none.size() + 1);
}

Result<FrontFilters> FrontFilters::parse(std::string_view text) {
  const auto expr = parse_behind_selector(text);
  if (!expr) return forward(expr);
  FrontFilters made;
  RegexMemory memory;
  for (const Stage& stage : std::get<LogSelector>((*expr)->node).stages) {
    auto filter = CompiledLineFilter::compile(std::get<LineFilter>(stage), memory);
    if (!filter) return forward(filter);
    made.filters_.push_back(std::move(*filter));
  }
  return made;
}

std::optional<bool> FrontFilters::judge(std::string_view line) const {
  LineWork work;
  const bool passes =
      std::all_of(filters_.begin(), filters_.end(),
                  [&](const CompiledLineFilter& filter) { return filter.passes(line, work); });
  if (work.take_refusal()) return std::nullopt;
  return passes;
}

}  // namespace vigia::logql::pipeline
