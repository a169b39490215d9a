#include <map>

#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/internal/any_value.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/ottl/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::ValuesField;

template <typename T>
bool compare_ordered(const T& left, const T& right, Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual:
      return left == right;
    case Comparison::kNotEqual:
      return left != right;
    case Comparison::kLess:
      return left < right;
    case Comparison::kLessOrEqual:
      return left <= right;
    case Comparison::kGreaterOrEqual:
      return left >= right;
    case Comparison::kGreater:
      return left > right;
  }
  return false;
}

double number_of(const Value& value) {
  return value.kind == ValueForm::kInt ? static_cast<double>(value.integer) : value.real;
}

bool is_number(const Value& value) {
  return value.kind == ValueForm::kInt || value.kind == ValueForm::kDouble;
}

bool are_equal(const Value& left, const Value& right, int depth);

/// The next element; false behind the last one.
bool next_element(FieldReader& reader, std::string_view& out) {
  while (reader.next()) {
    if (reader.tag_and_type() == ValuesField::kValues.tag) {
      out = reader.bytes();
      return true;
    }
    reader.skip();
  }
  return false;
}

/// Side by side: a list may have millions of elements.
bool are_equal_lists(std::string_view left, std::string_view right, int depth) {
  FieldReader ours(left);
  FieldReader theirs(right);
  std::string_view one;
  std::string_view other;
  while (next_element(ours, one)) {
    if (!next_element(theirs, other) ||
        !are_equal(internal::read_any_value(one), internal::read_any_value(other), depth))
      return false;
  }
  return !next_element(theirs, other);
}

/// By key; of several of one key the last counts.
std::map<std::string_view, std::string_view> entries(std::string_view list) {
  std::map<std::string_view, std::string_view> all;
  wire::otlp::for_each_attribute(
      {list, ValuesField::kValues.number},
      [&](const wire::otlp::KeyValueView& entry) { all[entry.key] = entry.value; });
  return all;
}

bool are_equal_maps(std::string_view left, std::string_view right, int depth) {
  if (internal::elements_of(left) > kEntriesMax || internal::elements_of(right) > kEntriesMax)
    throw WorkIsUsedUp{};
  const auto ours = entries(left);
  const auto theirs = entries(right);
  if (ours.size() != theirs.size()) return false;
  auto other = theirs.begin();
  for (const auto& [key, value] : ours) {
    if (key != other->first ||
        !are_equal(internal::read_any_value(value), internal::read_any_value(other->second), depth))
      return false;
    ++other;
  }
  return true;
}

/// Within lists and maps, where a whole number is not the same as one with a point.
bool are_equal(const Value& left, const Value& right, int depth) {
  if (left.kind != right.kind || depth > wire::otlp::kAnyValueDepthMax) return false;
  if (left.kind == ValueForm::kMap) return are_equal_maps(left.bytes, right.bytes, depth + 1);
  if (left.kind == ValueForm::kList) return are_equal_lists(left.bytes, right.bytes, depth + 1);
  return compare(left, right, Comparison::kEqual);
}

}  // namespace

std::string_view name_of(ValueForm kind) {
  switch (kind) {
    case ValueForm::kNil:
      return "nil";
    case ValueForm::kBool:
      return "a bool";
    case ValueForm::kInt:
      return "an int";
    case ValueForm::kDouble:
      return "a float";
    case ValueForm::kString:
      return "a string";
    case ValueForm::kBytes:
      return "bytes";
    case ValueForm::kMap:
      return "a map";
    case ValueForm::kList:
      return "a list";
    case ValueForm::kTime:
      return "a time";
    case ValueForm::kDuration:
      return "a duration";
  }
  return "";
}

bool compare(const Value& left, const Value& right, Comparison comparison) {
  if (is_number(left) && is_number(right)) {
    if (left.kind == ValueForm::kInt && right.kind == ValueForm::kInt)
      return compare_ordered(left.integer, right.integer, comparison);
    return compare_ordered(number_of(left), number_of(right), comparison);
  }
  if (left.kind != right.kind) return comparison == Comparison::kNotEqual;
  switch (left.kind) {
    case ValueForm::kNil:
      return compare_ordered(0, 0, comparison);
    case ValueForm::kString:
    case ValueForm::kBytes:
      return compare_ordered(left.bytes, right.bytes, comparison);
    case ValueForm::kMap:
    case ValueForm::kList: {
      if (comparison == Comparison::kEqual) return are_equal(left, right, 0);
      return comparison == Comparison::kNotEqual && !are_equal(left, right, 0);
    }
    default:
      return compare_ordered(left.integer, right.integer, comparison);
  }
}

}  // namespace vigia::ottl
