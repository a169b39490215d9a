// Whether a channel can be written into Alertmanager's configuration: what Alertmanager itself
// would refuse is refused here, since one entry that it does not take keeps everybody's changes
// out.
#pragma once

#include <string>

#include "libs/base/result.hpp"

namespace vigia::monitor::channels {

/// kInvalid, saying what is wrong, for an unknown type, a URL that Go's net/url would not parse
/// (RFC 3986 as Alertmanager reads it: percent escapes, host, port), an address that is no dot-atom
/// of RFC 5321 and 5322, a #name of odd characters, and whatever Alertmanager would run as a
/// template. Asks no name server.
Result<void> check_channel_text(const std::string& type, const std::string& target,
                                const std::string& channel);

/// An e-mail address as it goes over SMTP: its domain in the ASCII form of IDNA 2008
/// ("ejemplo.españa" is "ejemplo.xn--espaa-rta"). kInvalid, with a hint, for several addresses at
/// once, quoted local parts, address literals, and letters outside ASCII before the @.
Result<std::string> wire_mail_address(const std::string& text);

}  // namespace vigia::monitor::channels
