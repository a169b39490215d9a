// What an expression gives.
#pragma once

#include <cstdint>
#include <string_view>

namespace vigia::ottl {

enum class ValueForm : std::uint8_t {
  kNil,
  kBool,
  kInt,
  kDouble,
  kString,
  kBytes,
  kMap,
  kList,
  kTime,     ///< nanoseconds since 1970
  kDuration  ///< nanoseconds
};

/// "a string", "nothing": for messages.
std::string_view name_of(ValueForm kind);

/// A value, by its kind in one of the members. Texts, maps and lists are views: of the messages
/// that are worked on, which a change ends, or of what functions have made for this item.
struct Value {
  ValueForm kind = ValueForm::kNil;
  std::int64_t integer = 0;  ///< kInt, kTime, kDuration; kBool: 0 or 1
  double real = 0;
  /// kString, kBytes; kMap: an encoded KeyValueList; kList: an encoded ArrayValue.
  std::string_view bytes = {};

  static Value of_bool(bool value) { return {ValueForm::kBool, value ? 1 : 0}; }
  static Value of_int(std::int64_t value) { return {ValueForm::kInt, value}; }
  static Value of_double(double value) { return {ValueForm::kDouble, 0, value}; }
  static Value of_string(std::string_view text) { return {ValueForm::kString, 0, 0, text}; }
  static Value of_bytes(std::string_view bytes) { return {ValueForm::kBytes, 0, 0, bytes}; }
  static Value of_map(std::string_view list) { return {ValueForm::kMap, 0, 0, list}; }
  static Value of_list(std::string_view array) { return {ValueForm::kList, 0, 0, array}; }
  static Value of_time(std::int64_t ns) { return {ValueForm::kTime, ns}; }
  static Value of_duration(std::int64_t ns) { return {ValueForm::kDuration, ns}; }
  bool is_nil() const { return kind == ValueForm::kNil; }
};

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreaterOrEqual,
  kGreater
};

/// As upstream compares: int and double by their numbers; bools, texts, bytes, times and durations
/// with their like; maps and lists for equality alone, maps without regard to order; nothing equals
/// nothing. Of unlike kinds only "!=" is true. Throws protozero::exception on damaged maps or
/// lists, WorkIsUsedUp for maps of more than kEntriesMax.
bool compare(const Value& left, const Value& right, Comparison comparison);

}  // namespace vigia::ottl
