#include "services/monitor/access/throttle.hpp"

#include <algorithm>
#include <array>

#include "services/monitor/access/client_address.hpp"
#include "services/monitor/access/limits.hpp"

namespace vigia::monitor::access {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr Duration kForgetAfter = hours(1);
constexpr Duration kUnderWayWait = seconds(1);
constexpr std::uint32_t kDoublingsMax = 16;

// The parts are length-prefixed by a character that no name holds, so keys never meet.
std::array<std::string, 3> keys_of(const std::string& user, const std::string& address) {
  const auto host = caller_key(address);
  return {"p\n" + user + "\n" + host, "a\n" + host, "u\n" + user};
}

}  // namespace

// Of user and address, of the address, of the user.
static constexpr std::array<LoginThrottle::Rule, 3> kRules = {LoginThrottle::Rule{5, minutes(5)},
                                                              LoginThrottle::Rule{50, minutes(5)},
                                                              LoginThrottle::Rule{100, seconds(5)}};

std::optional<Duration> LoginThrottle::begin_try(const std::string& user,
                                                 const std::string& address, bool is_known) {
  const std::scoped_lock lock(mutex_);
  const auto keys = keys_of(user, address);
  // The rule of the user alone is the one by which a stranger could lock somebody out: who comes
  // from where the user has logged in before is not held by it.
  const std::size_t rules = is_known ? keys.size() - 1 : keys.size();
  std::optional<Duration> longest;
  for (std::size_t i = 0; i < rules; ++i) {
    const auto one = wait_of(keys[i], kRules[i]);
    if (one && (!longest || *one > *longest)) longest = one;
  }
  if (longest) return longest;
  for (const auto& key : keys) ++find_or_add(key).under_way;
  return std::nullopt;
}

std::optional<Duration> LoginThrottle::wait_of(const std::string& key, const Rule& rule) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  const Entry& entry = found->second;
  const auto now = clock_.steady();
  if (entry.under_way == 0 && now - entry.last > kForgetAfter) {
    forget(key);
    return std::nullopt;
  }
  if (now < entry.blocked_until) return entry.blocked_until - now;
  // A hundred tries at once would all be begun before the first of them fails: those that are under
  // way count as if they had, until they are over.
  if (entry.under_way > 0 && entry.failures + entry.under_way >= rule.free_failures) {
    return kUnderWayWait;
  }
  return std::nullopt;
}

void LoginThrottle::end_try(const std::string& user, const std::string& address, Outcome outcome) {
  const std::scoped_lock lock(mutex_);
  const auto keys = keys_of(user, address);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = entries_.find(keys[i]);
    if (i == 0 && outcome == Outcome::kRight && found != entries_.end()) {
      found->second.failures = 0;
      found->second.blocked_until = {};
    }
    end_key(keys[i]);
    if (outcome == Outcome::kWrong) fail_key(keys[i], kRules[i]);
  }
}

void LoginThrottle::note_failure(const std::string& user, const std::string& address) {
  const std::scoped_lock lock(mutex_);
  const auto keys = keys_of(user, address);
  for (std::size_t i = 0; i < keys.size(); ++i) fail_key(keys[i], kRules[i]);
}

// An entry that never failed is not kept: whoever logs in leaves nothing behind.
void LoginThrottle::end_key(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;  // forgotten meanwhile for want of room
  Entry& entry = found->second;
  if (entry.under_way > 0) --entry.under_way;
  if (entry.under_way == 0 && entry.failures == 0) forget(key);
}

void LoginThrottle::forget(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.under_way > 0) return;
  order_.erase(found->second.order);
  entries_.erase(found);
}

LoginThrottle::Entry& LoginThrottle::find_or_add(const std::string& key) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    order_.splice(order_.end(), order_, found->second.order);
    return found->second;
  }
  // The one that was used longest ago. Who wants to be forgotten has to make as many others fail
  // first, each of which waits.
  if (entries_.size() >= kThrottleEntriesMax) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(key);
  Entry entry;
  entry.last = clock_.steady();
  entry.order = std::prev(order_.end());
  return entries_.emplace(key, entry).first->second;
}

void LoginThrottle::fail_key(const std::string& key, const Rule& rule) {
  Entry& entry = find_or_add(key);
  const auto now = clock_.steady();
  ++entry.failures;
  entry.last = now;
  if (entry.failures < rule.free_failures) return;
  const auto doublings = std::min(entry.failures - rule.free_failures, kDoublingsMax);
  entry.blocked_until = now + std::min<Duration>(seconds(1U << doublings), rule.delay_max);
}

}  // namespace vigia::monitor::access
