// A verdict for every span or log record of a request.
#pragma once

#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "services/collector/intake/checked.hpp"

namespace vigia::collector::intake {

/// kInvalid where the body is no Export{Trace,Logs}ServiceRequest, kTooLarge where it holds more
/// than one may. REQUIRES: signal is kTraces or kLogs.
Result<Checked> check_records(const CustomerId& customer, Signal signal, std::string_view body);

}  // namespace vigia::collector::intake
