// Where a server listens and with which certificate, as configurations say it: what would end the
// start is told with its line, by --check-config too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/net/server.hpp"
#include "libs/service/config.hpp"

namespace vigia::service {

/// HOST:PORT, [IPV6]:PORT or :PORT; the host's name is not looked up here. Notes an error about any
/// other text.
std::string read_listen(const ConfigNode& node, std::string_view fallback);

/// {cert_file, key_file}; nothing where it is absent. Notes an error about a file that cannot be
/// opened.
std::optional<net::TlsServerSettings> read_server_tls(const ConfigNode& node);

}  // namespace vigia::service
