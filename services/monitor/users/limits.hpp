// Named limits of users and their passwords.
#pragma once

#include <cstddef>

namespace vigia::monitor::users {

/// Password hashes at once: each takes 19 MiB, so with the prompt one 57 MiB in all.
inline constexpr std::size_t kHashesAtOnceMax = 2;
/// Log-ins that wait for a hash; more get 429. At 30 ms a hash that is a wait under half a second.
inline constexpr std::size_t kHashesWaitingMax = 32;
/// Users of one customer who may log in; and those who may not and are kept, of whom the oldest is
/// forgotten first.
inline constexpr std::size_t kUsersPerCustomerMax = 200;
inline constexpr std::size_t kDisabledUsersKeptMax = 1'000;
inline constexpr std::size_t kUserCharactersMax = 128;
inline constexpr std::size_t kPasswordCharactersMin = 12;  ///< ASVS 6.2.1 advises 15, floor 8
inline constexpr std::size_t kPasswordCharactersMax = 1024;

}  // namespace vigia::monitor::users
