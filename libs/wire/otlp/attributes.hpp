// Attributes (repeated KeyValue) as they lie in the body.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/wire/otlp/field_reader.hpp"

namespace vigia::wire::otlp {

/// How deep AnyValue may nest in arrays and key-value lists.
inline constexpr int kAnyValueDepthMax = 64;

/// Encoded KeyValue fields, all of the same field number, with their tags. Other fields in `bytes`
/// are passed over, so a whole message will do.
struct Attributes {
  std::string_view bytes;
  std::uint32_t number = 1;  ///< field number in the message they stand in
};

struct KeyValueView {
  std::string_view key;
  std::string_view value;  ///< the encoded AnyValue, "" where there is none
};

/// Throws protozero::exception on damaged bytes.
KeyValueView read_key_value(std::string_view bytes);

/// Calls visit(KeyValueView) for each. Throws protozero::exception on damaged bytes.
template <typename Visit>
void for_each_attribute(const Attributes& attributes, Visit&& visit) {
  FieldReader reader(attributes.bytes);
  while (reader.next()) {
    if (reader.tag_and_type() == bytes_field(attributes.number)) {
      visit(read_key_value(reader.bytes()));
    } else {
      reader.pass_over(KnownFields{bytes_field(attributes.number)});
    }
  }
}

/// The value where the AnyValue is a string, else "".
std::string_view string_value(std::string_view any_value);

/// Whether append_value_text would append nothing: told without making the text.
bool is_empty_value(std::string_view any_value);

/// Appends the value as text, by the specification's rules for non-string attributes: strings as
/// they are, true/false, decimal integers, shortest doubles (NaN, Infinity), base64 for bytes, JSON
/// for arrays and lists, nothing for an empty value. Throws protozero::exception on damaged bytes;
/// what lies deeper than kAnyValueDepthMax is left out.
void append_value_text(std::string& out, std::string_view any_value);

/// True where every text is UTF-8, nothing nests deeper than kAnyValueDepthMax, and every message
/// in it can be read.
bool is_valid_any_value(std::string_view any_value, int depth = 1);
bool are_valid(const Attributes& attributes);

}  // namespace vigia::wire::otlp
