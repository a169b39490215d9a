// /api/v1/read: Prometheus remote read, of storage.
#pragma once

#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// A customer's own Prometheus reads its series by it. Storage has all of them but for the last
/// hour of what hot makes itself (`up`, recorded series). Any thread.
class ReadApi {
 public:
  explicit ReadApi(stores::Stores& stores) : stores_(stores) {}

  /// The body is a snappy block of prometheus.ReadRequest, the answer what storage makes of it:
  /// samples, or frames of chunks.
  void read(request::ApiRequest request, request::Exchange exchange);

 private:
  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
