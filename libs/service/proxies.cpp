#include "libs/service/proxies.hpp"

#include "libs/net/server.hpp"

namespace vigia::service {

std::vector<std::string> read_trusted_proxies(const ConfigNode& node) {
  std::vector<std::string> entries = node.text_list();
  if (const auto checked = net::check_proxies(entries); !checked) {
    node.note_error(checked.error().message);
  }
  return entries;
}

}  // namespace vigia::service
