#include "libs/ottl/internal/nodes.hpp"

#include <bit>
#include <limits>

namespace vigia::ottl::internal {
namespace {

constexpr std::string_view kUnlike = "these cannot be computed with one another";
constexpr std::string_view kByZero = "a division by zero";

/// Wraps round, as Go's does.
bool compute_ints(Evaluation& evaluation, char op, std::int64_t left, std::int64_t right,
                  std::int64_t& out) {
  const auto a = std::bit_cast<std::uint64_t>(left);
  const auto b = std::bit_cast<std::uint64_t>(right);
  if (op == '/') {
    if (right == 0) return evaluation.fail(kByZero);
    const bool overflows = left == std::numeric_limits<std::int64_t>::min() && right == -1;
    out = overflows ? left : left / right;
    return true;
  }
  out = std::bit_cast<std::int64_t>(op == '+' ? a + b : op == '-' ? a - b : a * b);
  return true;
}

bool compute_reals(Evaluation& evaluation, char op, double left, double right, double& out) {
  if (op == '/' && right == 0) return evaluation.fail(kByZero);
  out = op == '+'   ? left + right
        : op == '-' ? left - right
        : op == '*' ? left * right
                    : left / right;
  return true;
}

bool is_time_or_duration(const Value& value) {
  return value.kind == ValueForm::kTime || value.kind == ValueForm::kDuration;
}

/// The kind of a sum or difference of times and durations; nil where there is none.
ValueForm kind_of_sum(char op, ValueForm left, ValueForm right) {
  const bool are_times = left == ValueForm::kTime && right == ValueForm::kTime;
  if (op == '-' && are_times) return ValueForm::kDuration;
  if (op == '-' && right == ValueForm::kDuration) return left;
  if (op != '+' || are_times) return ValueForm::kNil;
  return left == ValueForm::kTime ? left : right;
}

bool compute(Evaluation& evaluation, char op, const Value& left, const Value& right, Value& out) {
  if (is_time_or_duration(left) && is_time_or_duration(right)) {
    out = {kind_of_sum(op, left.kind, right.kind)};
    if (out.is_nil()) return evaluation.fail(kUnlike);
    return compute_ints(evaluation, op, left.integer, right.integer, out.integer);
  }
  const auto is_number = [](const Value& value) {
    return value.kind == ValueForm::kInt || value.kind == ValueForm::kDouble;
  };
  if (!is_number(left) || !is_number(right)) return evaluation.fail(kUnlike);
  if (left.kind == ValueForm::kInt && right.kind == ValueForm::kInt) {
    out = Value::of_int(0);
    return compute_ints(evaluation, op, left.integer, right.integer, out.integer);
  }
  const auto real_of = [](const Value& value) {
    return value.kind == ValueForm::kInt ? static_cast<double>(value.integer) : value.real;
  };
  out = Value::of_double(0);
  return compute_reals(evaluation, op, real_of(left), real_of(right), out.real);
}

bool keys_now(Evaluation& evaluation, const std::vector<PathKey>& keys, std::vector<KeyNow>& out) {
  for (const PathKey& key : keys) {
    if (!key.getter) {
      out.push_back({key.is_text, key.text, key.index});
      continue;
    }
    Value value;
    if (!key.getter->get(evaluation, value)) return false;
    if (value.kind != ValueForm::kString && value.kind != ValueForm::kInt)
      return evaluation.fail("a key is a string or an int");
    out.push_back({value.kind == ValueForm::kString, value.bytes, value.integer});
  }
  return true;
}

}  // namespace

bool LiteralGetter::get(Evaluation& /*evaluation*/, Value& out) const {
  out = value_;
  return true;
}

bool ArgumentGetter::get(Evaluation& evaluation, Value& out) const {
  out = Value::of_string(evaluation.argument());
  return true;
}

bool CallGetter::get(Evaluation& evaluation, Value& out) const {
  evaluation.set_place(call_.offset);
  if (!call_.function->run(call_, evaluation, out)) return false;
  if (keys_.empty()) return true;
  evaluation.set_place(call_.offset);
  std::vector<KeyNow> keys;
  return keys_now(evaluation, keys_, keys) &&
         find_in(evaluation, out, keys, out, Missing::kIsFault);
}

bool ListGetter::get(Evaluation& evaluation, Value& out) const {
  std::string& array = evaluation.make();
  std::string& element = evaluation.make();
  for (const GetterPtr& getter : elements_) {
    Value value;
    if (!getter->get(evaluation, value)) return false;
    element.clear();
    if (!append_any_value(element, value))
      return evaluation.fail("a time or a duration is no element of a list: make a number of it");
    append_element(array, element);
  }
  out = Value::of_list(array);
  return evaluation.keep(array);
}

bool MapGetter::get(Evaluation& evaluation, Value& out) const {
  std::string& list = evaluation.make();
  std::string& any_value = evaluation.make();
  for (const auto& [key, getter] : entries_) {
    Value value;
    if (!getter->get(evaluation, value)) return false;
    any_value.clear();
    if (!append_any_value(any_value, value))
      return evaluation.fail("a time or a duration is no value of a map: make a number of it");
    append_entry(list, key, any_value);
  }
  out = Value::of_map(list);
  return evaluation.keep(list);
}

bool NegateGetter::get(Evaluation& evaluation, Value& out) const {
  if (!operand_->get(evaluation, out)) return false;
  if (out.kind == ValueForm::kInt) {
    out.integer = std::bit_cast<std::int64_t>(-std::bit_cast<std::uint64_t>(out.integer));
    return true;
  }
  if (out.kind != ValueForm::kDouble)
    return evaluation.fail("a sign stands before a number", offset_);
  out.real = -out.real;
  return true;
}

bool MathGetter::get(Evaluation& evaluation, Value& out) const {
  Value left;
  Value right;
  if (!left_->get(evaluation, left) || !right_->get(evaluation, right)) return false;
  evaluation.set_place(offset_);
  return compute(evaluation, op_, left, right, out);
}

bool CompareTest::test(Evaluation& evaluation, bool& out) const {
  Value left;
  Value right;
  if (!left_->get(evaluation, left) || !right_->get(evaluation, right)) return false;
  out = compare(left, right, comparison_);
  return true;
}

bool JoinedTest::test(Evaluation& evaluation, bool& out) const {
  for (const TestPtr& test : tests_) {
    if (!test->test(evaluation, out)) return false;
    if (out == is_or_) return true;
  }
  return true;
}

bool NotTest::test(Evaluation& evaluation, bool& out) const {
  if (!test_->test(evaluation, out)) return false;
  out = !out;
  return true;
}

bool ValueTest::test(Evaluation& evaluation, bool& out) const {
  Value value;
  if (!value_->get(evaluation, value)) return false;
  if (value.kind != ValueForm::kBool)
    return evaluation.fail("a condition is true or false, and this is neither", offset_);
  out = value.integer != 0;
  return true;
}

bool CallAction::run(Evaluation& evaluation) const {
  Value nothing;
  evaluation.set_place(call_.offset);
  return call_.function->run(call_, evaluation, nothing);
}

}  // namespace vigia::ottl::internal
