// Whether a hot store is there.
#pragma once

#include <string>

#include "libs/net/client.hpp"

namespace vigia::monitor::alerting {

/// Asks for /-/ready. False where nobody answers in 2 s, and while it starts or ends (503); a
/// compatible store that does not know the path is there. Blocks.
bool is_hot_store_there(net::Client& client, const std::string& url);

}  // namespace vigia::monitor::alerting
