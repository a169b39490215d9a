// What a customer's refused data may cost a destination:
// docs/decisions/0020-refusals-have-a-share.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::delivery {

/// Whoever refuses a request writes a line of it, with all labels of the series that it does not
/// take, into a log on the provider's disk: so many bytes a second of each customer, and no more. A
/// bucket of kBurst_s seconds. A search that has begun ends at the unit that is to blame, which may
/// overdraw the bucket; once it is empty nothing of the customer's is sent until it is half full
/// again, so that each turn finds more than one.
/// Thread contract: any thread. Never calls anybody, so that it may be asked under any lock.
class RefusalBudget {
 public:
  /// What one customer's refusals have cost so far.
  struct Account {
    std::uint64_t bytes = 0;  ///< charged
    Duration waited{0};       ///< its share was spent
  };

  /// `bytes_per_second`: at least 1.
  RefusalBudget(std::uint64_t bytes_per_second, const Clock& clock);

  /// A request of units [first, last) was refused, which the destination tells its log in so many
  /// lines, up to a quarter of the bucket. True where the customer's share is spent by it and was
  /// not before.
  bool charge(const Parcel& parcel, std::size_t first, std::size_t last, std::uint64_t lines = 1);
  /// Nothing more of the customer's that may be refused is to be sent now. An atomic look while
  /// nobody was refused anything.
  bool is_spent(const CustomerId& customer) const;
  /// Its share was spent, and has not been whole again since.
  bool is_short(const CustomerId& customer) const;
  /// Of all whom something was refused; as many as the directory has customers.
  std::map<CustomerId, Account> accounts() const;

  static constexpr double kBurst_s = 64;
  /// Beside the labels: time, level, text, the sample's time.
  static constexpr std::uint64_t kLineBytes = 256;
  /// No series has more labels; of a body of spans or records no line holds all.
  static constexpr std::uint64_t kUnitBytesMax = 64U << 10U;

 private:
  struct Bucket {
    double left = 0;  // below 0: overdrawn
    TimePoint filled{};
    std::optional<TimePoint> spent_since{};
    bool is_short = false;
    Account account{};
  };
  std::uint64_t quarter() const {
    return static_cast<std::uint64_t>(kBurst_s * bytes_per_second_) / 4;
  }
  void fill(Bucket& bucket, TimePoint now) const;
  /// REQUIRES: mutex_ is held. Filled as of now; null: nothing was ever refused.
  Bucket* find(const CustomerId& customer) const;

  const double bytes_per_second_;
  const Clock& clock_;
  std::atomic<bool> has_buckets_{false};
  mutable std::mutex mutex_;
  mutable std::map<CustomerId, Bucket> buckets_;
};

}  // namespace vigia::collector::delivery
