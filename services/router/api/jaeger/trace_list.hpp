// /jaeger/api/traces?traceID=…: several traces by their ids, as jaeger-ui compares them.
#pragma once

#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::jaeger {

/// So many ids at the most, each of them once.
inline constexpr std::size_t kTraceIdsMax = 20;

/// Asks storage for one after another, each in the customer's turn, and answers with those that are
/// there, in the order of their ids in the request; each other one stands in "errors" with its id.
/// What keeps one from being answered, but that it is not there, is the answer to all. `stores`
/// must outlive the answer. Any thread.
void gather_traces(stores::Stores& stores, const request::ApiRequest& request,
                   request::Exchange exchange);

}  // namespace vigia::router::api::jaeger
