// Named limits of the internal port.
#pragma once

#include <chrono>
#include <cstddef>

#include "libs/base/duration.hpp"

namespace vigia::monitor::internal_port {

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
/// One message: 100 alerts of 2 KB are a fifth of it.
inline constexpr std::size_t kHookBodyBytesMax = 1U << 20U;
/// What is read of a customer's host's answer, and how long it may take.
inline constexpr std::size_t kHookAnswerBytesMax = 16U << 10U;
inline constexpr Duration kHookTimeout = std::chrono::seconds(10);
/// Targets that are remembered for when the database is away; some 300 B each.
inline constexpr std::size_t kHookTargetsKeptMax = 50'000;
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
/// Readers of the snapshot that wait for a change; more are answered at once.
inline constexpr std::size_t kSnapshotWaitersMax = 256;
inline constexpr Duration kSnapshotWaitMax = std::chrono::seconds(30);
/// A change made by another instance on the same database is seen this late at most.
inline constexpr Duration kSnapshotRefreshInterval = std::chrono::seconds(3);
/// Health requests that wait for the first look after a start: every node of the largest plan, and
/// less than Prometheus' own time-out of 10 s.
inline constexpr std::size_t kHealthWaitersMax = 5'000;
inline constexpr Duration kHealthWaitMax = std::chrono::seconds(7);

}  // namespace vigia::monitor::internal_port
