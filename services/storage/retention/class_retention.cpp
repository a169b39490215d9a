#include "services/storage/retention/class_retention.hpp"

#include <set>

namespace vigia::storage::retention {
namespace {

DataKind kind_of(Signal signal) {
  return signal == Signal::kTraces ? DataKind::kTraces : DataKind::kLogs;
}

}  // namespace

Duration ClassRetention::keep_of(const CustomerId& customer, Resolution resolution) const {
  if (!is_made(resolution)) return kUnmadeKept;
  return keeper_.keep_of(customer, retention::kind_of(resolution));
}

Duration ClassRetention::keep_of(const CustomerId& customer, Signal signal) const {
  return keeper_.keep_of(customer, kind_of(signal));
}

Duration ClassRetention::keep_of_others(Resolution resolution) const {
  return is_made(resolution) ? all_[retention::kind_of(resolution)] : kUnmadeKept;
}

Duration ClassRetention::keep_of_others(Signal signal) const { return all_[kind_of(signal)]; }

Duration ClassRetention::index_keep_of(const CustomerId& customer) const {
  Keeps keeps;
  for (const DataKind kind : kKinds) keeps[kind] = keeper_.keep_of(customer, kind);
  return longest_made(keeps);
}

Duration ClassRetention::longest_made(const Keeps& keeps) const {
  Duration longest = keeps[DataKind::kRaw];
  for (const Resolution resolution :
       {Resolution::kFiveMinutes, Resolution::kHour, Resolution::kDay}) {
    if (is_made(resolution)) longest = longer(longest, keeps[retention::kind_of(resolution)]);
  }
  return longest;
}

bool ClassRetention::is_made(Resolution resolution) const {
  if (resolution == Resolution::kFiveMinutes) return settings_.rollup_5m.is_made;
  if (resolution == Resolution::kHour) return settings_.rollup_1h.is_made;
  return resolution != Resolution::kDay || settings_.rollup_1d.is_made;
}

std::vector<CustomerId> ClassRetention::own() const {
  std::set<CustomerId> customers;
  for (const DataKind kind : kKinds) {
    for (const auto& [customer, keep] : keeper_.own(kind)) customers.insert(customer);
  }
  return {customers.begin(), customers.end()};
}

}  // namespace vigia::storage::retention
