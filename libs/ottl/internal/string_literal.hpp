// Texts in double quotes, as Go reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigia::ottl::internal {

/// The text of what stands in double quotes, those included; nothing where a backslash stands
/// before something that it does not go with.
std::optional<std::string> unquoted(std::string_view literal);

}  // namespace vigia::ottl::internal
