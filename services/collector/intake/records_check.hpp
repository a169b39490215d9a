// A verdict for every span or log record of a request.
#pragma once

#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "libs/model/verdicts.hpp"

namespace vigia::collector {

/// kInvalid where the body is no Export{Trace,Logs}ServiceRequest. REQUIRES: signal is kTraces or
/// kLogs.
Result<Verdicts> check_records(const CustomerId& customer, Signal signal, std::string_view body);

}  // namespace vigia::collector
