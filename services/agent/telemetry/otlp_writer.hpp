// Small OTLP messages written by hand (opentelemetry-proto 1.x, protobuf).
#pragma once

#include <string>
#include <vector>

#include "services/agent/host/identity.hpp"

namespace vigia::agent::telemetry {

/// The schema that the names of host metrics and of the resource follow.
inline constexpr const char* kSchemaUrl = "https://opentelemetry.io/schemas/1.44.0";

/// A KeyValue with a text value.
std::string encode_text_attribute(std::string_view key, std::string_view value);

/// A Resource message: its attributes in the order given.
std::string encode_resource(const std::vector<host::ResourceAttribute>& attributes);

}  // namespace vigia::agent::telemetry
