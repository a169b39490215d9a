// Addresses that names had a moment ago.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "libs/base/clock.hpp"
#include "services/monitor/access/address.hpp"

namespace vigia::monitor::access {

/// Resolved addresses of channels' hosts, so that not every message asks the name server. Thread
/// contract: any thread; blocks on names that are not kept.
class AddressBook {
 public:
  AddressBook(AddressPolicy policy, const Clock& clock) : policy_(policy), clock_(clock) {}
  /// The checked address of "host:port"; kept for a minute, failures too.
  Result<std::string> resolve(const std::string& address);

 private:
  struct Entry {
    Result<std::string> outcome;
    TimePoint until;
  };
  const AddressPolicy policy_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace vigia::monitor::access
