#include "libs/net/status.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/clock.hpp"
#include "libs/base/json_text.hpp"

namespace vigia::net {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr Duration kRetryAfterDefault = seconds(1);
// What a server may make us wait: a mistaken header must not stop an exporter for days.
constexpr Duration kRetryAfterMax = std::chrono::hours(1);
constexpr std::size_t kDetailsBytesMax = 8192;
constexpr std::size_t kMessageBytesMax = 512;
constexpr std::string_view kRetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

// The range of google.protobuf.Duration.
constexpr std::uint64_t kSecondsMax = 315'576'000'000;

constexpr std::uint64_t kVarintType = 0;
constexpr std::uint64_t kSizedType = 2;

constexpr std::uint64_t sized_key(std::uint64_t field) { return field << 3U | kSizedType; }

/// Calls `varint(field, value)` and `sized(field, bytes)` for the fields of a protobuf message.
/// False where it is damaged.
template <typename Varint, typename Sized>
bool read_fields(std::string_view message, Varint varint, Sized sized) {
  ByteReader reader(message);
  while (reader.ok() && !reader.rest().empty()) {
    const std::uint64_t key = reader.read_varint();
    const std::uint64_t type = key & 7U;
    if (type == kVarintType) {
      varint(key >> 3U, reader.read_varint());
    } else if (type == kSizedType) {
      sized(key >> 3U, reader.read_sized());
    } else if (type == 1) {
      reader.read_bytes(8);
    } else if (type == 5) {
      reader.read_bytes(4);
    } else {
      return false;
    }
  }
  return reader.ok();
}

void ignore_varint(std::uint64_t /*field*/, std::uint64_t /*value*/) {}
void ignore_sized(std::uint64_t /*field*/, std::string_view /*bytes*/) {}

std::optional<Duration> bounded(Duration wait) {
  if (wait < Duration::zero()) return std::nullopt;
  return std::min(wait, kRetryAfterMax);
}

/// google.protobuf.Duration inside google.rpc.RetryInfo.
std::optional<Duration> read_retry_info(std::string_view info) {
  std::uint64_t whole = 0;
  std::uint64_t nanos = 0;
  bool is_there = false;
  const bool ok =
      read_fields(info, ignore_varint, [&](std::uint64_t field, std::string_view duration) {
        if (field != 1) return;
        is_there = read_fields(
            duration,
            [&](std::uint64_t part, std::uint64_t value) { (part == 1 ? whole : nanos) = value; },
            ignore_sized);
      });
  if (!ok || !is_there || whole > kSecondsMax || nanos > 999'999'999) return std::nullopt;
  if (whole > static_cast<std::uint64_t>(duration_cast<seconds>(kRetryAfterMax).count())) {
    return kRetryAfterMax;
  }
  return bounded(seconds(whole) + std::chrono::nanoseconds(nanos));
}

struct RpcStatus {
  std::string message;
  std::optional<Duration> retry_after;
};

RpcStatus read_rpc_status(std::string_view bytes) {
  RpcStatus status;
  // What the server at the other end says is outside bytes too: cut here, and made printable below.
  if (bytes.size() > kDetailsBytesMax) return status;
  read_fields(bytes, ignore_varint, [&](std::uint64_t field, std::string_view value) {
    if (field == 2) status.message = value;
    if (field != 3) return;
    std::string_view type;
    std::string_view detail;
    read_fields(value, ignore_varint, [&](std::uint64_t part, std::string_view text) {
      (part == 1 ? type : detail) = text;
    });
    if (type == kRetryInfoType) status.retry_after = read_retry_info(detail);
  });
  return status;
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

std::string encode_duration(Duration duration) {
  const auto whole = duration_cast<seconds>(duration);
  std::string out;
  if (whole.count() > 0) {
    append_varint(out, 1U << 3U | kVarintType);
    append_varint(out, static_cast<std::uint64_t>(whole.count()));
  }
  if (const auto nanos = (duration - whole).count(); nanos > 0) {
    append_varint(out, 2U << 3U | kVarintType);
    append_varint(out, static_cast<std::uint64_t>(nanos));
  }
  return out;
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

std::string json_rpc_status(GrpcCode code, const Error& error) {
  std::string body =
      fmt::format(R"({{"code":{},"message":{})", static_cast<int>(code), json_text(error.message));
  if (const auto wait = wait_of(error)) {
    body += fmt::format(R"(,"details":[{{"@type":"{}","retryDelay":"{}s"}}])", kRetryInfoType,
                        retry_seconds(*wait));
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

std::string encode_rpc_status(GrpcCode code, std::string_view message,
                              std::optional<Duration> retry_after) {
  std::string out;
  append_varint(out, 1U << 3U | kVarintType);
  append_varint(out, static_cast<std::uint64_t>(code));
  if (!message.empty()) {
    append_varint(out, sized_key(2));
    append_sized(out, message);
  }
  if (retry_after) {
    std::string info;
    append_varint(info, sized_key(1));
    append_sized(info, encode_duration(std::max(*retry_after, Duration::zero())));
    std::string any;
    append_varint(any, sized_key(1));
    append_sized(any, kRetryInfoType);
    append_varint(any, sized_key(2));
    append_sized(any, info);
    append_varint(out, sized_key(3));
    append_sized(out, any);
  }
  return out;
}

Response otlp_error(const RequestHead& request, const Error& error) {
  const GrpcCode code = grpc_code(error.code);
  if (request.transport == Transport::kGrpc) {
    Response response;
    response.grpc_code = code;
    response.grpc_message = error.message.substr(0, kMessageBytesMax);
    if (const auto wait = wait_of(error)) {
      response.grpc_details = encode_rpc_status(code, response.grpc_message, wait);
    }
    return response;
  }
  if (request.headers.get("content-type").starts_with("application/json")) {
    Response response = http_error(error, "application/json");
    response.body = json_rpc_status(code, error);
    return response;
  }
  Response response = http_error(error, "application/x-protobuf");
  response.body = encode_rpc_status(code, error.message, wait_of(error));
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
