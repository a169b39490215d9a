#include "libs/service/metrics_page.hpp"

#include <algorithm>
#include <utility>

namespace vigia::service {

MetricsForm metrics_form(std::string_view accept) {
  constexpr std::string_view kOpenMetrics = "application/openmetrics-text";
  const auto found =
      std::search(accept.begin(), accept.end(), kOpenMetrics.begin(), kOpenMetrics.end(),
                  [](char given, char wanted) {
                    return wanted == (given >= 'A' && given <= 'Z' ? given + 32 : given);
                  });
  return found == accept.end() ? MetricsForm::kText : MetricsForm::kOpenMetrics;
}

net::Response metrics_answer(MetricsForm form, std::string text) {
  net::Response response;
  response.headers.add("content-type",
                       form == MetricsForm::kOpenMetrics
                           ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                           : "text/plain; version=0.0.4; charset=utf-8");
  response.body = std::move(text);
  return response;
}

net::Response metrics_page(const MetricRegistry& registry, MetricsForm form) {
  return metrics_answer(form, registry.expose(form == MetricsForm::kOpenMetrics));
}

}  // namespace vigia::service
