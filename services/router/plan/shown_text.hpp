// What of a store's words a caller may see.
#pragma once

#include <string_view>

namespace vigia::router::plan {

/// Whether a message of an upstream may hold an address: "http://…", "10.0.0.1:9090", "db:9042".
bool may_show_address(std::string_view text);

}  // namespace vigia::router::plan
