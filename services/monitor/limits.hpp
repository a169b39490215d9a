// Named limits of vigia-monitor. Every queue, body, list and loop that outsiders can fill has one;
// the audit log, where what is written stays, takes log-ins by counts (kRefusedKindsMax).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "libs/base/duration.hpp"

namespace vigia::monitor {

/// A REST body: the largest, a channel with a URL of 2,000 characters, needs a tenth of it.
inline constexpr std::size_t kRequestBodyBytesMax = 64U << 10U;
/// Alertmanager's answers: 10,000 alerts are 20 MB.
inline constexpr std::size_t kAnswerBytesMax = 64U << 20U;
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

/// Threads that answer the REST interface from the database.
inline constexpr std::size_t kWorkers = 4;
/// Requests that wait for one of these, of callers that are known and of strangers each; more get
/// 503. At 5 ms a request that is a wait under 1 s. Callers take turns (FairPool), and none has
/// more than half of it.
inline constexpr std::size_t kWorkerQueueMax = 512;
inline constexpr std::size_t kQuickOfCallerMax = 256;
/// Addresses of one customer, or operator, that count as known: its share of the turns.
inline constexpr std::size_t kKnownOfOwnerMax = 64;
/// Threads for what our own neighbours ask inside (http_sd), which no request from outside delays.
inline constexpr std::size_t kInsideWorkers = 1;
inline constexpr std::size_t kInsideQueueMax = 64;
/// Threads that look up where a customer's channel leads: the database and the name server. Each
/// customer has one of them at most.
inline constexpr std::size_t kHookWorkers = 8;
/// Messages of one customer's alerts that are passed on at once, and their bytes; Alertmanager is
/// told to bring more again later (503). Of a channel one is always taken, so that those that work
/// do not wait for those that hang.
inline constexpr std::size_t kHooksOfCustomerMax = 64;
inline constexpr std::size_t kHookBytesOfCustomerMax = 8U << 20U;
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
/// One message: 100 alerts of 2 KB are a fifth of it.
inline constexpr std::size_t kHookBodyBytesMax = 1U << 20U;
/// What is read of a customer's host's answer, and how long it may take.
inline constexpr std::size_t kHookAnswerBytesMax = 16U << 10U;
inline constexpr Duration kHookTimeout = std::chrono::seconds(10);
/// Targets that are remembered for when the database is away; some 300 B each.
inline constexpr std::size_t kHookTargetsKeptMax = 50'000;
/// Nodes of a customer up to which each of its channels for mail has a receiver of its own, and
/// receivers × nodes of one with more, rounded up to a power of two (alerting/mail_receivers.hpp).
/// So flushes of mails take a tenth of two cores of whoever loses 5,000 nodes at once, where twenty
/// receivers took more than both.
inline constexpr std::size_t kMailNodesApart = 512;
inline constexpr std::size_t kMailGroupsNodesMax = 16'384;
/// With fewer the provider's rule on the mail server would never count three.
inline constexpr std::size_t kMailReceiversMin = 3;
/// How often it is written down again that telling a channel goes as it did.
inline constexpr Duration kOutcomeInterval = std::chrono::minutes(1);
/// Channels of which it is known in memory, some 300 B each; and rows of one transaction.
inline constexpr std::size_t kOutcomesMax = 50'000;
inline constexpr std::size_t kOutcomesKeptAtOnce = 500;
/// How often Alertmanager is asked how its mails went, and how large its answer may be: of a
/// channel for mail it has some 25 lines of 120 B.
inline constexpr Duration kMailLookInterval = std::chrono::seconds(10);
inline constexpr std::size_t kMailCountersBytesMax = 64U << 20U;
/// Nodes of one customer that are asked for their health at once; more get 503. Each holds a
/// connection for 10 s at most.
inline constexpr std::size_t kScrapesOfCustomerMax = 512;
/// Of one node's answer, and of all that arrive of one customer's nodes: an agent has 4 KiB.
inline constexpr std::size_t kScrapeBytesMax = 256U << 10U;
inline constexpr std::size_t kScrapeBytesOfCustomerMax = 16U << 20U;
/// Threads that look up where nodes are asked, and those for customers whose last look-up took as
/// long as a name server that does not answer: these wait among themselves. Of one customer at
/// once.
inline constexpr std::size_t kLookUpWorkers = 16;
inline constexpr std::size_t kSlowLookUpWorkers = 8;
inline constexpr std::size_t kLookUpsOfCustomerMax = 2;
inline constexpr Duration kSlowLookUp = std::chrono::seconds(1);
/// After this a name is looked up again.
inline constexpr Duration kPlaceStays = std::chrono::minutes(1);
/// Nodes of one customer that are shown one by one while it is not known where they are asked; more
/// hold the alerts of all of that customer's nodes that are asked.
inline constexpr std::size_t kPlacesUnknownShownMax = 100;
/// Changes by one customer's people: 17,280 rows of the audit log a day at most, some 4 MB.
inline constexpr std::size_t kChangesAtOnce = 200;
inline constexpr Duration kChangeEach = std::chrono::seconds(5);
/// Threads for calls that wait for the router, so that it never holds up the others.
inline constexpr std::size_t kWaitingWorkers = 4;
inline constexpr std::size_t kWaitingQueueMax = 512;
/// Of one customer, or one operator, at once and waiting; more get 503. A page asks for six at
/// once.
inline constexpr std::size_t kWaitingAtOncePerCustomer = 2;
inline constexpr std::size_t kWaitingPerCustomerMax = 32;
/// Password hashes at once: each takes 19 MiB, so with the prompt one 57 MiB in all.
inline constexpr std::size_t kHashesAtOnceMax = 2;
/// So often a log-in of one customer, from where somebody of it has logged in, is as urgent as
/// pages are: beside programs that want all cores the others take ten times as long.
inline constexpr std::chrono::seconds kPromptLogInEvery{1};
/// Log-ins that wait for a hash; more get 429. At 30 ms a hash that is a wait under half a second.
inline constexpr std::size_t kHashesWaitingMax = 32;

/// Callers (an address; of IPv6 its network) whose log-ins wait, of those who have logged in from
/// there and of strangers alike; and the log-ins of each. At 30 ms a hash and two at once a
/// stranger waits 1 s at most for his turn.
inline constexpr std::size_t kLogInCallersMax = 64;
inline constexpr std::size_t kLogInsOfCallerMax = 4;
/// Of the known ones one customer has this many, a quarter of those that may wait.
inline constexpr std::size_t kKnownLogInsOfOwnerMax = kLogInCallersMax / 4;
/// Callers that are remembered to have proved who they are; some 200 B each.
inline constexpr std::size_t kKnownCallersMax = 10'000;
/// Users and addresses of refused log-ins that stand in the audit log by name in ten minutes.
inline constexpr std::size_t kRefusedKindsMax = 20;
/// The same of log-ins that succeed and log-outs, of one customer (or all operators) and of one
/// user: 201 entries in ten minutes at most, 7 MB a day of a customer that does nothing else.
inline constexpr std::size_t kSessionKindsMax = 100;
inline constexpr std::size_t kSessionKindsOfUserMax = 10;

/// The table of failed log-ins; the oldest entry goes first.
inline constexpr std::size_t kThrottleEntriesMax = 20'000;
inline constexpr std::size_t kSessionsPerUserMax = 20;      ///< the oldest ends
inline constexpr std::size_t kNodesPerCustomerMax = 5'000;  ///< the largest plan has as many in all
/// Tokens of one customer that are valid: one for each node, and some that read. One that is
/// revoked or has expired is forgotten when so many were made after that: by rows, since a clock
/// that is wrong for an hour must end nothing for good. So 7,000 are listed at most, some 250 B
/// each.
inline constexpr std::size_t kTokensPerCustomerMax = kNodesPerCustomerMax + 1'000;
inline constexpr std::size_t kTokensMadeSinceMax = 1'000;
/// Users of one customer who may log in; and those who may not and are kept, of whom the oldest is
/// forgotten first.
inline constexpr std::size_t kUsersPerCustomerMax = 200;
inline constexpr std::size_t kDisabledUsersKeptMax = 1'000;
inline constexpr std::size_t kChannelsPerCustomerMax = 20;
/// Reloads of Alertmanager in one round that look for channels which it does not take: finds five
/// bad ones among ten thousand. What is left waits for the next round.
inline constexpr std::size_t kChannelTriesMax = 64;
/// How often the host names of channels are looked up again.
inline constexpr Duration kChannelAddressInterval = std::chrono::minutes(1);
inline constexpr std::size_t kCustomersMax = 10'000;
inline constexpr std::size_t kNameCharactersMax = 200;
inline constexpr std::size_t kUserCharactersMax = 128;
inline constexpr std::size_t kPasswordCharactersMin = 12;  ///< ASVS 6.2.1 advises 15, floor 8
inline constexpr std::size_t kPasswordCharactersMax = 1024;

/// Readers of the snapshot that wait for a change; more are answered at once.
inline constexpr std::size_t kSnapshotWaitersMax = 256;
inline constexpr Duration kSnapshotWaitMax = std::chrono::seconds(30);
/// A change made by another instance on the same database is seen this late at most.
inline constexpr Duration kSnapshotRefreshInterval = std::chrono::seconds(3);

/// How often the live state is asked of router and Alertmanager (docs/decisions/0002).
inline constexpr Duration kLiveInterval = std::chrono::seconds(5);
/// Answers about our own parts that are kept: those of each range, and of the last ones; some 60 KB
/// each.
inline constexpr std::size_t kOwnRecordsMax = 16;
/// Patience with one question about a node's curves: two years from the cold store.
inline constexpr Duration kCurveTimeout = std::chrono::seconds(10);
/// At a stop: what is in flight has this long to end. Only a question that waits for a router that
/// hangs takes longer.
inline constexpr Duration kDrainMax = std::chrono::seconds(2);
/// Patience with one question about the live state; the store is told it too and stops there.
inline constexpr Duration kLiveTimeout = std::chrono::seconds(5);
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
/// A CPU value that is older is not shown as the present one; an agent may send once a minute.
inline constexpr std::int64_t kUsageAgeMaxMs = 120'000;
/// While the router does not answer; after a start it needs a moment to learn of our own token.
inline constexpr Duration kLiveRetryInterval = std::chrono::seconds(1);
/// Three missed pushes of the standard 15 s: older health counts as down.
inline constexpr std::int64_t kPushedHealthAgeMaxMs = 45'000;
/// Health requests that wait for the first look after a start: every node of the largest plan, and
/// less than Prometheus' own time-out of 10 s.
inline constexpr std::size_t kHealthWaitersMax = 5'000;
inline constexpr Duration kHealthWaitMax = std::chrono::seconds(7);
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
/// Labels in the live state: a node's region, environment and the like.
inline constexpr std::size_t kLiveLabelCharactersMax = 128;
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

/// The built portal is held in memory.
inline constexpr std::size_t kPortalBytesMax = 64U << 20U;
inline constexpr std::size_t kPortalFilesMax = 2'000;

}  // namespace vigia::monitor
