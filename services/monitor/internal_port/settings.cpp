#include "services/monitor/internal_port/settings.hpp"

#include <fmt/format.h>

#include "libs/service/doors.hpp"
#include "libs/service/internal_token.hpp"

namespace vigia::monitor::internal_port {
namespace {

// Paths are put behind it, and the internal listener has no TLS.
bool is_http_host_port(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  return url.starts_with(kScheme) &&
         url.find_first_of("/?#", kScheme.size()) == std::string_view::npos &&
         url.find(':', kScheme.size()) != std::string_view::npos;
}

}  // namespace

InternalPortSettings read_internal_port(const service::ConfigNode& root) {
  constexpr std::size_t kTokenCharactersMin = 16;
  InternalPortSettings settings;
  settings.listen = service::read_listen(root.child("internal_listen"), settings.listen);
  const auto url = root.child("internal_url");
  settings.url = service::read_url(url, false);
  if (!settings.url.empty() && !is_http_host_port(settings.url)) {
    url.note_error("write it as http://HOST:PORT");
  }
  const auto token = root.child("internal_token");
  settings.token = service::read_bearer_token(token, true);
  if (!settings.token.empty() && settings.token.size() < kTokenCharactersMin) {
    token.note_error(fmt::format("at least {} characters", kTokenCharactersMin));
  }
  return settings;
}

}  // namespace vigia::monitor::internal_port
