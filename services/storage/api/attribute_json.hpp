// OTLP attributes as JSON.
#pragma once

#include <string>
#include <string_view>

#include "libs/wire/otlp/attributes.hpp"

namespace vigia::storage {

/// Jaeger's names of value types: "string", "bool", "int64", "float64".
std::string_view value_type(std::string_view any_value);
/// A JSON value: numbers and booleans as such, all else as a string. Throws protozero::exception on
/// damaged bytes.
std::string value_json(std::string_view any_value);
/// {"key":value,…}
std::string object_json(const wire::otlp::Attributes& attributes);

}  // namespace vigia::storage
