#include "services/collector/receivers/otlp_answer.hpp"

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/json_text.hpp"
#include "libs/net/media_type.hpp"

namespace vigia::collector::receivers {
namespace {

constexpr std::string_view kGrpcPrefix = "/opentelemetry.proto.collector.";

std::optional<Signal> grpc_signal(std::string_view path) {
  if (!path.starts_with(kGrpcPrefix)) return std::nullopt;
  path.remove_prefix(kGrpcPrefix.size());
  if (path == "metrics.v1.MetricsService/Export") return Signal::kMetrics;
  if (path == "trace.v1.TraceService/Export") return Signal::kTraces;
  if (path == "logs.v1.LogsService/Export") return Signal::kLogs;
  return std::nullopt;
}

std::string_view rejected_key(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "rejectedDataPoints";
    case Signal::kTraces:
      return "rejectedSpans";
    case Signal::kLogs:
      return "rejectedLogRecords";
  }
  return "";
}

std::string protobuf_body(const intake::Receipt& receipt) {
  std::string body;
  // Without a partial_success: to set it, even empty, says that something was not taken (OTLP,
  // "Partial Success").
  if (receipt.rejected == 0) return body;
  protozero::pbf_writer response(body);
  protozero::pbf_writer partial(response, 1);
  partial.add_int64(1, receipt.rejected);
  partial.add_string(2, receipt.message);
  return body;
}

std::string json_body(Signal signal, const intake::Receipt& receipt) {
  if (receipt.rejected == 0) return "{}";
  return fmt::format(R"({{"partialSuccess":{{"{}":"{}","errorMessage":{}}}}})",
                     rejected_key(signal), receipt.rejected, json_text(receipt.message));
}

}  // namespace

std::optional<Signal> signal_of_path(const net::RequestHead& head) {
  if (head.transport == net::Transport::kGrpc) return grpc_signal(head.path);
  if (head.path == "/v1/metrics") return Signal::kMetrics;
  if (head.path == "/v1/traces") return Signal::kTraces;
  if (head.path == "/v1/logs") return Signal::kLogs;
  return std::nullopt;
}

std::optional<BodyForm> form_of(const net::RequestHead& head) {
  if (head.transport == net::Transport::kGrpc) return BodyForm::kProtobuf;
  const std::string type = net::MediaType(head.headers.get("content-type")).type();
  if (type == "application/x-protobuf") return BodyForm::kProtobuf;
  if (type == "application/json") return BodyForm::kJson;
  return std::nullopt;
}

net::Response accepted(Signal signal, BodyForm form, const intake::Receipt& receipt) {
  net::Response response;
  if (form == BodyForm::kJson) {
    response.headers.add("content-type", "application/json");
    response.body = json_body(signal, receipt);
  } else {
    response.headers.add("content-type", "application/x-protobuf");
    response.body = protobuf_body(receipt);
  }
  return response;
}

}  // namespace vigia::collector::receivers
