// By what the marks and probes of one collector are told from another's.
#pragma once

#include <string>

#include "libs/base/result.hpp"

namespace vigia::collector {

/// Eight hex digits, random, made at the first call and kept in `<directory>/collector-id`.
/// kUnavailable where the file can be neither read nor written.
Result<std::string> collector_id(const std::string& directory);

}  // namespace vigia::collector
