// What a configuration takes from the environment.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::service {

/// The text with each `${env:NAME}` and `${NAME}`, with or without `:-fallback`, replaced, and "$$"
/// by one "$". `note` is told of each that cannot be: a variable that is not set and has no
/// fallback, and OpenTelemetry's other sources (`${file:…}`, `${yaml:…}`, `${http:…}`). What a
/// variable holds is a text: it becomes no keys or lists, and no reference in it is followed.
std::string expand_references(std::string_view text,
                              const std::function<void(std::string_view)>& note);

/// The path that --config names: "file:PATH" is PATH. kInvalid for OpenTelemetry's other sources.
Result<std::string> config_path(std::string_view named);

}  // namespace vigia::service
