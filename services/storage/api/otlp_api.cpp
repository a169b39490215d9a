#include "services/storage/api/otlp_api.hpp"

#include <fmt/format.h>

#include "libs/net/status.hpp"
#include "libs/otlp/door.hpp"
#include "libs/otlp/paths.hpp"
#include "services/storage/api/fence_header.hpp"

namespace vigia::storage::api {
namespace {

constexpr int kNotFound = 404;
constexpr int kUnsupportedMediaType = 415;
constexpr std::string_view kRefusedText =
    "the resource does not name the request's customer, or the item cannot be kept";

}  // namespace

net::Response OtlpApi::handle(const net::Request& request) {
  // gRPC's own path by HTTP, or the other way round: as any path that is not served.
  if (otlp::signal_of_path(request) != signal_) {
    net::Response response = net::otlp_error(request, {ErrorCode::kInvalid, "no such path"});
    response.status = kNotFound;
    if (request.transport == net::Transport::kGrpc)
      response.grpc_code = net::GrpcCode::kUnimplemented;
    return response;
  }
  if (otlp::form_of(request) != otlp::BodyForm::kProtobuf) {
    net::Response response =
        net::otlp_error(request, {ErrorCode::kInvalid, "application/x-protobuf is taken here"});
    response.status = kUnsupportedMediaType;
    return response;
  }
  const auto fence = read_fence(request.headers);
  if (!fence) return net::otlp_error(request, fence.error());
  if (!fence->has_value()) return handle_nobodys(request);
  const CustomerId& customer = **fence;
  const auto counts = events_.write(customer, signal_, request.body);
  if (!counts) return net::otlp_error(request, counts.error());
  count(customer, *counts);
  // Partial success is for a part (OTLP, "Partial Success"); where nothing was taken it is an
  // error, which is not repeated.
  if (counts->refused > 0 && counts->stored + counts->repeats == 0) {
    return net::otlp_error(request, {ErrorCode::kInvalid, std::string(kRefusedText)});
  }
  // A reason beside 0 refused would be a warning about a request that was taken whole.
  if (counts->refused == 0) return otlp::accepted(signal_, otlp::BodyForm::kProtobuf);
  return otlp::accepted(signal_, otlp::BodyForm::kProtobuf, {counts->refused, kRefusedText});
}

// A sender asks so what one customer's troubles do not tell: it stands in no customer's lane.
net::Response OtlpApi::handle_nobodys(const net::Request& request) const {
  if (!request.body.empty())
    return net::otlp_error(request, {ErrorCode::kInvalid, "X-Vigia-Customer is missing"});
  if (!events_.is_writable())
    return net::otlp_error(request, {ErrorCode::kUnavailable, "the store takes no writes now"});
  return otlp::accepted(signal_, otlp::BodyForm::kProtobuf);
}

void OtlpApi::count(const CustomerId& customer, const store::EventCounts& counts) {
  const std::string_view items = signal_ == Signal::kTraces ? "spans" : "log_records";
  const auto add = [&](std::string_view what, std::string_view help, std::uint64_t value) {
    registry_
        .counter(fmt::format("vigia_storage_{}_{}_total", items, what), help,
                 {{"customer_id", customer.text()}})
        .add(value);
  };
  add("stored", "Items that are on disk.", counts.stored);
  add("repeated", "Items that were there already.", counts.repeats);
  add("expired", "Items older than their retention, taken and not stored.", counts.expired);
  add("refused", "Items of another customer's resource, or that cannot be kept.", counts.refused);
}

}  // namespace vigia::storage::api
