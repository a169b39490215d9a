// What the live state is asked with, and what of it is written down.
#pragma once

#include <string>
#include <vector>

#include "services/monitor/live/live_state.hpp"

namespace vigia::monitor {

struct LiveQuery {
  std::string text;  ///< PromQL, over all customers
  void (*add)(std::map<NodeKey, NodeLive>&, const std::vector<VectorSample>&);
};

/// Each asks for the labels that it needs and no other, none of them long, and for a bounded number
/// of series of each customer: a customer can make as many and as large ones as its limits let it,
/// and the answer is everybody's.
std::vector<LiveQuery> live_queries();

/// The nodes to write down after a look: seen again after a while, or new and pushing. Bounded for
/// each customer and in all; the rest has its turn in the next looks. `known` are all that are
/// watched; the keys live as long as the state.
std::vector<const NodeKey*> nodes_to_keep(const LiveState& state, const std::vector<Node>& known);

}  // namespace vigia::monitor
