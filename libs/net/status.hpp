// The one place where our errors become HTTP and gRPC codes, and back.
#pragma once

#include "libs/base/result.hpp"
#include "libs/net/message.hpp"

namespace vigia::net {

/// 400, 401, 403, 404, 413, 429, 503, 504, 500: never 500 for a passing fault, since OTLP clients
/// drop data on it.
int http_status(ErrorCode code);
/// kTooLarge is RESOURCE_EXHAUSTED without RetryInfo (final, R-OTLP-3); kOverLimit and kUnavailable
/// are UNAVAILABLE.
GrpcCode grpc_code(ErrorCode code);
/// What an OTLP/HTTP or remote-write answer means to a sender: nothing for 2xx. 429, 502, 503, 504
/// are retryable (R-EXP-2); Retry-After, in seconds or as a date, becomes retry_after.
std::optional<Error> error_from_http(int status, const Headers& headers, std::string_view body);
/// The same for gRPC (R-EXP-1): RESOURCE_EXHAUSTED is retryable only with RetryInfo in `details`
/// (read to 8 KiB).
std::optional<Error> error_from_grpc(GrpcCode code, std::string_view message,
                                     std::string_view details);

/// Of the reason in an OTLP answer: more is cut behind a whole character, so that no client's bound
/// on what it reads makes an answer unreadable (R-OTLP-4).
inline constexpr std::size_t kOtlpReasonBytesMax = 512;

/// The error as an answer to an OTLP request: trailers for gRPC; else the HTTP status, Retry-After
/// where the error is retryable, and a google.rpc.Status body in the request's own encoding (JSON
/// or protobuf, R-OTLP-7). Its reason: kOtlpReasonBytesMax. Of kInvalid a google.rpc.BadRequest is
/// in the details: what the message says between ", at " and ": " is the place of its violation.
Response otlp_error(const RequestHead& request, const Error& error);
/// The error as an answer of a REST interface: {"error":"invalid","message":"…"}.
Response json_error(const Error& error);
/// The error as Prometheus' HTTP API spells it:
/// {"status":"error","errorType":"bad_data","error":"…"}.
Response prometheus_error(const Error& error);

}  // namespace vigia::net
