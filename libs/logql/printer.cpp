#include "libs/logql/printer.hpp"

#include <array>
#include <cmath>
#include <type_traits>

#include <fmt/format.h>

#include "libs/logql/operators.hpp"
#include "libs/logql/quantities.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql {
namespace {

using promql::append_quoted;
using promql::VectorMatching;
using Grouping = promql::Aggregation::Grouping;

// In the order of promql::BinaryOperator; LogQL has no atan2.
constexpr std::array<std::string_view, 16> kOperatorNames{
    "or", "and", "unless", "==", "!=", ">", ">=", "<", "<=", "+", "-", "*", "/", "%", "", "^"};

class LogPrinter {
 public:
  std::string take() { return std::move(out_); }

  void expr(const LogExpr& expr) {
    std::visit([this](const auto& node) { print(node); }, expr.node);
  }

  void print(const LogSelector& selector) {
    out_ += '{';
    for (std::size_t i = 0; i < selector.matchers.size(); ++i) {
      if (i > 0) out_ += ',';
      print(selector.matchers[i]);
    }
    out_ += '}';
    for (const Stage& stage : selector.stages) {
      out_ += ' ';
      std::visit([this](const auto& one) { print(one); }, stage);
    }
  }

 private:
  // Expressions.

  void print(const RangeAggregation& made) {
    out_ += to_string(made.op);
    out_ += '(';
    if (made.parameter) {
      number(*made.parameter);
      out_ += ", ";
    }
    print(made.logs);
    out_ += '[';
    out_ += format_length(made.range);
    out_ += ']';
    if (made.offset) {
      out_ += " offset ";
      length(*made.offset);
    }
    out_ += ')';
    if (made.grouping.kind == Grouping::kNone) return;
    out_ += ' ';
    print(made.grouping);
  }

  void print(const VectorAggregation& made) {
    out_ += to_string(made.op);
    if (made.grouping.kind != Grouping::kNone) {
      out_ += ' ';
      print(made.grouping);
      out_ += ' ';
    }
    out_ += '(';
    if (made.parameter) out_ += fmt::format("{}, ", *made.parameter);
    expr(*made.expr);
    out_ += ')';
  }

  void print(const ConstantExpr& constant) {
    if (!constant.is_scalar) out_ += "vector(";
    number(constant.value);
    if (!constant.is_scalar) out_ += ')';
  }

  void print(const LabelReplaceExpr& made) {
    out_ += "label_replace(";
    expr(*made.expr);
    for (const std::string* text : {&made.to, &made.replacement, &made.from, &made.regex}) {
      out_ += ", ";
      append_quoted(out_, *text);
    }
    out_ += ')';
  }

  void print(const MetricPair& pair) {
    expr(*pair.left);
    out_ += ' ';
    out_ += kOperatorNames.at(static_cast<std::size_t>(pair.op));
    if (pair.returns_bool) out_ += " bool";
    const VectorMatching& matching = pair.matching;
    if (matching.scope != VectorMatching::WhichLabels::kAll) {
      out_ += matching.scope == VectorMatching::WhichLabels::kOn ? " on " : " ignoring ";
      labels(matching.labels);
    }
    if (matching.group != VectorMatching::Group::kNone) {
      out_ += matching.group == VectorMatching::Group::kLeft ? " group_left " : " group_right ";
      labels(matching.include);  // even when empty: "(" of the right side must not follow
    }
    out_ += ' ';
    expr(*pair.right);
  }

  void print(const GroupedExpr& grouped) {
    out_ += '(';
    expr(*grouped.expr);
    out_ += ')';
  }

  void print(const LabelGrouping& grouping) {
    out_ += grouping.kind == Grouping::kBy ? "by " : "without ";
    labels(grouping.labels);
  }

  // Stages.

  void print(const LineFilter& filter) {
    out_ += to_string(filter.test);
    const char* between = " ";
    for (const LineFilter::Term& term : filter.terms) {
      out_ += between;
      between = " or ";
      if (term.is_address) out_ += "ip(";
      append_quoted(out_, term.text);
      if (term.is_address) out_ += ')';
    }
  }

  void print(const JsonStage& stage) {
    out_ += "| json";
    extractions(stage.wanted);
  }

  void print(const LogfmtStage& stage) {
    out_ += "| logfmt";
    if (stage.is_strict) out_ += " --strict";
    if (stage.keeps_empty) out_ += " --keep-empty";
    extractions(stage.wanted);
  }

  void print(const RegexpStage& stage) { text_stage("| regexp ", stage.regex); }
  void print(const PatternStage& stage) { text_stage("| pattern ", stage.pattern); }
  void print(const LineFormatStage& stage) { text_stage("| line_format ", stage.format); }
  void print(const UnpackStage& /*stage*/) { out_ += "| unpack"; }
  void print(const DecolorizeStage& /*stage*/) { out_ += "| decolorize"; }
  void print(const DropStage& stage) { choices("| drop ", stage.labels); }
  void print(const KeepStage& stage) { choices("| keep ", stage.labels); }

  void print(const LabelFormatStage& stage) {
    const char* between = "| label_format ";
    for (const LabelFormatStage::Item& item : stage.items) {
      out_ += between;
      between = ", ";
      out_ += item.label;
      out_ += '=';
      if (item.is_format) {
        append_quoted(out_, item.source);
      } else {
        out_ += item.source;
      }
    }
  }

  void print(const LabelFilterStage& stage) {
    out_ += "| ";
    condition(*stage.condition);
  }

  void print(const UnwrapStage& stage) {
    constexpr std::array<std::string_view, 4> kConversions{"", "duration(", "duration_seconds(",
                                                           "bytes("};
    const std::string_view conversion = kConversions.at(static_cast<std::size_t>(stage.conversion));
    out_ += "| unwrap ";
    out_ += conversion;
    out_ += stage.label;
    if (!conversion.empty()) out_ += ')';
  }

  // Conditions.

  void condition(const LabelCondition& one) {
    std::visit([this](const auto& node) { print(node); }, one.node);
  }

  void print(const Matcher& matcher) {
    out_ += matcher.name;
    out_ += operator_of(matcher.type);
    append_quoted(out_, matcher.value);
  }

  template <typename Condition>
  void compare(const Condition& one) {
    out_ += one.label;
    out_ += ' ';
    out_ += to_string(one.comparison);
    out_ += ' ';
  }
  void print(const NumberCondition& one) {
    compare(one);
    number(one.value);
  }
  void print(const DurationCondition& one) {
    compare(one);
    length(one.value);
  }
  void print(const BytesCondition& one) {
    compare(one);
    out_ += format_size(one.value);
  }
  void print(const AddressCondition& one) {
    out_ += one.label;
    out_ += one.is_negative ? "!=ip(" : "=ip(";
    append_quoted(out_, one.address);
    out_ += ')';
  }

  void print(const ConditionPair& pair) {
    side(*pair.left, pair.is_and, false);
    out_ += pair.is_and ? " and " : " or ";
    side(*pair.right, pair.is_and, true);
  }

  // In parentheses where without them it would be read as another tree.
  void side(const LabelCondition& one, bool is_in_and, bool is_right) {
    const auto* pair = std::get_if<ConditionPair>(&one.node);
    const bool is_apart =
        pair != nullptr && (is_in_and ? is_right || !pair->is_and : is_right && !pair->is_and);
    if (is_apart) out_ += '(';
    condition(one);
    if (is_apart) out_ += ')';
  }

  // Words.

  void text_stage(std::string_view name, std::string_view text) {
    out_ += name;
    append_quoted(out_, text);
  }

  void extractions(const std::vector<Extraction>& wanted) {
    const char* between = " ";
    for (const Extraction& one : wanted) {
      out_ += between;
      between = ", ";
      out_ += one.label;
      if (one.path == one.label) continue;
      out_ += '=';
      append_quoted(out_, one.path);
    }
  }

  void choices(std::string_view name, const std::vector<LabelChoice>& labels) {
    std::string_view between = name;
    for (const LabelChoice& choice : labels) {
      out_ += between;
      between = ", ";
      if (choice.only) {
        print(*choice.only);
      } else {
        out_ += choice.label;
      }
    }
  }

  void labels(const std::vector<std::string>& names) {
    out_ += '(';
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += names[i];
    }
    out_ += ')';
  }

  void number(double value) { out_ += fmt::format("{}", value); }

  void length(Duration value) {
    if (value < Duration(0)) out_ += '-';
    out_ += format_length(value < Duration(0) ? -value : value);
  }

  std::string out_;
};

}  // namespace

std::string print(const LogExpr& expr) {
  LogPrinter printer;
  printer.expr(expr);
  return printer.take();
}

std::string print(const LogSelector& selector) {
  LogPrinter printer;
  printer.print(selector);
  return printer.take();
}

}  // namespace vigia::logql
