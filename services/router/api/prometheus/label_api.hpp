// /api/v1/labels, label/{name}/values, series and metadata: what there is, of hot and cold
// together.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/promql/ast.hpp"
#include "services/router/api/prometheus/answer.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// Asks storage and the caller's hot store at once and merges. If one fails the other's answer goes
/// out with a warning. Any thread.
class LabelApi {
 public:
  explicit LabelApi(stores::Stores& stores) : stores_(stores) {}

  void labels(request::ApiRequest request, request::Exchange exchange);
  void label_values(request::ApiRequest request, request::Exchange exchange);
  void series(request::ApiRequest request, request::Exchange exchange);

 private:
  struct Gathering;  // one request, its answers so far
  using Shared = std::shared_ptr<Gathering>;
  enum class Kind { kTexts, kSeries };

  Result<void> add_selectors(const request::ApiRequest& request, Gathering& gathering) const;
  /// Nothing for a selector means all series that the caller may see.
  Result<void> add_selector(const access::Caller& caller, std::optional<promql::Selector> selector,
                            Gathering& gathering) const;
  Result<void> prepare(const request::ApiRequest& request, Gathering& gathering) const;
  void gather(const request::ApiRequest& request, const Shared& gathering);
  void take(const Shared& gathering, bool is_cold, Result<json::Envelope> answer) const;
  void finish(const Shared& gathering) const;
  std::string body_of(const Gathering& gathering, Notes& notes) const;

  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
