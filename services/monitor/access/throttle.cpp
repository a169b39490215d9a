#include "services/monitor/access/throttle.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "libs/base/hex.hpp"
#include "services/monitor/limits.hpp"

namespace vigia::monitor {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct LoginThrottle::Rule {
  std::uint32_t free_failures;
  Duration delay_max;
};

namespace {

constexpr Duration kForgetAfter = hours(1);
constexpr std::uint32_t kDoublingsMax = 16;

// Whom "127.0.0.1:4711" or "[2001:db8::1]:4711" is: the address without its port; of IPv6 the
// first 64 bits, since whoever has one address of them has them all.
std::string host_of(const std::string& address) {
  const std::string host = address.substr(0, address.rfind(':'));
  if (!host.starts_with('[')) return host;
  in6_addr bytes{};
  if (inet_pton(AF_INET6, host.substr(1, host.find(']') - 1).c_str(), &bytes) != 1) return host;
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) return host;
  return to_hex({reinterpret_cast<const char*>(bytes.s6_addr), 8});
}

// The parts are length-prefixed by a character that no name holds, so keys never meet.
std::array<std::string, 3> keys_of(const std::string& user, const std::string& address) {
  const auto host = host_of(address);
  return {"p\n" + user + "\n" + host, "a\n" + host, "u\n" + user};
}

}  // namespace

std::optional<Duration> LoginThrottle::wait(const std::string& user, const std::string& address) {
  const std::scoped_lock lock(mutex_);
  std::optional<Duration> longest;
  for (const auto& key : keys_of(user, address)) {
    const auto one = wait_of(key);
    if (one && (!longest || *one > *longest)) longest = one;
  }
  return longest;
}

std::optional<Duration> LoginThrottle::wait_of(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  const auto now = clock_.steady();
  if (now - found->second.last > kForgetAfter) {
    order_.erase(found->second.order);
    entries_.erase(found);
    return std::nullopt;
  }
  if (now >= found->second.blocked_until) return std::nullopt;
  return found->second.blocked_until - now;
}

void LoginThrottle::note_failure(const std::string& user, const std::string& address) {
  static constexpr std::array<Rule, 3> kRules = {Rule{5, minutes(5)}, Rule{50, minutes(5)},
                                                 Rule{100, seconds(5)}};
  const std::scoped_lock lock(mutex_);
  const auto keys = keys_of(user, address);
  for (std::size_t i = 0; i < keys.size(); ++i) fail_key(keys[i], kRules[i]);
}

void LoginThrottle::fail_key(const std::string& key, const Rule& rule) {
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= kThrottleEntriesMax) {
      entries_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(key);
    found = entries_.emplace(key, Entry{0, {}, {}, std::prev(order_.end())}).first;
  } else {
    order_.splice(order_.end(), order_, found->second.order);
  }
  Entry& entry = found->second;
  const auto now = clock_.steady();
  ++entry.failures;
  entry.last = now;
  if (entry.failures < rule.free_failures) return;
  const auto doublings = std::min(entry.failures - rule.free_failures, kDoublingsMax);
  entry.blocked_until = now + std::min<Duration>(seconds(1U << doublings), rule.delay_max);
}

void LoginThrottle::note_success(const std::string& user, const std::string& address) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(keys_of(user, address)[0]);
  if (found == entries_.end()) return;
  order_.erase(found->second.order);
  entries_.erase(found);
}

}  // namespace vigia::monitor
