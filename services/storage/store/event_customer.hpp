// Whose a resource is.
#pragma once

#include <string_view>

#include "libs/model/ids.hpp"

namespace vigia::storage::store {

/// As the collector judges it, which has acknowledged what comes here: a name that is empty names
/// nobody, and a foreign one makes it foreign beside the own. Throws protozero::exception.
bool names_customer(std::string_view resource, const CustomerId& customer);

}  // namespace vigia::storage::store
