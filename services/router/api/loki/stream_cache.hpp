// What lists of streams have found of minutes that are over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/labels.hpp"

namespace vigia::router::api::loki {

struct LineAmounts {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  ///< of their texts
  void add(std::uint64_t more_lines, std::uint64_t more_bytes) {
    lines += more_lines;
    bytes += more_bytes;
  }
};

/// Lengths of time since 1970 by number: [number × kStretch, (number + 1) × kStretch).
inline constexpr std::chrono::minutes kStretch{5};
/// A stretch that is over for so long is kept: what comes later than that is seen once it is
/// forgotten.
inline constexpr std::chrono::minutes kStretchSettled{5};
inline constexpr std::chrono::minutes kStretchKept{5};

/// By customer and what of his streams is asked for. Each customer has a share, and nobody's list
/// is made of another's. What is found is nobody's to change, and is read without the lock. Any
/// thread.
class StreamCache {
 public:
  using Streams = std::vector<std::pair<std::shared_ptr<const Labels>, LineAmounts>>;
  static constexpr std::size_t kCustomerBytesMax = 8U << 20U;
  static constexpr std::size_t kBytesMax = 64U << 20U;

  /// The clock must outlive it.
  explicit StreamCache(const Clock& clock) : clock_(clock) {}

  /// Null where it is not known, or was kept for too long.
  std::shared_ptr<const Streams> find(const std::string& customer, const std::string& selector,
                                      std::uint64_t stretch);
  /// Those from `first` on, as far as the customer has room for them. What several of them share
  /// is kept once.
  void keep(const std::string& customer, const std::string& selector, std::uint64_t first,
            std::vector<Streams> stretches);
  std::size_t bytes() const;

 private:
  struct Stretch {
    TimePoint kept;
    std::shared_ptr<const Streams> streams;
    std::size_t bytes = 0;
  };
  struct Selector {
    std::map<std::uint64_t, Stretch> stretches;
    std::size_t bytes = 0;
    TimePoint used;
  };
  struct Customer {
    std::map<std::string, Selector> selectors;
    std::size_t bytes = 0;
    TimePoint used;
  };
  using Customers = std::map<std::string, Customer>;
  using Selectors = std::map<std::string, Selector>;

  void forget_old(Customer& customer, TimePoint now);
  void forget_old(Selector& selector, Customer& customer, TimePoint now);
  bool make_room(Customers::iterator whose, const std::string& selector, std::size_t bytes);
  void count(Customer& customer, Selector& selector, std::size_t bytes);
  void uncount(Customer& customer, Selector& selector, std::size_t bytes);
  void forget(Customer& customer, Selectors::iterator selector);

  const Clock& clock_;
  mutable std::mutex mutex_;
  Customers customers_;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::router::api::loki
