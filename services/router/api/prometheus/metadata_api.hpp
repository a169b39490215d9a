// /api/v1/metadata: what metrics are said to be, of hot and cold together.
#pragma once

#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// Hot knows what the targets say that it scrapes, storage what came by remote write. A customer
/// sees what its own targets and senders say, an operator all. Any thread.
class MetadataApi {
 public:
  explicit MetadataApi(stores::Stores& stores) : stores_(stores) {}

  /// Parameters: `metric`, `limit`, `limit_per_metric`, as Prometheus has them.
  void metadata(request::ApiRequest request, request::Exchange exchange);

 private:
  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
