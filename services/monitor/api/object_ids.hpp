// Ids of what the REST interface makes.
#pragma once

#include <string>
#include <string_view>

namespace vigia::monitor::api {

/// 32 hex digits that say nothing.
std::string new_id();
/// Whether new_id may have made it.
bool is_object_id(std::string_view text);

}  // namespace vigia::monitor::api
