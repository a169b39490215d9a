// A metric query: samples made of lines.
#pragma once

#include <cstdint>

#include "libs/logql/metrics/evaluate.hpp"
#include "services/router/api/loki/log_question.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// Prometheus' own bound on a range query.
inline constexpr std::int64_t kPointsMax = 11'000;

struct MetricQuestion {
  ReadQuery query;
  logql::metrics::EvaluationTimes times;
  bool is_instant = false;
};

/// kInvalid for what cannot be read, and over kPointsMax points; access::over_limit's error for
/// steps and times over the caller's own.
Result<MetricQuestion> read_metric_range(ReadQuery query, const request::Parameters& parameters,
                                         TimestampMs now_ms);
Result<MetricQuestion> read_metric_moment(ReadQuery query, const request::Parameters& parameters,
                                          TimestampMs now_ms);

/// Evaluates it and answers. Blocks while storage works: for QueryThreads. Where the query reads
/// lines the stores have a long-term store.
void answer_metrics(stores::Stores& stores, const MetricQuestion& question,
                    request::Exchange exchange);

}  // namespace vigia::router::api::loki
