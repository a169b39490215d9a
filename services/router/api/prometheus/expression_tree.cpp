#include "services/router/api/prometheus/expression_tree.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "libs/json/writer.hpp"
#include "libs/model/labels.hpp"
#include "libs/promql/printer.hpp"

namespace vigia::router::api::prometheus {
namespace {

using promql::BinaryOperator;
using promql::Expr;
using promql::ValueType;
using promql::VectorMatching;

std::string_view type_name(ValueType type) {
  switch (type) {
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kVector:
      return "vector";
    case ValueType::kMatrix:
      return "matrix";
    case ValueType::kString:
      return "string";
  }
  return "none";
}

/// Never with an exponent, as Go writes 'f'.
std::string plain_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 1'100> text{};  // the smallest has 1,074 digits behind the point at the most
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
  return {text.data(), end};
}

std::int64_t milliseconds(Duration duration) { return duration.count() / 1'000'000; }

/// Prometheus reads a sign before a number as the number's own.
std::optional<double> signed_number(const Expr& expr) {
  if (const auto* number = std::get_if<promql::NumberLiteral>(&expr.node)) return number->value;
  const auto* unary = std::get_if<promql::Unary>(&expr.node);
  if (unary == nullptr) return std::nullopt;
  const auto value = signed_number(*unary->operand);
  return value && unary->is_negative ? std::optional(-*value) : value;
}

bool is_set_operator(BinaryOperator op) {
  return op == BinaryOperator::kAnd || op == BinaryOperator::kOr || op == BinaryOperator::kUnless;
}

std::string_view cardinality(const promql::Binary& binary) {
  if (is_set_operator(binary.op)) return "many-to-many";
  switch (binary.matching.group) {
    case VectorMatching::Group::kNone:
      return "one-to-one";
    case VectorMatching::Group::kLeft:
      return "many-to-one";
    case VectorMatching::Group::kRight:
      return "one-to-many";
  }
  return "one-to-one";
}

class TreeWriter {
 public:
  std::string take() { return out_.take(); }

  void expr(const Expr& expr) {
    if (const auto number = signed_number(expr)) return literal(plain_number(*number));
    std::visit([this](const auto& node) { write(node); }, expr.node);
  }

 private:
  void literal(std::string_view value) { begin("numberLiteral").member("val", value).end_object(); }
  void write(const promql::NumberLiteral& number) { literal(plain_number(number.value)); }
  void write(const promql::StringLiteral& text) {
    begin("stringLiteral").member("val", text.value).end_object();
  }
  void write(const promql::Selector& selector) {
    begin(selector.range ? "matrixSelector" : "vectorSelector").member("name", selector.name);
    if (selector.range) out_.member("range", milliseconds(*selector.range));
    shift(selector.shift);
    out_.key("matchers").begin_array();
    if (selector.name_in_braces) matcher(kNameLabel, "=", selector.name);
    for (const Matcher& each : selector.matchers) {
      matcher(each.name, operator_of(each.type), each.value);
    }
    const bool is_before_braces = !selector.name.empty() && !selector.name_in_braces;
    if (is_before_braces) matcher(kNameLabel, "=", selector.name);
    out_.end_array().end_object();
  }
  void write(const promql::Subquery& subquery) {
    begin("subquery").member("range", milliseconds(subquery.range));
    out_.member("step", milliseconds(subquery.step.value_or(Duration{0})));
    shift(subquery.shift);
    child("expr", *subquery.expr);
    out_.end_object();
  }
  void write(const promql::Call& call) {
    const promql::Function& function = *call.function;
    begin("call").key("func").begin_object().member("name", function.name);
    out_.key("argTypes").begin_array();
    for (const ValueType type : function.arguments) out_.string(type_name(type));
    out_.end_array().member("variadic", std::int64_t{function.variadic});
    out_.member("returnType", type_name(function.result)).end_object();
    out_.key("args").begin_array();
    for (const promql::ExprPtr& argument : call.arguments) expr(*argument);
    out_.end_array().end_object();
  }
  void write(const promql::Aggregation& aggregation) {
    begin("aggregation").member("op", to_string(aggregation.op));
    child("expr", *aggregation.expr);
    if (aggregation.parameter) {
      child("param", *aggregation.parameter);
    } else {
      out_.key("param").null();
    }
    names("grouping", aggregation.labels);
    const bool is_without = aggregation.grouping == promql::Aggregation::Grouping::kWithout;
    out_.member_bool("without", is_without).end_object();
  }
  void write(const promql::Binary& binary) {
    begin("binaryExpr").member("op", to_string(binary.op));
    child("lhs", *binary.left);
    child("rhs", *binary.right);
    const bool are_vectors =
        binary.left->type == ValueType::kVector && binary.right->type == ValueType::kVector;
    if (are_vectors) {
      matching(binary);
    } else {
      out_.key("matching").null();
    }
    out_.member_bool("bool", binary.returns_bool).end_object();
  }
  void write(const promql::Unary& unary) {
    begin("unaryExpr").member("op", unary.is_negative ? "-" : "+");
    child("expr", *unary.operand);
    out_.end_object();
  }
  void write(const promql::Paren& paren) {
    begin("parenExpr");
    child("expr", *paren.expr);
    out_.end_object();
  }

  void matching(const promql::Binary& binary) {
    out_.key("matching").begin_object().member("card", cardinality(binary));
    names("labels", binary.matching.labels);
    out_.member_bool("on", binary.matching.scope == VectorMatching::WhichLabels::kOn);
    names("include", binary.matching.include);
    out_.end_object();
  }
  void matcher(std::string_view name, std::string_view type, std::string_view value) {
    out_.begin_object().member("name", name).member("value", value).member("type", type);
    out_.end_object();
  }
  void shift(const promql::TimeShift& shift) {
    using At = promql::TimeShift::At;
    out_.member("offset", milliseconds(shift.offset)).key("timestamp");
    shift.at == At::kTimestamp ? out_.integer(shift.timestamp_ms) : out_.null();
    out_.key("startOrEnd");
    const bool is_named = shift.at == At::kStart || shift.at == At::kEnd;
    is_named ? out_.string(shift.at == At::kStart ? "start" : "end") : out_.null();
  }
  void names(std::string_view key, const std::vector<std::string>& names) {
    out_.key(key).begin_array();
    for (const std::string& name : names) out_.string(name);
    out_.end_array();
  }
  void child(std::string_view key, const Expr& expression) {
    out_.key(key);
    expr(expression);
  }
  vigia::json::JsonWriter& begin(std::string_view type) {
    return out_.begin_object().member("type", type);
  }

  vigia::json::JsonWriter out_;
};

}  // namespace

std::string expression_tree(const Expr& expr) {
  TreeWriter writer;
  writer.expr(expr);
  return writer.take();
}

}  // namespace vigia::router::api::prometheus
