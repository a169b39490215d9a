// What a byte of an owner's bodies has cost, and so whether an event loop may work on his next one.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vigia::net::internal {

/// An event loop never works on a body that has more bytes than this, before or after unpacking.
inline constexpr std::size_t kOnLoopBytesMax = 512U << 10U;
/// Nor on one that should take it longer: it answers none of its other connections meanwhile.
inline constexpr std::chrono::nanoseconds kOnLoopWorkMax = std::chrono::milliseconds(2);

/// Costs by owner, learned quickly when they rise and slowly when they fall, so that cheap bodies
/// buy an owner few dear ones. Thread-safe.
class BodyCosts {
 public:
  /// A body of so few bytes is an event loop's in any case, and teaches nothing.
  static constexpr std::size_t kSmallBytes = 16U << 10U;
  /// Nanoseconds a byte, of an owner of whom nothing is known: 256 KiB are 2 ms then.
  static constexpr double kUnknownCost = 7.6;
  /// Owners kept in mind; where there are more, all are forgotten, and learned again.
  static constexpr std::size_t kOwnersMax = 8192;

  /// `is_packed`: the bytes are still compressed, which has a cost of its own.
  bool fits_loop(const std::string& owner, bool is_packed, std::size_t bytes) const;
  /// What unpacking and handling such a body took of a processor.
  void note(const std::string& owner, bool is_packed, std::size_t bytes,
            std::chrono::nanoseconds work);

 private:
  struct Cost {
    double plain = kUnknownCost;
    double packed = kUnknownCost;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Cost> costs_;  // guarded by mutex_
};

/// The processor time that its thread takes over one body. Not noted where the work has thrown, or
/// has gone to another thread.
class CostMeter {
 public:
  /// `costs` must outlive the meter.
  CostMeter(BodyCosts& costs, const std::string& owner, bool is_packed, std::size_t bytes);
  /// What it took from the meter's beginning to here.
  void note();

 private:
  BodyCosts& costs_;
  const std::size_t bytes_;
  const bool is_packed_;
  std::string owner_;  // a copy: the request goes away meanwhile
  std::chrono::nanoseconds begin_{};
};

}  // namespace vigia::net::internal
