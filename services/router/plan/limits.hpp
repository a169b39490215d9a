// How much one query may ask for, before any store sees it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vigia::router::plan {

/// Prometheus' own bound on a range query.
inline constexpr std::uint64_t kPointsMax = 11'000;
/// Prometheus 2.x counts a native histogram as one sample, however many buckets it has, and its
/// --query.max-samples does not bound them: 100 such series × 10,000 steps took 8 GB. What is not
/// known to be light and has more steps than this goes to prometheus-query, a 3.x, which counts it.
inline constexpr std::uint64_t kStepsAtOldHotMax = 100;
/// What reaches no further back than this is read raw: roll-ups would not make it quicker.
inline constexpr std::int64_t kRawIsQuickMs = std::int64_t{2} * 86'400'000;
/// The store's own time-out comes first by this, so that its reason reaches the caller.
inline constexpr std::chrono::seconds kAnswerSlack{5};
/// What is counted of one query, wherever it goes, takes this at the longest: it holds a turn.
inline constexpr std::chrono::seconds kCountingMax{30};
/// Results of more than this are not light, however few their samples are.
inline constexpr std::uint64_t kLightResultBytesMax = 64U << 20U;
/// Without being counted, a selector is taken for so many series of so many bytes of labels, or for
/// as many as the customer may have at once, where those are more and the query has more steps than
/// one. As many fit in few steps, as most queries have.
inline constexpr std::uint64_t kSeriesAssumed = 50'000;
inline constexpr std::uint64_t kLabelBytesAssumed = 256;

}  // namespace vigia::router::plan
