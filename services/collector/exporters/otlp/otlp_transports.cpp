#include "services/collector/exporters/otlp/otlp_transports.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <protozero/pbf_reader.hpp>

#include "libs/net/status.hpp"
#include "services/collector/exporters/http_transport.hpp"

namespace vigia::collector::exporters::otlp {
namespace {

using Kind = delivery::Answer::Kind;

/// rejected_* and error_message of the partial_success of any Export*ServiceResponse.
void read_partial_success(std::string_view body, delivery::Answer& answer) {
  try {
    protozero::pbf_reader message(body.data(), body.size());
    while (message.next(1, protozero::pbf_wire_type::length_delimited)) {
      protozero::pbf_reader partial = message.get_message();
      while (partial.next()) {
        if (partial.tag() == 1 && partial.wire_type() == protozero::pbf_wire_type::varint)
          answer.rejected =
              static_cast<std::uint64_t>(std::max<std::int64_t>(0, partial.get_int64()));
        else if (partial.tag() == 2 &&
                 partial.wire_type() == protozero::pbf_wire_type::length_delimited)
          answer.why = shorten(partial.get_string());
        else
          partial.skip();
      }
    }
  } catch (const protozero::exception&) {
    answer.rejected = 0;  // it took the data; that its answer is odd is its own affair
  }
}

class OtlpHttpTransport final : public HttpTransport {
 public:
  OtlpHttpTransport(const SenderSettings& settings, net::Client& client)
      : HttpTransport(settings, client), endpoint_(settings.endpoint) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
    base_.headers.add("content-type", "application/x-protobuf");
  }
  void send(const CustomerId& customer, Signal signal, std::string_view message,
            std::function<void(delivery::Answer)> done) override {
    net::ClientRequest made = request(customer);
    made.url = fmt::format("{}/v1/{}", endpoint_, to_string(signal));
    if (!compress(made, message, done)) return;
    client_.send(std::move(made), [done = std::move(done)](Result<net::ClientResponse> response) {
      done(judge_otlp_http(response));
    });
  }

 private:
  std::string endpoint_;
};

class OtlpGrpcTransport final : public HttpTransport {
 public:
  OtlpGrpcTransport(const SenderSettings& settings, net::Client& client)
      : HttpTransport(settings, client), endpoint_(settings.endpoint) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
  }
  void send(const CustomerId& customer, Signal signal, std::string_view message,
            std::function<void(delivery::Answer)> done) override {
    net::ClientRequest made = request(customer);
    made.url = endpoint_ + std::string(method(signal));
    made.body = message;
    client_.call(
        std::move(made), compression_,
        [done = std::move(done)](Result<net::GrpcReply> reply) { done(judge_otlp_grpc(reply)); });
  }

 private:
  static std::string_view method(Signal signal) {
    switch (signal) {
      case Signal::kMetrics:
        return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
      case Signal::kTraces:
        return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
      case Signal::kLogs:
        return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    }
    return "";
  }
  std::string endpoint_;
};

}  // namespace

delivery::Answer judge_otlp_http(const Result<net::ClientResponse>& response) {
  if (!response) return answer_of(response.error());
  const int status = response->status;
  if (status >= 200 && status < 300) {
    delivery::Answer answer;
    read_partial_success(response->body, answer);
    return answer;
  }
  Kind kind = Kind::kRefused;
  if (asks_for_another_try(status) || speaks_of_set_up(status) || status < 200)
    kind = Kind::kRetry;
  else if (status >= 500)
    kind = Kind::kBroken;
  return {kind, status_text(*response), retry_after(*response)};
}

delivery::Answer judge_otlp_grpc(const Result<net::GrpcReply>& reply) {
  if (!reply) return answer_of(reply.error());
  if (reply->code == net::GrpcCode::kOk) {
    delivery::Answer answer;
    read_partial_success(reply->body, answer);
    return answer;
  }
  const auto error = net::error_from_grpc(reply->code, reply->message, reply->details);
  const bool is_set_up_code = reply->code == net::GrpcCode::kUnauthenticated ||
                              reply->code == net::GrpcCode::kPermissionDenied ||
                              reply->code == net::GrpcCode::kUnimplemented;
  const bool is_broken = reply->code == net::GrpcCode::kUnknown ||
                         reply->code == net::GrpcCode::kInternal ||
                         reply->code == net::GrpcCode::kDataLoss;
  delivery::Answer answer{
      Kind::kRefused,
      fmt::format("gRPC {}: {}", static_cast<int>(reply->code), shorten(reply->message)),
      error ? error->retry_after : std::nullopt};
  if (is_set_up_code || (error && is_retryable(*error)))
    answer.kind = Kind::kRetry;
  else if (is_broken)
    answer.kind = Kind::kBroken;
  answer.is_timeout = reply->code == net::GrpcCode::kDeadlineExceeded;
  return answer;
}

std::unique_ptr<delivery::Transport> make_http_transport(const SenderSettings& settings,
                                                         net::Client& client) {
  return std::make_unique<OtlpHttpTransport>(settings, client);
}

std::unique_ptr<delivery::Transport> make_grpc_transport(const SenderSettings& settings,
                                                         net::Client& client) {
  return std::make_unique<OtlpGrpcTransport>(settings, client);
}

}  // namespace vigia::collector::exporters::otlp
