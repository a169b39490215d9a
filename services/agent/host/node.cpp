#include "services/agent/host/node.hpp"

#include <utility>

namespace vigia::agent::host {

std::vector<ResourceAttribute> node_attributes(const NodeSettings& settings) {
  std::vector<ResourceAttribute> attributes;
  const auto add = [&](std::string key, const std::string& value) {
    if (!value.empty()) attributes.push_back({std::move(key), {value}, false});
  };
  add("customer.id", settings.customer.text());
  add("customer.name", settings.customer_name);
  add("node.id", settings.node.text());
  add("node.region", settings.region);
  add("environment", settings.environment);
  return attributes;
}

}  // namespace vigia::agent::host
