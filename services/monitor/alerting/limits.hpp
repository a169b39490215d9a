// Named limits of alerting.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "libs/base/duration.hpp"

namespace vigia::monitor::alerting {

/// Alertmanager's answers: 10,000 alerts are 20 MB.
inline constexpr std::size_t kAnswerBytesMax = 64U << 20U;
/// Alertmanager tells all nodes of a customer that have the same alert together, so what it has
/// under way is bounded by alert names and channels, whatever goes down. A node that joins such a
/// group is told after this at the latest: half of how often rules are evaluated, and longer than
/// kHookTimeout, so that a try has its answer before Alertmanager gives it up.
inline constexpr Duration kGroupInterval = std::chrono::seconds(15);
/// Alerts of one message to a webhook (truncatedAlerts has how many more there are), and lines of
/// one mail or Slack message: of those that stand, and of those that ended.
inline constexpr std::size_t kAlertsOfMessageMax = 100;
inline constexpr std::size_t kAlertsListedMax = 20;
/// Of one to the provider's own webhook: some 1 MB.
inline constexpr std::size_t kAlertsOfProviderMessageMax = 500;
/// Nodes of a customer up to which each of its channels for mail has a receiver of its own, and
/// receivers × nodes of one with more, rounded up to a power of two (alerting/mail_receivers.hpp).
/// So flushes of mails take a tenth of two cores of whoever loses 5,000 nodes at once, where twenty
/// receivers took more than both.
inline constexpr std::size_t kMailNodesApart = 512;
inline constexpr std::size_t kMailGroupsNodesMax = 16'384;
/// With fewer the provider's rule on the mail server would never count three.
inline constexpr std::size_t kMailReceiversMin = 3;
/// How often Alertmanager is asked how its mails went, and how large its answer may be: of a
/// channel for mail it has some 25 lines of 120 B.
inline constexpr Duration kMailLookInterval = std::chrono::seconds(10);
inline constexpr std::size_t kMailCountersBytesMax = 64U << 20U;
/// Reloads of Alertmanager in one round that look for channels which it does not take: finds five
/// bad ones among ten thousand. What is left waits for the next round.
inline constexpr std::size_t kChannelTriesMax = 64;
/// How often the host names of channels are looked up again.
inline constexpr Duration kChannelAddressInterval = std::chrono::minutes(1);
/// Patience with one question to Alertmanager that is no look at its alerts.
inline constexpr Duration kAlertmanagerTimeout = std::chrono::seconds(5);
/// Patience with a store that is asked whether it is there.
inline constexpr Duration kThereTimeout = std::chrono::seconds(2);
/// How often the watchdog looks; and until when an alert of its own, or one that it keeps alive,
/// stands without being told again: long enough for a restart of this program.
inline constexpr Duration kWatchdogInterval = std::chrono::seconds(5);
inline constexpr std::int64_t kPostedForMs = 300'000;
/// One that ends sooner is told again while its hot store is away; Prometheus gives four minutes.
inline constexpr std::int64_t kKeptAtLeastMs = 180'000;
/// Alerts in one request to Alertmanager: some 500 KB.
inline constexpr std::size_t kAlertsPostedAtOnce = 500;
/// What was told without Alertmanager is told again after this, as Alertmanager would.
inline constexpr Duration kToldAgainAfter = std::chrono::hours(4);

}  // namespace vigia::monitor::alerting
