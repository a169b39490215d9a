// Where a server listens and with which certificate, where neighbours are and which files are read,
// as configurations say it: what would end the start is told with its line, by --check-config too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/config.hpp"

namespace vigia::service {

/// HOST:PORT, [IPV6]:PORT or :PORT; the host's name is not looked up here. Notes an error about any
/// other text.
std::string read_listen(const ConfigNode& node, std::string_view fallback);

/// An http(s) address without a slash at its end, so that paths can be put behind it; "" where it
/// is absent, which is noted as an error where it is required. Notes an error about any other
/// scheme.
std::string read_url(const ConfigNode& node, bool is_required);

/// A file that can be opened to read, now; "" where it is absent. Notes an error about one that
/// cannot.
std::string read_readable_file(const ConfigNode& node);

/// {cert_file, key_file}, and client_ca_file where clients must show a certificate; min_version,
/// max_version, and how the files are watched: reload_interval, client_ca_file_reload. Nothing
/// where it is absent. Notes an error about a file that cannot be opened, or what cannot be.
std::optional<net::TlsServerSettings> read_server_tls(const ConfigNode& node);

/// {ca_file, cert_file, key_file}: by which a server is known, and what is shown to one that asks;
/// nothing where it is absent. Notes an error about a file that cannot be opened, and about one of
/// the two without the other.
std::optional<net::TlsClientSettings> read_client_tls(const ConfigNode& node);

}  // namespace vigia::service
