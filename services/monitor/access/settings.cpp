#include "services/monitor/access/settings.hpp"

#include "libs/service/doors.hpp"

namespace vigia::monitor::access {

DoorSettings read_door(const service::ConfigNode& root) {
  DoorSettings door;
  door.listen = service::read_listen(root.child("listen"), door.listen);
  door.tls = service::read_server_tls(root.child("tls"));
  const auto proxies = root.child("trusted_proxies");
  for (const auto& item : proxies.items()) door.proxies.push_back(item.required_text());
  auto parsed = DoorProxies::parse(door.proxies);
  if (parsed) {
    door.trusted_proxies = std::move(*parsed);
  } else {
    proxies.note_error(parsed.error().message);
  }
  door.public_url = service::read_url(root.child("public").child("url"), false);
  return door;
}

}  // namespace vigia::monitor::access
