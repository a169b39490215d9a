// Metrics as an answer of HTTP: the form that a client wants, and its content type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/net/message.hpp"
#include "libs/service/metrics.hpp"

namespace vigia::service {

enum class MetricsForm : std::uint8_t {
  kText,         ///< Prometheus' text format 0.0.4
  kOpenMetrics,  ///< 1.0
};

/// OpenMetrics where Accept names it, in any case. Without its weights (q=): who names it at all
/// can read it, and Prometheus prefers it.
MetricsForm metrics_form(std::string_view accept);

/// 200 with a text of that form.
net::Response metrics_answer(MetricsForm form, std::string text);
/// 200 with all that the registry knows.
net::Response metrics_page(const MetricRegistry& registry, MetricsForm form);

}  // namespace vigia::service
