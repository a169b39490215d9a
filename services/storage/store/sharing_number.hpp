// By which number instances that share a store know one another.
#pragma once

#include <cstdint>

namespace vigia::storage::store {

/// Of one instance, as the store lists it; another one once the others took it for gone.
using SharingNumber = std::uint64_t;

}  // namespace vigia::storage::store
