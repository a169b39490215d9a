#include "services/monitor/nodes/settings.hpp"

namespace vigia::monitor::nodes {

NodeSettings read_nodes(const service::ConfigNode& node) {
  NodeSettings settings;
  settings.addresses.allow_loopback = node.child("allow_loopback").boolean(false);
  return settings;
}

}  // namespace vigia::monitor::nodes
