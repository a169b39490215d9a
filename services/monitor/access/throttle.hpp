// Slows down guessing of passwords, per user name and address, without locking anybody out (A1).
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "libs/base/clock.hpp"

namespace vigia::monitor::access {

/// Failures are counted under three keys: user and address together (5 free, then 1 s, 2 s, 4 s, …
/// up to 5 min), the address alone (50 free), the user alone (100 free, at most 5 s). The last one
/// asks nobody who is known at that address: guesses from ever new places had left the owner one
/// try of sixty, right password or not. A key is forgotten after an hour without failures. A try
/// that is under way counts as a failure until it has an outcome, so three hundred at once are no
/// more than three hundred in a row. Thread contract: any thread.
class LoginThrottle {
 public:
  enum class Outcome : std::uint8_t { kRight, kWrong, kUndecided };
  struct Rule {
    std::uint32_t free_failures;
    Duration delay_max;
  };

  explicit LoginThrottle(const Clock& clock) : clock_(clock) {}
  /// How long this caller has to wait before a try is looked at; nothing where one may begin, which
  /// is noted: `end_try` has to follow. `is_known`: this user has logged in from there before.
  std::optional<Duration> begin_try(const std::string& user, const std::string& address,
                                    bool is_known = false);
  /// A right one forgets the failures of this user from this address; of an undecided one (the
  /// database did not answer) nothing is kept.
  void end_try(const std::string& user, const std::string& address, Outcome outcome);
  /// A failure that was found after its try had ended well: a user who may not log in.
  void note_failure(const std::string& user, const std::string& address);

 private:
  struct Entry {
    std::uint32_t failures = 0;
    std::uint32_t under_way = 0;
    TimePoint last;
    TimePoint blocked_until;
    std::list<std::string>::iterator order;
  };
  /// All below REQUIRE: mutex_ held.
  Entry& find_or_add(const std::string& key);
  void fail_key(const std::string& key, const Rule& rule);
  void end_key(const std::string& key);
  void forget(const std::string& key);
  std::optional<Duration> wait_of(const std::string& key, const Rule& rule);

  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> order_;  ///< oldest first
};

}  // namespace vigia::monitor::access
