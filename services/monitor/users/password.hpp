// Passwords: argon2id through libsodium, and which passwords are refused (A1, A2).
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::monitor::users {

/// kInvalid, saying which rule, for a password that is too short, too long, easily guessed (less
/// than 10^10 guesses by zxcvbn, which knows English, and some Spanish words here), or holds the
/// user's name. Takes 2 ms at most, whatever the length.
Result<void> check_password_rules(std::string_view password, std::string_view user);

/// Hashes and compares, kHashesAtOnceMax at a time. Thread contract: any thread but an event loop;
/// calls block.
class PasswordHasher {
 public:
  PasswordHasher();
  /// argon2id, 19 MiB, 2 passes, as a text that carries its parameters and salt. kOverLimit while
  /// too many wait.
  Result<std::string> hash(const std::string& password);
  /// Whether the password is the hash's. An empty `hash` (no such user) takes as long and is false.
  Result<bool> matches(const std::string& password, const std::string& hash);
  /// True where the hash was made with other parameters than today's.
  static bool is_outdated(const std::string& hash);

 private:
  Result<void> enter();
  void leave();

  std::mutex mutex_;
  std::condition_variable freed_;
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
  std::string nobody_hash_;  ///< compared with where there is no user
};

}  // namespace vigia::monitor::users
