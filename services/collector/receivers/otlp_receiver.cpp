#include "services/collector/receivers/otlp_receiver.hpp"

#include <utility>

#include "libs/net/bearer_token.hpp"
#include "libs/net/status.hpp"
#include "libs/otlp/door.hpp"
#include "libs/otlp/paths.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/receivers/grpc_health.hpp"

namespace vigia::collector::receivers {
namespace {

constexpr const char* kNoPath = "no such path; OTLP is served at /v1/metrics, /v1/traces, /v1/logs";
constexpr const char* kNoMethod =
    "no such method; the Export methods of OTLP's MetricsService, TraceService and LogsService are "
    "served, and grpc.health.v1.Health/Check. There is no reflection: give the .proto files to "
    "your client";

Error error_of(ErrorCode code, std::string message) {
  return Error{code, std::move(message), std::nullopt};
}

std::string_view transport_name(const net::RequestHead& head) {
  return head.transport == net::Transport::kGrpc ? "grpc" : "http";
}

/// An answer to what is no OTLP request at all: a path, method or type that we do not serve. Who
/// sends neither of OTLP's types is a person with curl: it gets text that can be read.
net::Response not_served(const net::RequestHead& head, int status, std::string message) {
  const Error error = error_of(ErrorCode::kInvalid, std::move(message));
  net::Response response =
      otlp::form_of(head) ? net::otlp_error(head, error) : net::json_error(error);
  response.status = status;
  if (head.transport == net::Transport::kGrpc) response.grpc_code = net::GrpcCode::kUnimplemented;
  if (status == 405) response.headers.add("allow", "POST");
  return response;
}

}  // namespace

OtlpReceiver::OtlpReceiver(const Parts& parts)
    : parts_(parts),
      requests_refused_(parts.metrics.counter("vigia_requests_refused_total",
                                              "Requests answered with an error, for any reason")),
      shut_out_(parts.clock) {
  parts.metrics.on_collect(
      [this](const service::MetricRegistry::Emit& emit) { shut_out_.show(emit); });
}

Result<tenancy::TokenHash> OtlpReceiver::read_token(const net::RequestHead& head) {
  // A proxy in front may have judged the other one.
  if (head.headers.count("authorization") > 1) {
    return fail(ErrorCode::kInvalid, "more than one Authorization header");
  }
  auto token = net::bearer_token(head.headers.get("authorization"));
  if (!token) return forward(token);
  return tenancy::hash_token(*token);
}

Result<tenancy::Customer> OtlpReceiver::authenticate(const net::RequestHead& head) const {
  const auto directory = parts_.directory();
  if (!directory) {
    return tl::unexpected<Error>(Error{ErrorCode::kUnavailable,
                                       "customers and tokens are not loaded yet, or too old",
                                       intake::kRetryAfter});
  }
  auto token = head.credential ? Result<tenancy::TokenHash>(*head.credential) : read_token(head);
  if (!token) return forward(token);
  auto principal = directory->owner_of(*token, parts_.clock.wall_ms());
  if (!principal) return forward(principal);
  if (principal->is_operator() || principal->scope != tenancy::Scope::kIngest) {
    return fail(ErrorCode::kForbidden, "the token's scope is not ingest");
  }
  const tenancy::Customer* customer = directory->find(*principal->customer);
  if (customer == nullptr) return fail(ErrorCode::kUnauthenticated, "the customer is not known");
  return *customer;
}

net::Response OtlpReceiver::refused(const net::RequestHead& head, const Error& error) {
  requests_refused_.add();
  return net::otlp_error(head, error);
}

net::Response OtlpReceiver::refuse(const net::RequestHead& head, const Error& error) {
  if (error.code == ErrorCode::kUnavailable && parts_.is_short_of_memory()) {
    if (const auto customer = CustomerId::parse(head.owner)) shut_out_.note_refused(*customer);
  }
  return refused(head, error);
}

std::size_t OtlpReceiver::body_bytes_max(const net::RequestHead& head) const {
  return is_health_check(head) ? kHealthBytesMax : Handler::body_bytes_max(head);
}

std::optional<net::Response> OtlpReceiver::admit(net::RequestHead& head) {
  if (is_health_check(head)) return std::nullopt;
  if (!otlp::signal_of_path(head)) {
    requests_refused_.add();
    return not_served(head, 404, head.transport == net::Transport::kGrpc ? kNoMethod : kNoPath);
  }
  if (head.method != "POST") {
    requests_refused_.add();
    return not_served(head, 405, "OTLP requests are POST");
  }
  // Hashed once, and the token itself is not kept beyond the head.
  if (const auto token = read_token(head)) head.credential = *token;
  const auto customer = authenticate(head);
  if (!customer) return refused(head, customer.error());
  // From here on the request's bytes are counted as the customer's, not as its address'.
  head.owner = customer->id.text();
  if (!otlp::form_of(head)) {
    requests_refused_.add();
    return not_served(head, 415, "content-type must be application/x-protobuf or application/json");
  }
  if (!parts_.is_short_of_memory()) shut_out_.note_let_in(customer->id);
  return std::nullopt;
}

void OtlpReceiver::handle(net::Request request, net::Responder responder) {
  if (is_health_check(request)) {
    const bool is_serving = parts_.directory() != nullptr && !parts_.is_short_of_memory();
    responder.send(health_answer(request.body, is_serving));
    return;
  }
  // Checked again: the body may have taken its time, and a token may be revoked meanwhile.
  const auto customer = authenticate(request);
  if (!customer) {
    responder.send(refused(request, customer.error()));
    return;
  }
  shut_out_.note_let_in(customer->id);
  const Signal signal = *otlp::signal_of_path(request);
  const otlp::BodyForm form = *otlp::form_of(request);
  intake::ExportRequest taken{signal, transport_name(request), std::move(request.body),
                              form == otlp::BodyForm::kJson};
  parts_.intake.take(
      *customer, std::move(taken),
      [this, signal, form, responder = std::move(responder),
       head = static_cast<net::RequestHead>(request)](Result<intake::Receipt> receipt) mutable {
        responder.send(receipt ? otlp::accepted(signal, form, {receipt->rejected, receipt->message})
                               : refused(head, receipt.error()));
      });
}

}  // namespace vigia::collector::receivers
