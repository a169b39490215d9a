// /api/v1/labels, label/{name}/values and series: what there is, of hot and cold together.
#pragma once

#include <cstdint>
#include <string>

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
  enum class Kind : std::uint8_t { kTexts, kSeries };
  /// One kind of list, at hot and at storage under the same path.
  struct List {
    Kind kind = Kind::kTexts;
    std::string path;
    bool is_post = true;
  };

  void gather(const List& list, const request::ApiRequest& request, request::Exchange exchange);

  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
