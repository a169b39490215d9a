#include "libs/promql/printer.hpp"

#include <array>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "libs/promql/text.hpp"

namespace vigia::promql {
namespace {

// In the order of BinaryOperator.
constexpr std::array<std::string_view, 18> kOperators{"or", "and", "unless", "==", "!=", ">",
                                                      ">=", "<",   "<=",     "+",  "-",  "*",
                                                      "/",  "%",   "atan2",  "^",  "</", ">/"};

std::string_view sign_of(LengthExpr::Op op) {
  switch (op) {
    case LengthExpr::Op::kAdd:
      return " + ";
    case LengthExpr::Op::kSubtract:
      return " - ";
    case LengthExpr::Op::kMultiply:
      return " * ";
    case LengthExpr::Op::kDivide:
      return " / ";
    case LengthExpr::Op::kModulo:
      return " % ";
    default:
      return " ^ ";
  }
}

class Printer {
 public:
  std::string take() { return std::move(out_); }

  void expr(const Expr& expr) {
    std::visit([this](const auto& node) { print(node); }, expr.node);
  }

  void print(const NumberLiteral& number) {
    if (number.length) {
      length(*number.length);
    } else {
      out_ += format_number(number.value);
    }
  }
  void print(const StringLiteral& text) { append_quoted(out_, text.value); }

  // Kept as the customer wrote them, so that no printer has to know precedences: what was a tree
  // without parentheses reads back as the same tree.
  void print(const Paren& paren) {
    out_ += '(';
    expr(*paren.expr);
    out_ += ')';
  }

  void print(const Unary& unary) {
    out_ += unary.is_negative ? '-' : '+';
    expr(*unary.operand);
  }

  void print(const Selector& selector) {
    const bool is_in_braces = selector.name_in_braces;
    if (!is_in_braces) out_ += selector.name;
    // Nothing at all is what info() may be told.
    if (is_in_braces || !selector.matchers.empty() || selector.name.empty()) {
      out_ += '{';
      if (is_in_braces) append_quoted(out_, selector.name);
      for (std::size_t i = 0; i < selector.matchers.size(); ++i) {
        if (i > 0 || is_in_braces) out_ += ',';
        print(selector.matchers[i]);
      }
      out_ += '}';
    }
    if (selector.range) {
      out_ += '[';
      length(*selector.range, selector.range_expr);
      out_ += ']';
    }
    if (selector.extension == Selector::Extension::kAnchored) out_ += " anchored";
    if (selector.extension == Selector::Extension::kSmoothed) out_ += " smoothed";
    print(selector.shift);
  }

  void print(const Matcher& matcher) {
    if (is_label_name(matcher.name)) {
      out_ += matcher.name;
    } else {
      append_quoted(out_, matcher.name);
    }
    out_ += operator_of(matcher.type);
    append_quoted(out_, matcher.value);
  }

  void print(const Subquery& subquery) {
    expr(*subquery.expr);
    out_ += '[';
    length(subquery.range, subquery.range_expr);
    out_ += ':';
    if (subquery.step) length(*subquery.step, subquery.step_expr);
    out_ += ']';
    print(subquery.shift);
  }

  void print(const Call& call) {
    out_ += call.function->name;
    out_ += '(';
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      if (i > 0) out_ += ", ";
      expr(*call.arguments[i]);
    }
    out_ += ')';
  }

  void print(const Aggregation& aggregation) {
    out_ += to_string(aggregation.op);
    // Always before the arguments, wherever it was written: fenced_text compares printed texts, so
    // there must be one way to print each tree.
    if (aggregation.grouping != Aggregation::Grouping::kNone) {
      out_ += aggregation.grouping == Aggregation::Grouping::kBy ? " by " : " without ";
      labels(aggregation.labels);
      out_ += ' ';
    }
    out_ += '(';
    if (aggregation.parameter) {
      expr(*aggregation.parameter);
      out_ += ", ";
    }
    expr(*aggregation.expr);
    out_ += ')';
  }

  void print(const Binary& binary) {
    expr(*binary.left);
    out_ += ' ';
    out_ += to_string(binary.op);
    if (binary.returns_bool) out_ += " bool";
    if (binary.matching.scope != VectorMatching::WhichLabels::kAll) {
      out_ += binary.matching.scope == VectorMatching::WhichLabels::kOn ? " on " : " ignoring ";
      labels(binary.matching.labels);
    }
    if (binary.matching.group != VectorMatching::Group::kNone) {
      const bool is_left = binary.matching.group == VectorMatching::Group::kLeft;
      out_ += is_left ? " group_left " : " group_right ";
      labels(binary.matching.include);  // even when empty: "(" of the right side must not follow
    }
    fills(binary.matching);
    out_ += ' ';
    expr(*binary.right);
  }

 private:
  void fills(const VectorMatching& matching) {
    const auto fill = [this](std::string_view word, double value) {
      out_ += word;
      signed_number(value);
      out_ += ')';
    };
    const bool are_alike = matching.fill_left && matching.fill_right &&
                           (*matching.fill_left == *matching.fill_right ||
                            (std::isnan(*matching.fill_left) && std::isnan(*matching.fill_right)));
    if (are_alike) return fill(" fill (", *matching.fill_left);
    if (matching.fill_left) fill(" fill_left (", *matching.fill_left);
    if (matching.fill_right) fill(" fill_right (", *matching.fill_right);
  }

  void signed_number(double value) {
    if (std::signbit(value) && !std::isnan(value)) out_ += '-';
    out_ += format_number(std::isnan(value) ? value : std::abs(value));
  }

  void print(const TimeShift& shift) {
    if (shift.at == TimeShift::At::kStart) out_ += " @ start()";
    if (shift.at == TimeShift::At::kEnd) out_ += " @ end()";
    if (shift.at == TimeShift::At::kTimestamp) {
      // Milliseconds as a fraction by whole numbers: a double would lose them for large times.
      const std::int64_t ms = std::abs(shift.timestamp_ms);
      fmt::format_to(std::back_inserter(out_), " @ {}{}.{:03}", shift.timestamp_ms < 0 ? "-" : "",
                     ms / 1'000, ms % 1'000);
    }
    if (!shift.has_offset) return;
    out_ += " offset ";
    if (shift.offset_expr) return offset(*shift.offset_expr);
    if (shift.offset.count() < 0) out_ += '-';
    length(Duration{std::abs(shift.offset.count())});
  }

  void length(Duration duration) {
    constexpr std::int64_t kMillisecond = 1'000'000;
    if (duration.count() % kMillisecond == 0) {
      out_ += format_duration(duration);
    } else {  // finer than any unit: only 3.x reads it, as seconds, and only 3.x prints it
      fmt::format_to(std::back_inserter(out_), "{}", static_cast<double>(duration.count()) / 1e9);
    }
  }

  /// Behind `offset` a sum without parentheses would end with its first number, and one in
  /// parentheses without a sign would go on with what stands behind it.
  void offset(const LengthExpr& expr) {
    const LengthExpr& inner = expr.op == LengthExpr::Op::kNegate ? *expr.right : expr;
    if (ends_by_itself(inner.op) || (&inner != &expr && inner.op == LengthExpr::Op::kParen)) {
      return print(expr);
    }
    out_ += "+(";
    print(expr.op == LengthExpr::Op::kParen ? *expr.right : expr);
    out_ += ')';
  }

  static bool ends_by_itself(LengthExpr::Op op) {
    switch (op) {
      case LengthExpr::Op::kLiteral:
      case LengthExpr::Op::kStep:
      case LengthExpr::Op::kRange:
      case LengthExpr::Op::kMin:
      case LengthExpr::Op::kMax:
        return true;
      default:
        return false;
    }
  }

  void length(Duration duration, const LengthExprPtr& expr) {
    expr ? print(*expr) : length(duration);
  }

  void print(const LengthExpr& expr) {
    switch (expr.op) {
      case LengthExpr::Op::kLiteral:
        return literal(expr);
      case LengthExpr::Op::kStep:
        out_ += "step()";
        return;
      case LengthExpr::Op::kRange:
        out_ += "range()";
        return;
      case LengthExpr::Op::kMin:
        return extreme(expr.is_old_word ? "min(" : "min_of(", expr);
      case LengthExpr::Op::kMax:
        return extreme(expr.is_old_word ? "max(" : "max_of(", expr);
      case LengthExpr::Op::kNegate:
        out_ += '-';
        return print(*expr.right);
      case LengthExpr::Op::kParen:
        out_ += '(';
        print(*expr.right);
        out_ += ')';
        return;
      default:
        print(*expr.left);
        out_ += sign_of(expr.op);
        print(*expr.right);
    }
  }

  void literal(const LengthExpr& expr) {
    if (!expr.is_duration) return signed_number(expr.seconds);
    if (expr.seconds < 0) out_ += '-';
    length(std::chrono::milliseconds(std::llround(std::abs(expr.seconds) * 1e3)));
  }

  void extreme(std::string_view word, const LengthExpr& expr) {
    out_ += word;
    print(*expr.left);
    out_ += ", ";
    print(*expr.right);
    out_ += ')';
  }

  void labels(const std::vector<std::string>& names) {
    out_ += '(';
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) out_ += ", ";
      const std::string& name = names[i];
      // Unquoted the lexer would read a number.
      const bool is_number = equal_ignoring_case(name, "inf") || equal_ignoring_case(name, "nan");
      if (is_label_name(name) && !is_number) {
        out_ += name;
      } else {
        append_quoted(out_, name);
      }
    }
    out_ += ')';
  }

  std::string out_;
};

}  // namespace

std::string_view to_string(BinaryOperator op) { return kOperators[static_cast<std::size_t>(op)]; }

std::string print(const Expr& expr) {
  Printer printer;
  printer.expr(expr);
  return printer.take();
}

std::string print(const Selector& selector) {
  Printer printer;
  printer.print(selector);
  return printer.take();
}

}  // namespace vigia::promql
