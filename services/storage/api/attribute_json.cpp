#include "services/storage/api/attribute_json.hpp"

#include "libs/base/json_text.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::AnyValueField;
using wire::otlp::FieldReader;

}  // namespace

std::optional<std::string_view> plain_string(std::string_view any_value) {
  FieldReader reader(any_value);
  if (!reader.next() || reader.tag_and_type() != AnyValueField::kString.tag) return std::nullopt;
  const std::string_view text = reader.bytes();
  // Protobuf lets the last field of a oneof count: with more behind it, this is not the value.
  if (reader.next()) return std::nullopt;
  return text;
}

// Of several the last one counts.
std::string_view value_type(std::string_view any_value) {
  std::string_view type = "string";
  FieldReader reader(any_value);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case AnyValueField::kBool.tag:
        type = "bool";
        break;
      case AnyValueField::kInt.tag:
        type = "int64";
        break;
      case AnyValueField::kDouble.tag:
        type = "float64";
        break;
      default:
        type = "string";
    }
    reader.skip();
  }
  return type;
}

void append_value_string(std::string& out, std::string_view any_value) {
  if (const auto plain = plain_string(any_value)) return append_json_text(out, *plain);
  std::string text;
  wire::otlp::append_value_text(text, any_value);
  append_json_text(out, text);
}

void append_value_json(std::string& out, std::string_view any_value) {
  if (value_type(any_value) == "string") return append_value_string(out, any_value);
  std::string text;
  wire::otlp::append_value_text(text, any_value);
  // JSON has no word for these.
  const bool is_finite = text != "NaN" && text.find("Infinity") == std::string::npos;
  if (is_finite) {
    out += text;
  } else {
    append_json_text(out, text);
  }
}

void append_object_json(std::string& out, const wire::otlp::Attributes& attributes) {
  out += '{';
  bool is_first = true;
  wire::otlp::for_each_attribute(attributes, [&](const wire::otlp::KeyValueView& attribute) {
    if (!is_first) out += ',';
    is_first = false;
    append_json_text(out, attribute.key);
    out += ':';
    append_value_json(out, attribute.value);
  });
  out += '}';
}

}  // namespace vigia::storage::api
