#include "services/collector/delivery/refusal_budget.hpp"

#include <algorithm>

namespace vigia::collector::delivery {
namespace {

/// Of the bucket, from which on a search begins again: it takes some requests to find anything, and
/// what is left of an entry is written anew after each turn.
constexpr double kEnough = 0.5;

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

Duration from_seconds(double time) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(time));
}

/// By the largest unit: which of them the destination does not take it does not say.
std::uint64_t line_bytes(const Parcel& parcel, std::size_t first, std::size_t last) {
  std::size_t largest = 0;
  for (std::size_t unit = first; unit < last; ++unit)
    largest = std::max(largest, parcel.run(unit, unit + 1).size());
  return RefusalBudget::kLineBytes + std::min<std::uint64_t>(largest, RefusalBudget::kUnitBytesMax);
}

}  // namespace

RefusalBudget::RefusalBudget(std::uint64_t bytes_per_second, const Clock& clock)
    : bytes_per_second_(static_cast<double>(bytes_per_second)), clock_(clock) {}

void RefusalBudget::fill(Bucket& bucket, TimePoint now) const {
  const double whole = kBurst_s * bytes_per_second_;
  const double enough = kEnough * whole;
  const double filled = bucket.left + seconds(now - bucket.filled) * bytes_per_second_;
  if (bucket.spent_since && filled >= enough) {
    // Nobody may have looked when it came to that.
    const TimePoint until = now - from_seconds((filled - enough) / bytes_per_second_);
    bucket.account.waited += std::max(until - *bucket.spent_since, Duration::zero());
    bucket.spent_since.reset();
  }
  if (filled >= whole) bucket.is_short = false;
  bucket.left = std::min(filled, whole);
  bucket.filled = now;
}

RefusalBudget::Bucket* RefusalBudget::find(const CustomerId& customer) const {
  const auto found = buckets_.find(customer);
  if (found == buckets_.end()) return nullptr;
  fill(found->second, clock_.steady());
  return &found->second;
}

bool RefusalBudget::charge(const Parcel& parcel, std::size_t first, std::size_t last,
                           std::uint64_t lines) {
  // Of many lines at once, by a destination that is spared from then on, a quarter of the bucket:
  // what search there is to be done begins now, and not in a minute.
  const std::uint64_t one = line_bytes(parcel, first, last);
  const std::uint64_t bytes = std::clamp(lines * one, one, std::max(one, quarter()));
  const std::lock_guard lock(mutex_);
  Bucket* bucket = find(parcel.customer);
  if (bucket == nullptr) {
    const TimePoint now = clock_.steady();
    bucket = &buckets_.try_emplace(parcel.customer, Bucket{kBurst_s * bytes_per_second_, now})
                  .first->second;
    has_buckets_ = true;
  }
  bucket->left -= static_cast<double>(bytes);
  bucket->account.bytes += bytes;
  if (bucket->left > 0 || bucket->spent_since) return false;
  bucket->spent_since = bucket->filled;
  bucket->is_short = true;
  return true;
}

bool RefusalBudget::is_spent(const CustomerId& customer) const {
  if (!has_buckets_) return false;
  const std::lock_guard lock(mutex_);
  const Bucket* bucket = find(customer);
  return bucket != nullptr && bucket->spent_since.has_value();
}

bool RefusalBudget::is_short(const CustomerId& customer) const {
  if (!has_buckets_) return false;
  const std::lock_guard lock(mutex_);
  const Bucket* bucket = find(customer);
  return bucket != nullptr && bucket->is_short;
}

std::map<CustomerId, RefusalBudget::Account> RefusalBudget::accounts() const {
  const std::lock_guard lock(mutex_);
  std::map<CustomerId, Account> accounts;
  const TimePoint now = clock_.steady();
  for (auto& [customer, bucket] : buckets_) {
    fill(bucket, now);
    Account account = bucket.account;
    if (bucket.spent_since) account.waited += now - *bucket.spent_since;
    accounts.emplace(customer, account);
  }
  return accounts;
}

}  // namespace vigia::collector::delivery
