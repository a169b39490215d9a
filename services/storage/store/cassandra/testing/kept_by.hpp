// How long customers are kept, as a test says.
#pragma once

#include <map>
#include <vector>

#include "services/storage/store/cassandra/keep_times.hpp"

namespace vigia::storage::store::cassandra {

/// What is not named is kept for ever. Thread contract: one thread, but for reads.
class KeptBy final : public CustomerRetention {
 public:
  explicit KeptBy(KeptByKind all) : all_(std::move(all)) {}
  void set(const CustomerId& customer, KeptByKind kept) { own_[customer] = std::move(kept); }
  void let_go(const CustomerId& customer) { own_.erase(customer); }

  Duration keep_of(const CustomerId& customer, Resolution resolution) const override {
    return keep_of_kind(of(customer), kind_of(resolution));
  }
  Duration keep_of(const CustomerId& customer, Signal signal) const override {
    return keep_of_kind(of(customer), to_string(signal));
  }
  Duration keep_of_others(Resolution resolution) const override {
    return keep_of_kind(all_, kind_of(resolution));
  }
  Duration keep_of_others(Signal signal) const override {
    return keep_of_kind(all_, to_string(signal));
  }
  Duration index_keep_of(const CustomerId& customer) const override {
    return keep_of_kind(of(customer), kIndexKind);
  }
  Duration index_keep_of_others() const override { return keep_of_kind(all_, kIndexKind); }
  std::vector<CustomerId> own() const override {
    std::vector<CustomerId> customers;
    for (const auto& [customer, kept] : own_) customers.push_back(customer);
    return customers;
  }

 private:
  const KeptByKind& of(const CustomerId& customer) const {
    const auto found = own_.find(customer);
    return found == own_.end() ? all_ : found->second;
  }

  KeptByKind all_;
  std::map<CustomerId, KeptByKind> own_;
};

}  // namespace vigia::storage::store::cassandra
