// /jaeger/api/traces/{id}: one trace, from storage.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/router/api/exchange.hpp"
#include "services/router/api/stores.hpp"

namespace vigia::router::api {

/// The id as storage knows it: 32 lower-case hex digits. Shorter ones are filled with zeros at the
/// left, either case is taken; nothing on anything else.
std::optional<std::string> normal_trace_id(std::string_view text);

/// Any thread.
class TraceApi {
 public:
  explicit TraceApi(Stores& stores) : stores_(stores) {}
  void trace(ApiRequest request, Exchange exchange);

 private:
  Stores& stores_;
};

}  // namespace vigia::router::api
