#include "services/router/api/jaeger/search_api.hpp"

#include <utility>

#include <fmt/format.h>

#include "services/router/api/jaeger/trace_list.hpp"
#include "services/router/plan/look_up.hpp"

namespace vigia::router::api::jaeger {
namespace {

// Longer than storage searches, so that its own end comes first, with what it has found.
constexpr std::chrono::seconds kTimeout{30};
// What storage says of a list that its limit has cut.
constexpr std::string_view kCutByLimit = "results truncated due to limit";

}  // namespace

void SearchApi::services(request::ApiRequest request, request::Exchange exchange) {
  ask(services_search(), request, std::move(exchange), show_services);
}

void SearchApi::operations(request::ApiRequest request, request::Exchange exchange) {
  const auto service = request.parameters.single("service");
  if (!service) return exchange.fail(service.error());
  const auto kind = request.parameters.single("spanKind");
  if (!kind) return exchange.fail(kind.error());
  ask(operations_search(service->value_or(""), kind->value_or("")), request, std::move(exchange),
      show_operations);
}

void SearchApi::operation_names(request::ApiRequest request, request::Exchange exchange) {
  ask(operations_search(request.path_values.find("service")->second, ""), request,
      std::move(exchange), show_operation_names);
}

void SearchApi::traces(request::ApiRequest request, request::Exchange exchange) {
  if (!request.parameters.all("traceID").empty()) {
    return gather_traces(stores_, request, std::move(exchange));
  }
  ask(traces_search(request.parameters, stores_.clock().wall_ms(), request.caller.limits), request,
      std::move(exchange), show_as_it_is);
}

void SearchApi::dependencies(request::ApiRequest request, request::Exchange exchange) {
  ask(dependencies_search(request.parameters, stores_.clock().wall_ms(), request.caller.limits),
      request, std::move(exchange), show_as_it_is);
}

void SearchApi::ask(Result<ColdSearch> search, const request::ApiRequest& request,
                    request::Exchange exchange, Show show) {
  if (!search) return exchange.fail(search.error());
  if (!request.caller.customer) {
    return exchange.fail(
        {ErrorCode::kInvalid, "traces are asked for of one customer: name it in X-Vigia-Customer"});
  }
  if (stores_.cold() == nullptr) {
    return exchange.fail({ErrorCode::kNotFound, "there is no store for traces here"});
  }
  // By POST: tags may be more than a URL takes.
  upstream::Ask ask(request.caller.customer, search->path, std::move(search->form), true,
                    request.caller.limits.at_most(kTimeout));
  ask.answer_bytes_max = request.caller.limits.bytes;
  ask.interest = request.interest;
  ask.lane = upstream::Lane::kLookUp;
  stores_.cold()->fetch(
      std::move(ask),
      [this, exchange = std::move(exchange), search = std::move(*search),
       payer = request.caller.payer(), show](Result<net::ClientResponse> answer) mutable {
        const auto read = read_cold(std::move(answer));
        if (!read) return exchange.fail(read.error());
        auto response = shown(search, payer, *read, show);
        if (!response) return exchange.fail(response.error());
        exchange.send(std::move(*response));
      });
}

Result<net::Response> SearchApi::shown(const ColdSearch& search, const std::string& payer,
                                       const wire::prometheus_api::Envelope& answer,
                                       Show show) const {
  // The answer is there a second time until it is whole; from then on the exchange counts it.
  auto held = stores_.shares().hold(payer);
  if (!held.grow(answer.data().size())) {
    return tl::unexpected<Error>(
        Error{ErrorCode::kOverLimit,
              "this answer is larger than what others leave room for; read them, or ask for less",
              std::chrono::seconds(1)});
  }
  return show(answer.data(), told_of(search, answer));
}

Told SearchApi::told_of(const ColdSearch& search,
                        const wire::prometheus_api::Envelope& answer) const {
  Told told;
  for (const std::string& warning : answer.warnings()) {
    if (warning != kCutByLimit) {
      told.push_back({warning});
    } else if (!search.has_own_limit) {
      told.push_back({fmt::format("there are more than these {}", kNamesMax)});
    }
  }
  if (search.is_cut_off) told.push_back({plan::cut_off_warning(search.start_ms)});
  const auto replaced = stores_.cold_replacement();
  if (replaced && replaced->lacks(search.start_ms)) {
    told.push_back({"cold part may be incomplete: " + replaced->text()});
  }
  return told;
}

}  // namespace vigia::router::api::jaeger
