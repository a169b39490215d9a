// Named limits of nodes.
#pragma once

#include <cstddef>

namespace vigia::monitor::nodes {

inline constexpr std::size_t kNodesPerCustomerMax = 5'000;  ///< the largest plan has as many in all
/// Labels in the live state: a node's region, environment and the like.
inline constexpr std::size_t kLiveLabelCharactersMax = 128;

}  // namespace vigia::monitor::nodes
