// The collector's own stages; processors stand between the form and the check.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/series/series_cache.hpp"
#include "libs/service/metrics.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "services/collector/clock/clock_doubt.hpp"
#include "services/collector/clock/confirmed_time.hpp"
#include "services/collector/exporters/routing.hpp"
#include "services/collector/intake/rate_limiter.hpp"
#include "services/collector/intake/stage.hpp"
#include "services/collector/side/side_shares.hpp"

namespace vigia::collector::intake {

/// An exporter, by id, and what it takes.
using Way = std::pair<std::string, exporters::Routing>;

/// All that the stages are given outlives them.

/// Who has nothing left of its rates is told so before anything is decided of its items; they are
/// counted for the answer.
std::unique_ptr<Stage> make_rate_gate(RateLimiter& rates);
/// Nothing is acknowledged for a destination that holds the customer's share already and may let
/// go of none: a required one, or one that has refused the customer's share (decision 20).
/// `shares` may be null.
std::unique_ptr<Stage> make_share_gate(const side::SideShares* shares,
                                       const std::vector<Way>& exporters);
/// JSON becomes protobuf, and so does remote write; what cannot be read is charged for the work of
/// reading it. What remote write 1.0 says of metrics in some requests goes with the series of
/// others. While memory is short, remote write is unpacked only for who holds little of it.
std::unique_ptr<Stage> make_form_stage(RateLimiter& rates, service::MetricRegistry& metrics,
                                       const Clock& clock,
                                       std::function<bool()> is_memory_short = {});

struct CheckSettings {
  const wire::prometheus::TranslatorSettings& translation;
  bool fills_missing_customer = false;
  series::SeriesCache& series;
  const Clock& clock;
  bool takes_deltas = false;
  std::string_view why_no_deltas = {};  ///< a literal
};
/// A verdict for every item, in one walk over the body.
std::unique_ptr<Stage> make_check_stage(const CheckSettings& settings, RateLimiter& rates);
/// What only speaks against our own clock is not refused for good. `time` may be null.
std::unique_ptr<Stage> make_clock_stage(clock::ClockDoubt& doubt, clock::ConfirmedTime* time,
                                        const Clock& clock, service::MetricRegistry& metrics);
/// What the check has found is charged.
std::unique_ptr<Stage> make_rate_stage(RateLimiter& rates);
/// What has no time gets that of its receipt.
std::unique_ptr<Stage> make_time_stage(std::function<std::int64_t()> now_ns);

}  // namespace vigia::collector::intake
