// A value of the configuration as an attribute's value.
#pragma once

#include <optional>
#include <string>

#include "libs/service/config.hpp"

namespace vigia::collector::processors {

/// The encoded AnyValue of a scalar, its type as YAML has it: 2245 is a whole number, 0.5 a double,
/// true a truth value, "2245" and whatever else a text. Nothing where the key is not there or is
/// null, and, with a noted error, for a list or a map.
std::optional<std::string> read_any_value(const service::ConfigNode& node);

}  // namespace vigia::collector::processors
