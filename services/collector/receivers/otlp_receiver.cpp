#include "services/collector/receivers/otlp_receiver.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/net/status.hpp"
#include "libs/otlp/door.hpp"
#include "libs/otlp/paths.hpp"
#include "services/collector/receivers/grpc_health.hpp"
#include "services/collector/receivers/grpc_reflection.hpp"

namespace vigia::collector::receivers {
namespace {

constexpr const char* kNoMethod =
    "no such method; the Export methods of OTLP's MetricsService, TraceService and LogsService are "
    "served, grpc.health.v1.Health/Check, and reflection, which lists them";

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

std::string OtlpReceiver::no_path() const {
  return fmt::format("no such path; OTLP is served at {}, {}, {}", parts_.paths.metrics,
                     parts_.paths.traces, parts_.paths.logs);
}

net::Response OtlpReceiver::refused(const net::RequestHead& head, const Error& error) {
  parts_.door.note_refused();
  return net::otlp_error(head, error);
}

net::Response OtlpReceiver::refuse(const net::RequestHead& head, const Error& error) {
  parts_.door.note_refused_by_server(head, error);
  // Else the owner is an address, and no customer's trouble.
  const auto customer = CustomerId::parse(head.owner);
  if (head.credential && customer)
    parts_.intake.refusals_told().tell(*customer, to_string(error.code), 0, error.message);
  return refused(head, error);
}

std::size_t OtlpReceiver::body_bytes_max(const net::RequestHead& head) const {
  if (is_health_check(head)) return kHealthBytesMax;
  return is_reflection(head) ? kReflectionBytesMax : Handler::body_bytes_max(head);
}

std::unique_ptr<net::GrpcTalk> OtlpReceiver::open_talk(const net::RequestHead& head) {
  return is_reflection(head) ? std::make_unique<ReflectionTalk>() : nullptr;
}

std::optional<net::Response> OtlpReceiver::admit(net::RequestHead& head) {
  if (is_health_check(head) || is_reflection(head)) return std::nullopt;
  if (!otlp::signal_of_path(head, parts_.paths)) {
    parts_.door.note_refused();
    return not_served(head, 404, head.transport == net::Transport::kGrpc ? kNoMethod : no_path());
  }
  if (head.method != "POST") {
    parts_.door.note_refused();
    return not_served(head, 405, "OTLP requests are POST");
  }
  const auto customer = parts_.door.admit(head);
  if (!customer) return refused(head, customer.error());
  if (!otlp::form_of(head)) {
    parts_.door.note_refused();
    return not_served(head, 415, "content-type must be application/x-protobuf or application/json");
  }
  parts_.door.note_admitted(customer->id);
  return std::nullopt;
}

void OtlpReceiver::handle(net::Request request, net::Responder responder) {
  if (is_health_check(request)) {
    responder.send(health_answer(request.body, parts_.door.is_serving()));
    return;
  }
  const auto customer = parts_.door.authenticate(request);
  if (!customer) {
    responder.send(refused(request, customer.error()));
    return;
  }
  parts_.door.note_let_in(customer->id);
  const Signal signal = *otlp::signal_of_path(request, parts_.paths);
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
