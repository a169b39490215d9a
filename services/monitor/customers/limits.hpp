// Named limits of customers.
#pragma once

#include <cstddef>

namespace vigia::monitor::customers {

inline constexpr std::size_t kCustomersMax = 10'000;

}  // namespace vigia::monitor::customers
