#include "services/agent/sender/collector_link.hpp"

#include <algorithm>
#include <array>

#include <protozero/exception.hpp>

#include "libs/net/compression.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/otlp/field_reader.hpp"

namespace vigia::agent::sender {

namespace {

constexpr std::size_t kResponseBytesMax = 4U << 20U;  // R-EXP-5
constexpr int kUnsupportedMediaType = 415;
constexpr std::size_t kMessageBytesMax = 512;
/// Statuses that speak of the address, the token or a proxy, not of the data.
constexpr std::array kSetUpStatuses{403, 404, 405, 407, 408, kUnsupportedMediaType,
                                    421, 426, 501, 505, 511};

std::string_view grpc_path(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case Signal::kLogs:
      return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    case Signal::kMetrics:
      break;
  }
  return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
}

/// Faults of the connection and answers that are no OTLP are passing: the data is not to blame.
Error as_passing(Error error) {
  if (!is_retryable(error)) error.code = ErrorCode::kUnavailable;
  return error;
}

Error as_judged(int status, Error error) {
  const bool is_set_up = status < 400 || std::find(kSetUpStatuses.begin(), kSetUpStatuses.end(),
                                                   status) != kSetUpStatuses.end();
  return is_set_up ? as_passing(std::move(error)) : error;
}

Error as_judged(net::GrpcCode code, Error error) {
  const bool is_set_up = code == net::GrpcCode::kUnimplemented ||
                         code == net::GrpcCode::kNotFound ||
                         code == net::GrpcCode::kPermissionDenied;
  return is_set_up ? as_passing(std::move(error)) : error;
}

/// A page of a proxy or of another server that answers 200 to everything: nothing was taken.
bool is_web_page(const net::ClientResponse& response) {
  return response.headers.get("content-type").starts_with("text/html");
}

}  // namespace

/// Shared with the client's callback, which may come after an interrupted wait has ended.
struct CollectorLink::Exchange {
  std::optional<Result<Delivery>> result;  // guarded by the link's mutex
  bool is_compression_unknown = false;
};

CollectorLink::CollectorLink(CollectorSettings settings, net::Client& client, ClockOffset& offset)
    : settings_(std::move(settings)),
      client_(client),
      offset_(offset),
      compression_(settings_.compression) {}

std::string CollectorLink::compression() const {
  const std::lock_guard lock(mutex_);
  return compression_;
}

/// For the rest of the run: a collector that does not know an encoding will not learn it, and each
/// try costs a request.
bool CollectorLink::fall_back() {
  const std::lock_guard lock(mutex_);
  if (compression_.empty()) return false;
  compression_ = compression_ == "zstd" ? "gzip" : "";
  return true;
}

net::ClientRequest CollectorLink::request(Signal signal) const {
  net::ClientRequest request;
  request.method = "POST";
  request.url = settings_.endpoint;
  request.url += settings_.protocol == Protocol::kGrpc ? std::string(grpc_path(signal))
                                                       : "/v1/" + std::string(to_string(signal));
  if (!settings_.token.empty()) request.headers.add("authorization", "Bearer " + settings_.token);
  request.timeout = settings_.timeout;
  request.response_bytes_max = kResponseBytesMax;
  request.tls = settings_.tls;
  return request;
}

Result<Delivery> CollectorLink::deliver(Signal signal, const std::string& body) {
  return settings_.protocol == Protocol::kGrpc ? deliver_grpc(signal, body)
                                               : deliver_http(signal, body);
}

Result<Delivery> CollectorLink::deliver_grpc(Signal signal, const std::string& body) {
  auto exchange = std::make_shared<Exchange>();
  net::ClientRequest call = request(signal);
  call.body = body;
  const auto asked = offset_.ask();
  client_.call(
      std::move(call), compression(), [this, exchange, asked](Result<net::GrpcReply> reply) {
        if (reply) offset_.note(asked, reply->date);
        const std::lock_guard lock(mutex_);
        if (!reply) {
          exchange->result = tl::unexpected<Error>(as_passing(std::move(reply.error())));
        } else if (auto error = net::error_from_grpc(reply->code, reply->message, reply->details)) {
          exchange->is_compression_unknown = reply->code == net::GrpcCode::kUnimplemented;
          exchange->result = tl::unexpected<Error>(as_judged(reply->code, *std::move(error)));
        } else {
          exchange->result = read_export_response(reply->body);
        }
        changed_.notify_all();
      });
  auto delivery = wait(exchange);
  if (!delivery && exchange->is_compression_unknown && fall_back()) {
    return deliver_grpc(signal, body);
  }
  return delivery;
}

Result<Delivery> CollectorLink::deliver_http(Signal signal, const std::string& body) {
  auto exchange = std::make_shared<Exchange>();
  net::ClientRequest post = request(signal);
  const std::string encoding = compression();
  auto packed = net::compress(encoding, body);
  if (!packed) return forward(packed);
  post.body = *std::move(packed);
  post.headers.add("content-type", "application/x-protobuf");
  if (!encoding.empty()) post.headers.add("content-encoding", encoding);
  const auto asked = offset_.ask();
  client_.send(std::move(post), [this, exchange, asked](Result<net::ClientResponse> response) {
    if (response) offset_.note(asked, response->headers.get("date"));
    const std::lock_guard lock(mutex_);
    if (!response) {
      exchange->result = tl::unexpected<Error>(as_passing(std::move(response.error())));
    } else if (auto error =
                   net::error_from_http(response->status, response->headers, response->body)) {
      exchange->is_compression_unknown = response->status == kUnsupportedMediaType;
      exchange->result = tl::unexpected<Error>(as_judged(response->status, *std::move(error)));
    } else if (is_web_page(*response)) {
      exchange->result =
          fail(ErrorCode::kUnavailable, "the endpoint answers with a web page: it is no collector");
    } else {
      exchange->result = read_export_response(response->body);
    }
    changed_.notify_all();
  });
  auto delivery = wait(exchange);
  if (!delivery && exchange->is_compression_unknown && fall_back()) {
    return deliver_http(signal, body);
  }
  return delivery;
}

Result<Delivery> CollectorLink::wait(const std::shared_ptr<Exchange>& exchange) {
  std::unique_lock lock(mutex_);
  // No time-out here: the client has one for each request.
  changed_.wait(lock, [&] { return exchange->result.has_value() || is_interrupted_; });
  if (!exchange->result) return fail(ErrorCode::kUnavailable, "the agent is stopping");
  return *exchange->result;
}

void CollectorLink::interrupt() {
  const std::lock_guard lock(mutex_);
  is_interrupted_ = true;
  changed_.notify_all();
}

Delivery read_export_response(std::string_view bytes) {
  constexpr std::uint32_t kPartialSuccessField = 1;
  constexpr std::uint32_t kRejectedField = 1;
  constexpr std::uint32_t kErrorMessageField = 2;
  Delivery delivery;
  try {
    wire::otlp::FieldReader response(bytes);
    while (response.next()) {
      if (response.tag_and_type() != wire::otlp::bytes_field(kPartialSuccessField)) {
        response.skip();
        continue;
      }
      wire::otlp::FieldReader partial(response.bytes());
      while (partial.next()) {
        if (partial.tag_and_type() == wire::otlp::varint_field(kRejectedField)) {
          delivery.rejected_items = partial.varint();
        } else if (partial.tag_and_type() == wire::otlp::bytes_field(kErrorMessageField)) {
          delivery.message = partial.bytes().substr(0, kMessageBytesMax);
        } else {
          partial.skip();
        }
      }
    }
  } catch (const protozero::exception& damage) {
    // The collector has said success; that it garbles the counts must not make us send again.
    delivery.message = std::string("unreadable answer: ") + damage.what();
  }
  return delivery;
}

}  // namespace vigia::agent::sender
