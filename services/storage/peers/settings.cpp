#include "services/storage/peers/settings.hpp"

#include <set>

#include "libs/service/doors.hpp"

namespace vigia::storage::peers {
namespace {

constexpr std::size_t kPeersMax = 64;

// The scheme, a host and perhaps a port: the rest is this program's to say, and a name of a user
// would be logged.
bool is_origin(std::string_view url) {
  const bool is_known = url.starts_with("http://") || url.starts_with("https://");
  if (!is_known) return false;
  const std::string_view host = url.substr(url.find("://") + 3);
  return !host.empty() && host.find_first_of("/?#@ ") == std::string_view::npos;
}

}  // namespace

PeerSettings read_peers(const service::ConfigNode& store) {
  PeerSettings settings;
  const service::ConfigNode peers = store.child("peers");
  settings.urls = peers.text_list();
  if (settings.urls.size() > kPeersMax) peers.note_error("more than 64");
  std::set<std::string> seen;
  for (const std::string& url : settings.urls) {
    if (!is_origin(url)) peers.note_error("\"" + url + "\" is not http(s)://host:port");
    if (!seen.insert(url).second) peers.note_error("\"" + url + "\" stands there twice");
  }
  settings.tls = service::read_client_tls(store.child("peers_tls"));
  return settings;
}

}  // namespace vigia::storage::peers
