#include "services/collector/receivers/grpc_health.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "libs/base/protobuf_reader.hpp"

namespace vigia::collector::receivers {
namespace {

constexpr std::array<std::string_view, 4> kServices{
    "", "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "opentelemetry.proto.collector.logs.v1.LogsService"};
constexpr std::int32_t kServing = 1;
constexpr std::int32_t kNotServing = 2;

net::Response fault(net::GrpcCode code, std::string message) {
  net::Response response;
  response.grpc_code = code;
  response.grpc_message = std::move(message);
  return response;
}

std::string asked_service(std::string_view body) {
  std::string service;
  ProtobufReader request(body.data(), body.size());
  while (request.next()) {
    if (request.tag_and_type() ==
        protozero::tag_and_type(1, protozero::pbf_wire_type::length_delimited))
      service = request.get_string();
    else
      request.skip();
  }
  return service;
}

}  // namespace

bool is_health_check(const net::RequestHead& head) {
  return head.transport == net::Transport::kGrpc && head.path == "/grpc.health.v1.Health/Check";
}

net::Response health_answer(std::string_view body, bool is_serving) {
  std::string service;
  try {
    service = asked_service(body);
  } catch (const protozero::exception&) {
    return fault(net::GrpcCode::kInvalidArgument, "the body is no HealthCheckRequest");
  }
  if (std::find(kServices.begin(), kServices.end(), service) == kServices.end())
    return fault(net::GrpcCode::kNotFound, "no such service here");
  net::Response response;
  protozero::pbf_writer answer(response.body);
  answer.add_enum(1, is_serving ? kServing : kNotServing);
  return response;
}

}  // namespace vigia::collector::receivers
