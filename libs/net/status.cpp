#include "libs/net/status.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "libs/base/clock.hpp"
#include "libs/base/json_text.hpp"
#include "libs/base/utf8.hpp"
#include "libs/net/media_type.hpp"
#include "libs/net/rpc_status.hpp"

namespace vigia::net {

namespace {

using std::chrono::seconds;

constexpr Duration kRetryAfterDefault = seconds(1);
constexpr std::size_t kMessageBytesMax = 512;
constexpr std::size_t kViolationBytesMax = 256;
constexpr std::string_view kPlaceMark = ", at ";

std::optional<Duration> bounded(Duration wait) {
  if (wait < Duration::zero()) return std::nullopt;
  return std::min(wait, kRetryAfterMax);
}

/// What a server said, cut and on one line, fit for a log and an error message.
std::string printable(std::string_view text) {
  std::string clean(text.substr(0, kMessageBytesMax));
  std::replace_if(
      clean.begin(), clean.end(),
      [](char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f; }, ' ');
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

std::optional<Duration> parse_retry_after(std::string_view value) {
  if (value.empty()) return std::nullopt;
  std::uint32_t count = 0;
  const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (fault == std::errc::result_out_of_range) return kRetryAfterMax;
  if (fault == std::errc() && end == value.data() + value.size()) return bounded(seconds(count));
  std::tm date{};
  const std::string text(value);
  const char* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const std::int64_t now_s = SystemClock().wall_ns() / 1'000'000'000;
  return bounded(seconds(std::max<std::int64_t>(timegm(&date) - now_s, 0)));
}

ErrorCode code_of_http(int status) {
  switch (status) {
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kForbidden;
    case 404:
      return ErrorCode::kNotFound;
    case 413:
      return ErrorCode::kTooLarge;
    case 429:
      return ErrorCode::kOverLimit;
    case 502:
    case 503:
      return ErrorCode::kUnavailable;
    case 504:
      return ErrorCode::kDeadline;
    default:
      return status >= 500 ? ErrorCode::kInternal : ErrorCode::kInvalid;
  }
}

std::string retry_seconds(Duration wait) {
  // Rounded up, at least one: Retry-After: 0 would ask for a busy loop.
  const auto count = (wait + seconds(1) - Duration(1)) / seconds(1);
  return std::to_string(std::max<std::int64_t>(count, 1));
}

/// Always said where sending again makes sense: without it each client waits by a guess of its own.
std::optional<Duration> wait_of(const Error& error) {
  if (!is_retryable(error)) return std::nullopt;
  return error.retry_after.value_or(kRetryAfterDefault);
}

/// What is wrong with a request that never passes as it is; nothing of other errors. Its text is in
/// the message already, and cut shorter: trailers of a few KiB are all that clients take.
std::optional<FieldViolation> violation_of(const Error& error) {
  if (error.code != ErrorCode::kInvalid) return std::nullopt;
  std::string_view description = error.message;
  std::string_view field;
  if (const std::size_t at = description.find(kPlaceMark); at != description.npos) {
    const std::size_t begin = at + kPlaceMark.size();
    const std::size_t end = description.find(": ", begin);
    if (end != description.npos) {
      field = description.substr(begin, end - begin);
      description.remove_prefix(end + 2);
    }
  }
  return FieldViolation{utf8_beginning(field, kViolationBytesMax),
                        utf8_beginning(description, kViolationBytesMax)};
}

std::string binary_rpc_status(GrpcCode code, std::string_view reason, const Error& error) {
  if (const auto violation = violation_of(error)) return encode_bad_request(reason, *violation);
  return encode_rpc_status(code, reason, wait_of(error));
}

std::string json_rpc_status(GrpcCode code, std::string_view reason, const Error& error) {
  std::string body =
      fmt::format(R"({{"code":{},"message":{})", static_cast<int>(code), json_text(reason));
  if (const auto wait = wait_of(error)) {
    body += fmt::format(R"(,"details":[{{"@type":"{}","retryDelay":"{}s"}}])", kRetryInfoType,
                        retry_seconds(*wait));
  }
  if (const auto violation = violation_of(error)) {
    const std::string field =
        violation->field.empty() ? "" : fmt::format(R"("field":{},)", json_text(violation->field));
    body +=
        fmt::format(R"(,"details":[{{"@type":"{}","fieldViolations":[{{{}"description":{}}}]}}])",
                    kBadRequestType, field, json_text(violation->description));
  }
  return body + "}";
}

Response http_error(const Error& error, std::string_view content_type) {
  Response response;
  response.status = http_status(error.code);
  response.headers.add("content-type", content_type);
  if (const auto wait = wait_of(error)) {
    response.headers.add("retry-after", retry_seconds(*wait));
  }
  if (error.code == ErrorCode::kUnauthenticated) {
    response.headers.add("www-authenticate", "Bearer");
  }
  return response;
}

std::string_view prometheus_error_type(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kTooLarge:
      return "bad_data";
    case ErrorCode::kUnauthenticated:
      return "unauthorized";
    case ErrorCode::kForbidden:
      return "forbidden";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kOverLimit:
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kDeadline:
      return "timeout";
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

}  // namespace

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kForbidden:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kOverLimit:
      return 429;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kDeadline:
      return 504;
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

GrpcCode grpc_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return GrpcCode::kInvalidArgument;
    case ErrorCode::kUnauthenticated:
      return GrpcCode::kUnauthenticated;
    case ErrorCode::kForbidden:
      return GrpcCode::kPermissionDenied;
    case ErrorCode::kNotFound:
      return GrpcCode::kNotFound;
    case ErrorCode::kTooLarge:
      return GrpcCode::kResourceExhausted;
    case ErrorCode::kOverLimit:
    case ErrorCode::kUnavailable:
      return GrpcCode::kUnavailable;
    case ErrorCode::kDeadline:
      return GrpcCode::kDeadlineExceeded;
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      return GrpcCode::kInternal;
  }
  return GrpcCode::kInternal;
}

std::optional<Error> error_from_http(int status, const Headers& headers, std::string_view body) {
  if (status >= 200 && status < 300) return std::nullopt;
  std::string said;
  const std::string_view type = headers.get("content-type");
  if (type.starts_with("application/x-protobuf")) {
    said = printable(read_rpc_status(body).message);
  } else {
    said = printable(body);
  }
  Error error{code_of_http(status),
              fmt::format("HTTP {}{}{}", status, said.empty() ? "" : ": ", said)};
  if (is_retryable(error)) error.retry_after = parse_retry_after(headers.get("retry-after"));
  return error;
}

std::optional<Error> error_from_grpc(GrpcCode code, std::string_view message,
                                     std::string_view details) {
  if (code == GrpcCode::kOk) return std::nullopt;
  const auto retry_after = read_rpc_status(details).retry_after;
  const auto own_code = [&] {
    switch (code) {
      case GrpcCode::kCancelled:
      case GrpcCode::kAborted:
      case GrpcCode::kOutOfRange:
      case GrpcCode::kUnavailable:
      case GrpcCode::kDataLoss:
        return ErrorCode::kUnavailable;
      case GrpcCode::kDeadlineExceeded:
        return ErrorCode::kDeadline;
      case GrpcCode::kResourceExhausted:
        // OTLP, "OTLP/gRPC Response": RESOURCE_EXHAUSTED may be sent again only where RetryInfo
        // says so.
        return retry_after ? ErrorCode::kOverLimit : ErrorCode::kTooLarge;
      case GrpcCode::kUnauthenticated:
        return ErrorCode::kUnauthenticated;
      case GrpcCode::kPermissionDenied:
        return ErrorCode::kForbidden;
      case GrpcCode::kNotFound:
        return ErrorCode::kNotFound;
      case GrpcCode::kInvalidArgument:
      case GrpcCode::kUnimplemented:
        return ErrorCode::kInvalid;
      default:
        return ErrorCode::kInternal;
    }
  }();
  const std::string said = printable(message);
  Error error{own_code, fmt::format("gRPC status {}{}{}", static_cast<int>(code),
                                    said.empty() ? "" : ": ", said)};
  if (is_retryable(error)) error.retry_after = retry_after;
  return error;
}

Response otlp_error(const RequestHead& request, const Error& error) {
  const GrpcCode code = grpc_code(error.code);
  const std::string_view reason = utf8_beginning(error.message, kOtlpReasonBytesMax);
  if (request.transport == Transport::kGrpc) {
    Response response;
    response.grpc_code = code;
    response.grpc_message = reason;
    if (wait_of(error) || violation_of(error))
      response.grpc_details = binary_rpc_status(code, reason, error);
    return response;
  }
  if (MediaType(request.headers.get("content-type")).type() == "application/json") {
    Response response = http_error(error, "application/json");
    response.body = json_rpc_status(code, reason, error);
    return response;
  }
  Response response = http_error(error, "application/x-protobuf");
  response.body = binary_rpc_status(code, reason, error);
  return response;
}

Response json_error(const Error& error) {
  Response response = http_error(error, "application/json");
  response.body = fmt::format(R"({{"error":"{}","message":{}}})", to_string(error.code),
                              json_text(error.message));
  return response;
}

Response prometheus_error(const Error& error) {
  Response response = http_error(error, "application/json");
  response.body = fmt::format(R"({{"status":"error","errorType":"{}","error":{}}})",
                              prometheus_error_type(error.code), json_text(error.message));
  return response;
}

}  // namespace vigia::net
