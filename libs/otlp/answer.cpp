#include "libs/otlp/answer.hpp"

#include <algorithm>
#include <array>

#include <protozero/exception.hpp>

#include "libs/net/media_type.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::otlp {
namespace {

using Meaning = ExportAnswer::Meaning;
using net::GrpcCode;
using wire::otlp::FieldReader;

constexpr int kTooLargeStatus = 413;
constexpr int kUnsupportedMediaType = 415;
constexpr std::size_t kMessageBytesMax = 512;

/// Statuses that speak of the way to the other side: its address, path, method, encoding or version
/// of HTTP, the token, the account behind it, a proxy in between. Somebody can mend that, and the
/// data would be taken then. 400, 413, 422 and the other 4xx may be about the data.
constexpr std::array kSetUpStatuses{401, 402, 403, 404, 405, 407, 408, kUnsupportedMediaType,
                                    410, 421, 426, 431, 501, 505, 511};
/// OTLP/HTTP, "Retryable Response Codes".
constexpr std::array kRetryStatuses{429, 502, 503, 504};

template <std::size_t Size>
bool contains(const std::array<int, Size>& list, int status) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

Meaning meaning_of(int status) {
  // Redirects are never followed, since a token must not travel on; and below 200 nothing is said.
  if (status < 400 || contains(kSetUpStatuses, status) || contains(kRetryStatuses, status))
    return Meaning::kLater;
  return status >= 500 ? Meaning::kBroken : Meaning::kRefused;
}

Meaning meaning_of(GrpcCode code, bool is_retryable) {
  if (is_retryable) return Meaning::kLater;
  switch (code) {
    case GrpcCode::kUnauthenticated:
    case GrpcCode::kPermissionDenied:
    case GrpcCode::kNotFound:
    case GrpcCode::kUnimplemented:
      return Meaning::kLater;
    case GrpcCode::kUnknown:
    case GrpcCode::kInternal:
      return Meaning::kBroken;
    default:
      return Meaning::kRefused;
  }
}

/// A proxy's log-in page, or another server that says 200 to everything.
bool is_web_page(const net::ClientResponse& response) {
  return net::MediaType(response.headers.get("content-type")).type() == "text/html";
}

void read_partial_success(std::string_view bytes, ExportAnswer& answer) {
  using Partial = wire::otlp::PartialSuccessField;
  FieldReader partial(bytes);
  while (partial.next()) {
    if (partial.tag_and_type() == Partial::kRejected.tag) {
      // An int64 on the wire: what is below zero is no count.
      const auto count = static_cast<std::int64_t>(partial.varint());
      answer.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
    } else if (partial.tag_and_type() == Partial::kErrorMessage.tag) {
      answer.why = partial.bytes().substr(0, kMessageBytesMax);
    } else {
      partial.skip();
    }
  }
}

/// An Export{Metrics,Trace,Logs}ServiceResponse.
ExportAnswer taken(std::string_view bytes) {
  ExportAnswer answer;
  try {
    FieldReader response(bytes);
    while (response.next()) {
      if (response.tag_and_type() == wire::otlp::ExportResponseField::kPartialSuccess.tag) {
        read_partial_success(response.bytes(), answer);
      } else {
        response.skip();
      }
    }
  } catch (const protozero::exception& damage) {
    // It has said success; that it garbles the counts must not make anybody send again.
    answer.rejected = 0;
    answer.why = std::string("unreadable answer: ") + damage.what();
  }
  return answer;
}

}  // namespace

ExportAnswer judge_failure(const Error& error) {
  return {.meaning = Meaning::kLater,
          .why = error.message,
          .retry_after = error.retry_after,
          .is_timeout = error.code == ErrorCode::kDeadline};
}

ExportAnswer judge_http(const Result<net::ClientResponse>& response) {
  if (!response) return judge_failure(response.error());
  auto error = net::error_from_http(response->status, response->headers, response->body);
  if (!error) {
    if (!is_web_page(*response)) return taken(response->body);
    return {.meaning = Meaning::kLater,
            .why = "the endpoint answers with a web page: it takes no OTLP"};
  }
  return {.meaning = meaning_of(response->status),
          .why = std::move(error->message),
          .retry_after = error->retry_after,
          .is_too_large = response->status == kTooLargeStatus,
          .is_encoding_unknown = response->status == kUnsupportedMediaType};
}

ExportAnswer judge_grpc(const Result<net::GrpcReply>& reply) {
  if (!reply) return judge_failure(reply.error());
  auto error = net::error_from_grpc(reply->code, reply->message, reply->details);
  if (!error) return taken(reply->body);
  const Meaning meaning = meaning_of(reply->code, is_retryable(*error));
  return {.meaning = meaning,
          .why = std::move(error->message),
          .retry_after = error->retry_after,
          .is_timeout = reply->code == GrpcCode::kDeadlineExceeded,
          .is_too_large = error->code == ErrorCode::kTooLarge,
          .is_encoding_unknown = reply->code == GrpcCode::kUnimplemented};
}

}  // namespace vigia::otlp
