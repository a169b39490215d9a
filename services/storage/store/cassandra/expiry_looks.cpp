#include "services/storage/store/cassandra/expiry_looks.hpp"

#include <algorithm>

namespace vigia::storage::store::cassandra {
namespace {

void note_first(std::map<std::string, std::uint32_t, std::less<>>& days,
                const std::string& customer, std::uint32_t day) {
  std::uint32_t& first = days.try_emplace(customer, day).first->second;
  first = std::min(first, day);
}

}  // namespace

// What is not over by any cut that was looked for is found by the look that has a later one.
void ExpiryLooks::note(const CustomerId& customer, std::uint32_t day) {
  const std::lock_guard lock(mutex_);
  const std::string& id = customer.text();
  if (day < std::max(done_of(id), cuts_.of(id))) note_first(noted_, id, day);
}

bool ExpiryLooks::begin(const CutDays& cuts) {
  const std::lock_guard lock(mutex_);
  for (const auto& [customer, day] : looked_) note_first(noted_, customer, day);  // it did not end
  looked_.clear();
  const bool is_any_over = std::any_of(noted_.begin(), noted_.end(), [&](const auto& one) {
    return one.second < cuts.of(one.first);
  });
  if (is_begun_ && cuts == done_ && !is_any_over) return false;
  cuts_ = cuts;
  looked_.swap(noted_);
  return true;
}

bool ExpiryLooks::is_due(std::string_view customer) const {
  const std::lock_guard lock(mutex_);
  const std::uint32_t cut = cuts_.of(customer);
  if (!is_begun_ || cut > done_.of(customer)) return cut > 0;
  const auto at = looked_.find(customer);
  return at != looked_.end() && at->second < cut;
}

// What was noted of days that are not over yet is behind the cut: a later look passes it.
void ExpiryLooks::end() {
  const std::lock_guard lock(mutex_);
  is_begun_ = true;
  done_ = cuts_;
  looked_.clear();
}

}  // namespace vigia::storage::store::cassandra
