// What an agent tells of itself: the names of its series, and the labels by which they differ.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace vigia::monitor::live {

/// Metrics of one name: of each of `values` of the label one series, of no label one.
struct AgentMetric {
  std::string_view name;
  std::string_view label = {};  ///< "": the series has none of its own
  std::span<const std::string_view> values = {};

  bool is_counter() const { return name.ends_with("_total"); }
};

/// All of them (services/agent/health/agent_status.cpp), those of a name together. Vigía keeps no
/// other series of a node's own health, so that a node cannot make any (docs/decisions/0011).
std::span<const AgentMetric> agent_metrics();

/// Series that one node can have, of all names together.
inline constexpr std::size_t kAgentSeries = 33;

/// The metric of that name; null where an agent has none such.
const AgentMetric* find_agent_metric(std::string_view name);

/// The values of a node's series. Whatever it is given, it holds no others than an agent has: a
/// node has the same few series for ever.
class AgentHealth {
 public:
  enum class AddOutcome {
    kTaken,
    kUnknown,   ///< no series of an agent, or no finite number
    kRepeated,  ///< the first value of a series stays
  };
  /// `label_value`: of the label that the name has; "" for a name without.
  AddOutcome add(std::string_view name, std::string_view label_value, double value);
  std::optional<double> value(std::string_view name, std::string_view label_value = {}) const;

 private:
  std::array<std::optional<double>, kAgentSeries> values_{};  ///< in the order of agent_metrics()
};

}  // namespace vigia::monitor::live
