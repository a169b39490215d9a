#include "libs/promql/printer.hpp"

#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "libs/promql/text.hpp"

namespace vigia::promql {
namespace {

// In the order of BinaryOperator.
constexpr std::array<std::string_view, 16> kOperators{
    "or", "and", "unless", "==", "!=", ">", ">=", "<", "<=", "+", "-", "*", "/", "%", "atan2", "^"};

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
    if (is_in_braces || !selector.matchers.empty()) {
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
      length(*selector.range);
      out_ += ']';
    }
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
    length(subquery.range);
    out_ += ':';
    if (subquery.step) length(*subquery.step);
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
    out_ += ' ';
    expr(*binary.right);
  }

 private:
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
