// Named limits of the REST interface.
#pragma once

#include <chrono>
#include <cstddef>

#include "libs/base/duration.hpp"

namespace vigia::monitor::api {

/// A REST body: the largest, a channel with a URL of 2,000 characters, needs a tenth of it.
inline constexpr std::size_t kRequestBodyBytesMax = 64U << 10U;
/// Threads that answer the REST interface from the database.
inline constexpr std::size_t kWorkers = 4;
/// Requests that wait for one of these, of callers that are known and of strangers each; more get
/// 503. At 5 ms a request that is a wait under 1 s. Callers take turns (FairPool), and none has
/// more than half of it.
inline constexpr std::size_t kWorkerQueueMax = 512;
inline constexpr std::size_t kQuickOfCallerMax = 256;
/// Addresses of one customer, or operator, that count as known: its share of the turns.
inline constexpr std::size_t kKnownOfOwnerMax = 64;
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
/// Callers that are remembered to have proved who they are; some 200 B each.
inline constexpr std::size_t kKnownCallersMax = 10'000;
/// Of a name that people give: a customer's, a token's, a channel's.
inline constexpr std::size_t kNameCharactersMax = 200;

}  // namespace vigia::monitor::api
