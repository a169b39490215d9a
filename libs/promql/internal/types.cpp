#include <algorithm>

#include <fmt/format.h>

#include "libs/promql/internal/parser.hpp"

namespace vigia::promql::internal {
namespace {

bool is_comparison(BinaryOperator op) {
  return op >= BinaryOperator::kEqual && op <= BinaryOperator::kLessOrEqual;
}

bool is_set_operator(BinaryOperator op) { return op <= BinaryOperator::kUnless; }

bool is_scalar_or_vector(const Expr& expr) {
  return expr.type == ValueType::kScalar || expr.type == ValueType::kVector;
}

}  // namespace

bool Parser::expect_type(const Expr& expr, ValueType type, std::string_view where) {
  return expr.type == type ||
         fail(expr.offset, fmt::format("expected type {} in {}, got {}", to_string(type), where,
                                       to_string(expr.type)));
}

// The same checks in the same order as Prometheus' parser, so that a query with two faults is
// refused for the same one here and there. Before the fence is added: a matcher in a tree that no
// store would take proves nothing.
bool Parser::check_binary(const Binary& binary, std::size_t offset) {
  const bool both_scalars =
      binary.left->type == ValueType::kScalar && binary.right->type == ValueType::kScalar;
  const bool both_vectors =
      binary.left->type == ValueType::kVector && binary.right->type == ValueType::kVector;
  if (binary.returns_bool && !is_comparison(binary.op)) {
    return fail(offset, "bool modifier can only be used on comparison operators");
  }
  if (is_comparison(binary.op) && both_scalars && !binary.returns_bool) {
    return fail(offset, "comparisons between scalars must use BOOL modifier");
  }
  for (const Expr* side : {binary.left.get(), binary.right.get()}) {
    if (!is_scalar_or_vector(*side)) {
      return fail(side->offset,
                  "binary expression must contain only scalar and instant vector types");
    }
  }
  const VectorMatching& matching = binary.matching;
  if (matching.scope == VectorMatching::WhichLabels::kOn) {
    for (const std::string& label : matching.include) {
      if (std::find(matching.labels.begin(), matching.labels.end(), label) !=
          matching.labels.end()) {
        return fail(
            offset,
            fmt::format("label \"{}\" must not occur in ON and GROUP clause at once", label));
      }
    }
  }
  if (!both_vectors && !matching.labels.empty()) {
    return fail(offset, "vector matching only allowed between instant vectors");
  }
  if (!both_vectors && matching.is_filled()) {
    return fail(offset, "filling in missing series only allowed between instant vectors");
  }
  return !is_set_operator(binary.op) || check_set_operator(binary, offset);
}

bool Parser::check_set_operator(const Binary& binary, std::size_t offset) {
  if (binary.left->type == ValueType::kScalar || binary.right->type == ValueType::kScalar) {
    return fail(offset, "set operator not allowed in binary scalar expression");
  }
  if (binary.matching.group != VectorMatching::Group::kNone) {
    return fail(offset, "no grouping allowed for a set operation");
  }
  return !binary.matching.is_filled() ||
         fail(offset, "filling in missing series not allowed for set operators");
}

bool Parser::check_call(const Call& call, std::size_t offset) {
  const Function& function = *call.function;
  const std::size_t named = function.arguments.size();
  const std::size_t given = call.arguments.size();
  // As Prometheus counts: with variadic arguments the last named one may be missing, and may come
  // `variadic` times; -1 means as often as one likes.
  const std::size_t least = function.variadic == 0 ? named : named - 1;
  if (given < least) {
    return fail(offset, fmt::format("expected {} {} argument(s) in call to \"{}\", got {}",
                                    function.variadic == 0 ? "exactly" : "at least", least,
                                    function.name, given));
  }
  const bool is_bounded = function.variadic >= 0;
  const std::size_t most = is_bounded ? least + static_cast<std::size_t>(function.variadic) : given;
  if (given > std::max(most, least)) {
    return fail(offset, fmt::format("expected at most {} argument(s) in call to \"{}\", got {}",
                                    std::max(most, least), function.name, given));
  }
  const std::string where = fmt::format("call to function \"{}\"", function.name);
  for (std::size_t i = 0; i < given; ++i) {
    const ValueType wanted = function.arguments[std::min(i, named - 1)];
    if (!expect_type(*call.arguments[i], wanted, where)) return false;
  }
  if (function.name == "info" && !check_info(call)) return false;
  // The only function whose argument is compiled as a regex at the store.
  if (function.name != "label_replace" || are_regexes_known_) return true;
  const Expr& last = *call.arguments.back();
  const auto* regex = std::get_if<StringLiteral>(&last.node);
  return regex == nullptr || takes_empty_text(regex->value, last.offset, where);
}

/// Its second argument is no expression: it says which labels are added.
bool Parser::check_info(const Call& call) {
  if (call.arguments.size() < 2) return true;
  const Expr& labels = *call.arguments[1];
  const auto* selector = std::get_if<Selector>(&labels.node);
  if (selector == nullptr) return fail(labels.offset, "expected label selectors only");
  return selector->name.empty() || selector->name_in_braces ||
         fail(labels.offset, "expected label selectors only, got vector selector instead");
}

bool Parser::check_aggregation(const Aggregation& aggregation, std::size_t /*offset*/) {
  if (!expect_type(*aggregation.expr, ValueType::kVector, "aggregation expression")) return false;
  const auto wanted = parameter_type(aggregation.op);
  return !wanted || expect_type(*aggregation.parameter, *wanted, "aggregation parameter");
}

}  // namespace vigia::promql::internal
