// Named limits of tokens.
#pragma once

#include <cstddef>

#include "services/monitor/nodes/limits.hpp"

namespace vigia::monitor::tokens {

/// Tokens of one customer that are valid: one for each node, and some that read. One that is
/// revoked or has expired is forgotten when so many were made after that: by rows, since a clock
/// that is wrong for an hour must end nothing for good. So 7,000 are listed at most, some 250 B
/// each.
inline constexpr std::size_t kTokensPerCustomerMax = nodes::kNodesPerCustomerMax + 1'000;
inline constexpr std::size_t kTokensMadeSinceMax = 1'000;

}  // namespace vigia::monitor::tokens
