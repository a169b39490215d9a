// What a customer's webhook is told, made of what Alertmanager would tell it.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::monitor::internal_port {

/// Alertmanager's webhook message (version 4) with the two fields that lead to the provider's own
/// machines made to lead to the portal at the origin `portal`: `externalURL` of the message to the
/// customer's alerts, `generatorURL` of each alert to its node's page, or to the alerts where it
/// has no node. Both are "" where the portal's address is not known. The rest stays as it is.
/// kInvalid where the body is no JSON object.
Result<std::string> customer_message(std::string_view body, const CustomerId& customer,
                                     std::string_view portal);

}  // namespace vigia::monitor::internal_port
