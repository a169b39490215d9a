// What the live state is asked with, and what of it is written down.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "services/monitor/live/live_state.hpp"
#include "services/monitor/live/look_plan.hpp"

namespace vigia::monitor::live {

struct LiveQuery {
  std::string text;  ///< PromQL, over the customers of a group
  void (*add)(std::map<NodeKey, NodeLive>&, const std::vector<VectorSample>&);
};

/// Each asks for the labels that it needs and no other, none of them long, and for a bounded number
/// of series of each customer: a customer can make as many and as large ones as its limits let it,
/// and the answer is its whole group's.
std::vector<LiveQuery> live_queries(const LookGroup& group);

/// `up` of our own programs, the best of each job.
std::string own_parts_query();
/// Who is away by that answer: every copy of it says 0.
std::set<OwnPart> own_parts_away(const std::vector<VectorSample>& samples);

/// Customers that an answer holds as many series of as they may add.
std::vector<CustomerId> crowded_in(const LookGroup& group,
                                   const std::vector<VectorSample>& samples);

/// The nodes to write down after a look: seen again after a while, or new and pushing. Bounded for
/// each customer and in all; the rest has its turn in the next looks. `known` are all that are
/// watched; the keys live as long as the state.
std::vector<const NodeKey*> nodes_to_keep(const LiveState& state,
                                          const std::vector<nodes::NodeRow>& known);

}  // namespace vigia::monitor::live
