#include "services/agent/telemetry/otlp_writer.hpp"

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::agent::telemetry {

namespace {

using wire::otlp::AnyValueField;
using wire::otlp::KeyValueField;

std::string encode_string_value(std::string_view text) {
  std::string value;
  protozero::pbf_writer(value).add_string(AnyValueField::kString.number, text.data(), text.size());
  return value;
}

std::string encode_list_value(const std::vector<std::string>& texts) {
  std::string array;
  protozero::pbf_writer array_writer(array);
  for (const std::string& text : texts) {
    array_writer.add_message(wire::otlp::ValuesField::kValues.number, encode_string_value(text));
  }
  std::string value;
  protozero::pbf_writer(value).add_message(AnyValueField::kArray.number, array);
  return value;
}

std::string encode_attribute(std::string_view key, const std::string& value) {
  std::string attribute;
  protozero::pbf_writer writer(attribute);
  writer.add_string(KeyValueField::kKey.number, key.data(), key.size());
  writer.add_message(KeyValueField::kValue.number, value);
  return attribute;
}

}  // namespace

std::string encode_text_attribute(std::string_view key, std::string_view value) {
  return encode_attribute(key, encode_string_value(value));
}

std::string encode_resource(const std::vector<host::ResourceAttribute>& attributes) {
  std::string resource;
  protozero::pbf_writer writer(resource);
  for (const host::ResourceAttribute& attribute : attributes) {
    if (attribute.values.empty()) continue;
    const std::string value = attribute.is_list ? encode_list_value(attribute.values)
                                                : encode_string_value(attribute.values.front());
    writer.add_message(wire::otlp::ResourceField::kAttributes.number,
                       encode_attribute(attribute.key, value));
  }
  return resource;
}

}  // namespace vigia::agent::telemetry
