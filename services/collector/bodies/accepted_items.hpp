// A body without the items that intake refused.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "libs/model/verdicts.hpp"

namespace vigia::collector::bodies {

/// The Export*ServiceRequest with the rejected items left out, and with them the scopes, metrics
/// and resources that held nothing else; every other field as it was. Items are numbered as
/// wire::otlp::walk does. kInvalid where the bytes are no such message.
Result<std::string> accepted_items(Signal signal, std::string_view body, const Verdicts& verdicts);

}  // namespace vigia::collector::bodies
