// The reverse proxies that a server trusts, as configurations name them.
#pragma once

#include <string>
#include <vector>

#include "libs/service/config.hpp"

namespace vigia::service {

/// A list such as [127.0.0.1, 10.0.0.0/8], for net::ServerSettings; absent: nobody is trusted.
/// Notes an error where an entry is neither an address nor a network.
std::vector<std::string> read_trusted_proxies(const ConfigNode& node);

}  // namespace vigia::service
