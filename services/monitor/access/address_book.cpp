#include "services/monitor/access/address_book.hpp"

namespace vigia::monitor::access {
namespace {

constexpr Duration kKeepAddress = std::chrono::minutes(1);
constexpr std::size_t kAddressesMax = 20'000;

}  // namespace

Result<std::string> AddressBook::resolve(const std::string& address) {
  const auto now = clock_.steady();
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(address);
    if (found != entries_.end() && now < found->second.until) return found->second.outcome;
  }
  auto outcome = resolve_checked(address, policy_);
  const std::scoped_lock lock(mutex_);
  if (entries_.size() >= kAddressesMax) entries_.clear();
  entries_.insert_or_assign(address, Entry{outcome, now + kKeepAddress});
  return outcome;
}

}  // namespace vigia::monitor::access
