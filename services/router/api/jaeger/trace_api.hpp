// /jaeger/api/traces/{id}: one trace, from storage.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/net/client.hpp"
#include "services/router/coverage/cold_replacement.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::jaeger {

/// The id as storage knows it: 32 lower-case hex digits. Shorter ones are filled with zeros at the
/// left, either case is taken; nothing on anything else.
std::optional<std::string> normal_trace_id(std::string_view text);

/// An error as Jaeger's HTTP API tells it, a net::ErrorForm:
/// {"data":null,…,"errors":[{"code":404,"msg":"trace not found"}]}; `code` is the status.
net::Response error_form(const Error& error, int status);

/// What is said where the long-term store gives no trace (anything but 200): kNotFound where it is
/// none of its, kOverLimit where the caller has its turns in use, else kUnavailable. "Not found"
/// alone would be untrue of a store that is a new one, or lacks rows for now.
Error why_no_trace(const Result<net::ClientResponse>& answer,
                   const std::optional<coverage::ColdReplacement>& replaced);

/// Where the store took longer than the caller's queries may: access::over_limit's error.
std::optional<Error> late_by_own_time(const Result<net::ClientResponse>& answer,
                                      const request::Exchange& exchange);

/// Any thread.
class TraceApi {
 public:
  explicit TraceApi(stores::Stores& stores) : stores_(stores) {}
  void trace(request::ApiRequest request, request::Exchange exchange);

 private:
  stores::Stores& stores_;
};

}  // namespace vigia::router::api::jaeger
