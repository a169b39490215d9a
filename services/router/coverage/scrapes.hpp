// Whether a hot store was there all the time, by what it scrapes itself.
#pragma once

#include <optional>

#include "libs/base/clock.hpp"
#include "libs/base/duration.hpp"
#include "libs/model/sample.hpp"
#include "services/router/upstream/upstream.hpp"

namespace vigia::router::coverage {

/// What the collectors push they deliver afterwards, and write heartbeats of it. What a Prometheus
/// makes itself (`up` and all else of its scrapes, what its rules record) nobody gives it
/// afterwards: a member of a pair that was away has a gap there which the other member has not.
struct Scrapes {
  /// Since when it has scraped without a gap; nothing: no gap is known.
  std::optional<TimestampMs> from;
  bool is_open = false;  ///< there is a gap, and it is not over
};

/// The jobs that every hot store of Vigía scrapes (docs/deployment.md).
inline constexpr std::string_view kScrapedJobs = "otel-collector|prometheus";
/// A shorter gap is none: PromQL looks back as far for the last sample.
inline constexpr auto kScrapeGapMin = std::chrono::minutes(5);

/// Asks the store for the end of the last gap in the scrapes of those jobs, of so much of the past;
/// for the router itself, waiting. No gap is known of a store that scrapes none of them. Nothing
/// where it does not answer.
std::optional<Scrapes> read_scrapes(const upstream::Upstream& store, Duration range,
                                    TimestampMs now_ms, Duration timeout);

}  // namespace vigia::router::coverage
