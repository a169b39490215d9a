// Conditions on labels, ready to be asked of millions of lines.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/address.hpp"
#include "libs/logql/pipeline/line_labels.hpp"
#include "libs/logql/pipeline/line_regex.hpp"

namespace vigia::logql::pipeline {

/// A matcher on the value of a label, "" where it is absent. Movable; any thread.
class CompiledMatcher {
 public:
  static Result<CompiledMatcher> compile(const Matcher& matcher, RegexMemory& memory);
  /// `if_refused` where too little work is left for its regex.
  bool is_met_by(std::string_view value, LineWork& work, bool if_refused) const;
  const std::string& name() const { return matcher_.name; }

 private:
  explicit CompiledMatcher(Matcher matcher) : matcher_(std::move(matcher)) {}
  Matcher matcher_;
  std::optional<LineRegex> regex_;
};

/// A label filter. A label that is absent meets no comparison with a number; one whose value is no
/// number passes and gets the error kLabelFilterError, unless there is one already: lines are not
/// lost where a value cannot be read. Movable; one thread.
class CompiledCondition {
 public:
  static Result<CompiledCondition> compile(const LabelCondition& condition, RegexMemory& memory);
  /// What too little work is left for counts as met, so that no line is lost by it; comparisons
  /// with texts, as `__error__=""`, are always made.
  bool passes(LineLabels& labels, LineWork& work) const;

 private:
  /// Of numbers, seconds and bytes.
  struct Compared {
    std::string label;
    Comparison comparison = Comparison::kEqual;
    double value = 0;
    std::optional<double> (*read)(std::string_view) = nullptr;
    std::string_view what;
  };
  struct AddressOf {
    std::string label;
    bool is_negative = false;
    AddressRange range;
  };
  struct Pair {
    bool is_and = true;
    std::unique_ptr<CompiledCondition> left;
    std::unique_ptr<CompiledCondition> right;
  };
  using Node = std::variant<CompiledMatcher, Compared, AddressOf, Pair>;

  explicit CompiledCondition(Node node) : node_(std::move(node)) {}
  static Result<CompiledCondition> compile_node(const Matcher& matcher, RegexMemory& memory);
  static Result<CompiledCondition> compile_node(const NumberCondition& condition,
                                                RegexMemory& memory);
  static Result<CompiledCondition> compile_node(const DurationCondition& condition,
                                                RegexMemory& memory);
  static Result<CompiledCondition> compile_node(const BytesCondition& condition,
                                                RegexMemory& memory);
  static Result<CompiledCondition> compile_node(const AddressCondition& condition,
                                                RegexMemory& memory);
  static Result<CompiledCondition> compile_node(const ConditionPair& pair, RegexMemory& memory);
  static bool check(const CompiledMatcher& matcher, LineLabels& labels, LineWork& work);
  static bool check(const Compared& compared, LineLabels& labels, LineWork& work);
  static bool check(const AddressOf& address, LineLabels& labels, LineWork& work);
  static bool check(const Pair& pair, LineLabels& labels, LineWork& work);

  Node node_;
};

}  // namespace vigia::logql::pipeline
