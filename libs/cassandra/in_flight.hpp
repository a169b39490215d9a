// How many requests may be under way at once: the driver itself takes any number, and their
// memory and the cluster's patience would end first.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"

namespace vigia::cassandra {

class InFlight;

/// One place, held until it is destroyed. Ends before its InFlight.
class InFlightPlace {
 public:
  InFlightPlace(InFlight& places, std::string owner) : places_(&places), owner_(std::move(owner)) {}
  InFlightPlace(InFlightPlace&& other) noexcept;
  InFlightPlace& operator=(InFlightPlace&&) = delete;
  ~InFlightPlace();

 private:
  InFlight* places_;  ///< null once moved from
  std::string owner_;
};

/// Thread contract: any thread; the destructor once no place is held.
class InFlight {
 public:
  /// `places_max` at once, at least 1; an owner takes one only while it holds fewer than are free:
  /// alone half of them, rounded up, and whoever comes later finds a free one.
  explicit InFlight(std::size_t places_max);

  /// A place, for which is waited so long at most: then kUnavailable. `owner`: on whose behalf, a
  /// customer's id; who holds as many as are free waits, so that these are for the others.
  Result<InFlightPlace> enter(std::string_view owner, Duration wait);
  /// Waits until no place is held.
  void wait_for_none();
  std::size_t count() const;

 private:
  friend class InFlightPlace;
  void leave(const std::string& owner) noexcept;

  const std::size_t places_max_;
  mutable std::mutex mutex_;
  std::condition_variable left_;
  std::size_t count_ = 0;
  std::map<std::string, std::size_t, std::less<>> by_owner_;  ///< none has 0
};

}  // namespace vigia::cassandra
