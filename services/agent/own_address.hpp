// Addresses as the configuration writes them, and which of them are this host's own.
#pragma once

#include <string>
#include <string_view>

namespace vigia::agent {

/// "host:port" or "[::1]:port" with a port that there is.
bool is_address(std::string_view text);

/// "http://host:port" or "https://host", without a path.
bool is_endpoint(std::string_view text);

/// True where sending to `endpoint` would come back to `listen`: same port, and the host is the
/// address listened on, or one of our own where that is a wildcard.
bool is_own_address(const std::string& endpoint, const std::string& listen);

}  // namespace vigia::agent
