#include "services/storage/api/attribute_json.hpp"

#include "libs/base/json_text.hpp"

namespace vigia::storage {

using wire::otlp::FieldReader;
using wire::otlp::fixed64_field;
using wire::otlp::varint_field;

// AnyValue: 2 bool, 3 int, 4 double; of several the last one counts.
std::string_view value_type(std::string_view any_value) {
  std::string_view type = "string";
  FieldReader reader(any_value);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case varint_field(2):
        type = "bool";
        break;
      case varint_field(3):
        type = "int64";
        break;
      case fixed64_field(4):
        type = "float64";
        break;
      default:
        type = "string";
    }
    reader.skip();
  }
  return type;
}

std::string value_json(std::string_view any_value) {
  std::string text;
  wire::otlp::append_value_text(text, any_value);
  const std::string_view type = value_type(any_value);
  const bool is_finite = text != "NaN" && text.find("Infinity") == std::string::npos;
  if (type == "string" || !is_finite) return json_text(text);
  return text;
}

std::string object_json(const wire::otlp::Attributes& attributes) {
  std::string json = "{";
  wire::otlp::for_each_attribute(attributes, [&](const wire::otlp::KeyValueView& attribute) {
    if (json.size() > 1) json += ',';
    json += json_text(attribute.key) + ':' + value_json(attribute.value);
  });
  return json + '}';
}

}  // namespace vigia::storage
