// The driver's kinds of failure as errors of the house.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/result.hpp"

namespace vigia::cassandra {

/// The error of a code of vigia_cassandra.h that is not VIGIA_CASSANDRA_OK. What a cluster in
/// trouble says is retryable (kUnavailable, kDeadline); what is there already is kInvalid; a code
/// that nobody knows is kInternal.
Error error_of(std::uint32_t code, std::string message);

}  // namespace vigia::cassandra
