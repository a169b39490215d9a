// Slows down guessing of passwords, per user name and address, without locking anybody out (A1).
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "libs/base/clock.hpp"

namespace vigia::monitor {

/// Failures are counted under three keys: user and address together (5 free, then 1 s, 2 s, 4 s, …
/// up to 5 min), the address alone (50 free), the user alone (100 free, at most 5 s: a stranger who
/// guesses from everywhere slows the owner down a little, and never shuts him out). A key is
/// forgotten after an hour without failures. Thread contract: any thread.
class LoginThrottle {
 public:
  explicit LoginThrottle(const Clock& clock) : clock_(clock) {}
  /// How long this caller has to wait before a try is looked at; nothing where it need not.
  std::optional<Duration> wait(const std::string& user, const std::string& address);
  void note_failure(const std::string& user, const std::string& address);
  /// Forgets the failures of this user from this address.
  void note_success(const std::string& user, const std::string& address);

 private:
  struct Entry {
    std::uint32_t failures = 0;
    TimePoint last;
    TimePoint blocked_until;
    std::list<std::string>::iterator order;
  };
  struct Rule;
  void fail_key(const std::string& key, const Rule& rule);
  std::optional<Duration> wait_of(const std::string& key);

  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> order_;  ///< oldest first
};

}  // namespace vigia::monitor
