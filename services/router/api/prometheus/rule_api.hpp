// /api/v1/rules, alerts and targets: what hot knows beside samples.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// A customer sees the rules, alerts and targets that carry its customer_id, an operator all. Any
/// thread.
class RuleApi {
 public:
  explicit RuleApi(stores::Stores& stores) : stores_(stores) {}

  void rules(request::ApiRequest request, request::Exchange exchange);
  void alerts(request::ApiRequest request, request::Exchange exchange);
  void targets(request::ApiRequest request, request::Exchange exchange);

 private:
  class Items;  // one request, its answers so far
  /// {"KEY":[…]END}.
  struct Frame {
    std::string_view key;
    std::string_view end = {};
    bool is_by_labels = true;  ///< of items with the same labels each shard has one
  };
  using Read = std::function<Result<std::vector<std::string>>(std::string_view)>;

  Result<void> add_choices(const request::Parameters& parameters, request::Form& form) const;
  void gather(const request::ApiRequest& request, request::Exchange exchange, const Frame& frame,
              const upstream::Ask& ask, Read read);

  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
