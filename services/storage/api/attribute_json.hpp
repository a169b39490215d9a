// OTLP attributes as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/wire/otlp/attributes.hpp"

namespace vigia::storage::api {

/// Jaeger's names of value types: "string", "bool", "int64", "float64".
std::string_view value_type(std::string_view any_value);
/// Of a value that is one string and nothing else, as nearly all are: no copy of it is made. Throws
/// protozero::exception on damaged bytes, as the others here do.
std::optional<std::string_view> plain_string(std::string_view any_value);
/// Appends a JSON value: numbers and booleans as such, all else as a string. What each needs:
/// json_cost.hpp.
void append_value_json(std::string& out, std::string_view any_value);
/// Appends the value's text as a JSON string, whatever its type.
void append_value_string(std::string& out, std::string_view any_value);
/// Appends {"key":value,…}
void append_object_json(std::string& out, const wire::otlp::Attributes& attributes);

}  // namespace vigia::storage::api
