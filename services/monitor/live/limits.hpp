// Named limits of the live state.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "libs/base/duration.hpp"

namespace vigia::monitor::live {

/// Active alerts of one customer that are kept and shown, some 2 KB each, the worst and newest of
/// them; of the rest it is known how many there are.
inline constexpr std::size_t kAlertsOfCustomerMax = 1'000;
/// How often a customer with more is asked for, which costs Alertmanager as much as it gives: less
/// often than others, and so that one look that fails leaves them known (kLiveStateAgeMaxMs).
inline constexpr Duration kManyAlertsInterval = std::chrono::seconds(14);
/// All looks at alerts of one round end after this; whom it did not come to is first in the next.
inline constexpr Duration kAlertsLookMax = std::chrono::seconds(10);
/// One answer of the router in a look at the live state: 5,000 nodes × 17 series × 190 B. It is
/// held with what is read of it, some 100 MB. Whoever's answer is larger is not looked at.
inline constexpr std::size_t kLiveAnswerBytesMax = 16U << 20U;
/// One answer about one node's curves: 30 series × 750 points × 35 B are a fifth of it.
inline constexpr std::size_t kCurveAnswerBytesMax = 4U << 20U;
/// How often the live state is asked of router and Alertmanager (docs/decisions/0002).
inline constexpr Duration kLiveInterval = std::chrono::seconds(5);
/// Answers about our own parts that are kept: those of each range, and of the last ones; some 60 KB
/// each.
inline constexpr std::size_t kOwnRecordsMax = 16;
/// Patience with one question about a node's curves: two years from the cold store.
inline constexpr Duration kCurveTimeout = std::chrono::seconds(10);
/// Patience with one question about the live state; the store is told it too and stops there.
inline constexpr Duration kLiveTimeout = std::chrono::seconds(5);
/// A CPU value that is older is not shown as the present one; an agent may send once a minute.
inline constexpr std::int64_t kUsageAgeMaxMs = 120'000;
/// While the router does not answer; after a start it needs a moment to learn of our own token.
inline constexpr Duration kLiveRetryInterval = std::chrono::seconds(1);
/// Three missed pushes of the standard 15 s: older health counts as down.
inline constexpr std::int64_t kPushedHealthAgeMaxMs = 45'000;
/// Of one node in one look at the live state: what an agent tells of itself. Times the
/// nodes that its customer has it is what one customer may add to an answer; one that sends more
/// loses some of its own, never another's, and is asked for alone (LookPlan).
inline constexpr std::size_t kLiveSeriesPerNodeMax = 18;
/// A series in an answer, with ids of usual length.
inline constexpr std::size_t kLiveSeriesBytes = 190;
/// What the router takes for light (QueryWeights::kLightBytesMax there): a larger answer is read
/// all the same, and waits among what is slow.
inline constexpr std::size_t kLookAnswerBytes = 4U << 20U;
/// Customers and nodes that are asked for in the same queries: 1,226.
inline constexpr std::size_t kLookCustomersMax = 500;
inline constexpr std::size_t kLookNodesMax =
    kLookAnswerBytes / (kLiveSeriesPerNodeMax * kLiveSeriesBytes);
/// One look ends after this; whom it did not come to is first in the next one.
inline constexpr Duration kLookMax = std::chrono::seconds(20);
/// Questions about one group begin until then: who is slow with others is asked for apart at once.
inline constexpr Duration kLookGroupMax = std::chrono::seconds(5);
inline constexpr Duration kLookAloneMax = std::chrono::seconds(10);
/// A look that lasts shows so often what it has found by then.
inline constexpr Duration kShownEvery = std::chrono::seconds(1);
/// What an agent says of its node once: as much as it may (vigia-agent: 256 bytes).
inline constexpr std::size_t kLiveAttributeCharactersMax = 256;
/// New nodes of one customer in one look, and all that one look writes: one transaction, so that
/// whoever pushes for thousands of nodes holds up nobody's look.
inline constexpr std::size_t kRegistrationsPerLookMax = 100;
inline constexpr std::size_t kNodesKeptPerLookMax = 1'000;
/// How often it is noted that a node was seen.
inline constexpr std::int64_t kSeenEveryMs = 60'000;
/// How old a live state may be before pages say that it is missing.
inline constexpr std::int64_t kLiveStateAgeMaxMs = 30'000;

}  // namespace vigia::monitor::live
