// Named limits of log-ins and sessions.
#pragma once

#include <chrono>
#include <cstddef>

namespace vigia::monitor::sessions {

/// So often a log-in of one customer, from where somebody of it has logged in, is as urgent as
/// pages are: beside programs that want all cores the others take ten times as long.
inline constexpr std::chrono::seconds kPromptLogInEvery{1};
/// Callers (an address; of IPv6 its network) whose log-ins wait, of those who have logged in from
/// there and of strangers alike; and the log-ins of each. At 30 ms a hash and two at once a
/// stranger waits 1 s at most for his turn.
inline constexpr std::size_t kLogInCallersMax = 64;
inline constexpr std::size_t kLogInsOfCallerMax = 4;
/// Of the known ones one customer has this many, a quarter of those that may wait.
inline constexpr std::size_t kKnownLogInsOfOwnerMax = kLogInCallersMax / 4;
/// Users and addresses of refused log-ins that stand in the audit log by name in ten minutes.
inline constexpr std::size_t kRefusedKindsMax = 20;
/// The same of log-ins that succeed and log-outs, of one customer (or all operators) and of one
/// user: 201 entries in ten minutes at most, 7 MB a day of a customer that does nothing else.
inline constexpr std::size_t kSessionKindsMax = 100;
inline constexpr std::size_t kSessionKindsOfUserMax = 10;
inline constexpr std::size_t kSessionsPerUserMax = 20;  ///< the oldest ends

}  // namespace vigia::monitor::sessions
