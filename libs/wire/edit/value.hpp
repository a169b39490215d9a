// What an AnyValue holds, read from its bytes and written to them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::wire::edit {

enum class ValueKind : std::uint8_t {
  kEmpty,  ///< nothing is set
  kText,
  kBool,
  kInt,
  kDouble,
  kBytes,
  kArray,  ///< `bytes` is the encoded ArrayValue
  kList,   ///< `bytes` is the encoded KeyValueList
};

/// Views live as long as the bytes they were read from.
struct ValueView {
  ValueKind kind = ValueKind::kEmpty;
  std::string_view bytes = {};  ///< of a text, of bytes, of an encoded array or list
  std::int64_t integer = 0;
  double real = 0;
  bool truth = false;

  static ValueView of_text(std::string_view text) { return {ValueKind::kText, text}; }
  static ValueView of_bool(bool truth) { return {ValueKind::kBool, {}, 0, 0, truth}; }
  static ValueView of_int(std::int64_t integer) { return {ValueKind::kInt, {}, integer}; }
  static ValueView of_double(double real) { return {ValueKind::kDouble, {}, 0, real}; }
};

/// Of several the last one counts. Throws protozero::exception on damaged bytes.
ValueView read_value(std::string_view any_value);

/// Appends the encoded AnyValue; nothing for kEmpty.
void append_value(std::string& out, const ValueView& value);
std::string encoded_value(const ValueView& value);

}  // namespace vigia::wire::edit
