#include "libs/ottl/context.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "libs/ottl/internal/field.hpp"
#include "libs/ottl/parser.hpp"

namespace vigia::ottl {
namespace {

struct Row {
  Context context;
  std::string_view name;
  MessageLevel level;
};

constexpr std::array<Row, 8> kRows{
    {{Context::kResource, "resource", MessageLevel::kResource},
     {Context::kScope, "scope", MessageLevel::kScope},
     {Context::kScope, "instrumentation_scope", MessageLevel::kScope},
     {Context::kSpan, "span", MessageLevel::kSpan},
     {Context::kSpanEvent, "spanevent", MessageLevel::kSpanEvent},
     {Context::kMetric, "metric", MessageLevel::kMetric},
     {Context::kPoint, "datapoint", MessageLevel::kPoint},
     {Context::kLog, "log", MessageLevel::kLog}}};

const Row& row_of(Context context) {
  return *std::find_if(kRows.begin(), kRows.end(),
                       [&](const Row& row) { return row.context == context; });
}

/// Visits the nodes below, keys included.
template <typename Visit>
void for_each_child(const Node& node, Visit&& visit) {
  const auto each = [&](const std::vector<NodePtr>& nodes) {
    for (const NodePtr& child : nodes) visit(*child);
  };
  if (const auto* path = std::get_if<PathNode>(&node.node)) {
    for (const PathStep& step : path->steps) each(step.keys);
  } else if (const auto* call = std::get_if<CallNode>(&node.node)) {
    for (const Argument& argument : call->arguments) visit(*argument.value);
    each(call->keys);
  } else if (const auto* list = std::get_if<ListNode>(&node.node)) {
    each(list->elements);
  } else if (const auto* map = std::get_if<MapNode>(&node.node)) {
    for (const auto& [key, value] : map->entries) visit(*value);
  } else if (const auto* negate = std::get_if<NegateNode>(&node.node)) {
    visit(*negate->operand);
  } else if (const auto* math = std::get_if<MathNode>(&node.node)) {
    visit(*math->left);
    visit(*math->right);
  } else if (const auto* compare = std::get_if<CompareNode>(&node.node)) {
    visit(*compare->left);
    visit(*compare->right);
  } else if (const auto* all = std::get_if<AndNode>(&node.node)) {
    each(all->operands);
  } else if (const auto* any = std::get_if<OrNode>(&node.node)) {
    each(any->operands);
  } else if (const auto* negated = std::get_if<NotNode>(&node.node)) {
    visit(*negated->operand);
  }
}

void collect(const Node& node, std::vector<Context>& contexts, const Node*& unnamed) {
  if (const auto* path = std::get_if<PathNode>(&node.node)) {
    const auto context = context_of(*path);
    if (context) contexts.push_back(*context);
    if (!context && unnamed == nullptr) unnamed = &node;
  }
  for_each_child(node, [&](const Node& child) { collect(child, contexts, unnamed); });
}

}  // namespace

std::string_view name_of(Context context) { return row_of(context).name; }

std::optional<Context> find_context(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.context;
  }
  return std::nullopt;
}

MessageLevel level_of(Context context) { return row_of(context).level; }

bool is_of(Context context, Signal signal) {
  switch (context) {
    case Context::kSpan:
    case Context::kSpanEvent:
      return signal == Signal::kTraces;
    case Context::kMetric:
    case Context::kPoint:
      return signal == Signal::kMetrics;
    case Context::kLog:
      return signal == Signal::kLogs;
    default:
      return true;
  }
}

bool sees(Context context, Context other) {
  if (context == other || other == Context::kResource) return true;
  if (other == Context::kScope) return context != Context::kResource;
  return (context == Context::kSpanEvent && other == Context::kSpan) ||
         (context == Context::kPoint && other == Context::kMetric);
}

std::optional<Context> context_of(const PathNode& path) {
  if (path.steps.size() < 2 || !path.steps.front().keys.empty()) return std::nullopt;
  return find_context(path.steps.front().name);
}

Result<std::vector<Context>> contexts_in(const Node& node, std::string_view text) {
  std::vector<Context> contexts;
  const Node* unnamed = nullptr;
  collect(node, contexts, unnamed);
  if (unnamed == nullptr) return contexts;
  const std::string& name = std::get<PathNode>(unnamed->node).steps.front().name;
  return fail(ErrorCode::kInvalid,
              fmt::format("{}: {} names no context: write what it is of before it, as in log.{} or "
                          "resource.attributes, or set `context`",
                          place_in(text, unnamed->offset), name, name));
}

bool is_enum(std::string_view name) { return internal::enum_value(name).has_value(); }

std::optional<Context> common_context(const std::vector<Context>& contexts, Signal signal) {
  for (const Context candidate : contexts) {
    const bool sees_all = std::all_of(contexts.begin(), contexts.end(),
                                      [&](Context other) { return sees(candidate, other); });
    if (sees_all && is_of(candidate, signal)) return candidate;
  }
  return std::nullopt;
}

}  // namespace vigia::ottl
