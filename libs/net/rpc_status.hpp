// google.rpc.Status (googleapis, google/rpc/status.proto): what gRPC carries beside code and
// message, and OTLP over HTTP in the body of an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/duration.hpp"
#include "libs/net/message.hpp"

namespace vigia::net {

struct RpcStatus {
  std::string message;
  std::optional<Duration> retry_after;  ///< of a RetryInfo in its details
};

inline constexpr std::string_view kRetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

/// Any bytes may be given, as another server sent them: more than 8 KiB are not read, and what is
/// damaged says nothing. A wait is cut at kRetryAfterMax; one that is negative or no Duration is
/// none.
RpcStatus read_rpc_status(std::string_view bytes);

/// Code, message, and RetryInfo where `retry_after` is set.
std::string encode_rpc_status(GrpcCode code, std::string_view message,
                              std::optional<Duration> retry_after);

/// One FieldViolation of a google.rpc.BadRequest (google/rpc/error_details.proto).
struct FieldViolation {
  std::string_view field;  ///< a path into the request; "" where the whole of it is wrong
  std::string_view description;
};
inline constexpr std::string_view kBadRequestType = "type.googleapis.com/google.rpc.BadRequest";

/// INVALID_ARGUMENT, the message, and a BadRequest with this violation (R-OTLP-7).
std::string encode_bad_request(std::string_view message, const FieldViolation& violation);

/// What a server may make us wait: a mistaken answer must not stop a sender for days.
inline constexpr Duration kRetryAfterMax = std::chrono::hours(1);

}  // namespace vigia::net
