// What a byte of an owner's bodies has cost, and so whether an event loop may work on his next one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libs/net/internal/loop_debts.hpp"

namespace vigia::net::internal {

/// An event loop never works on a body that has more bytes than this, before or after unpacking.
inline constexpr std::size_t kOnLoopBytesMax = 512U << 10U;
/// Nor on one that should take it longer: it answers none of its other connections meanwhile.
inline constexpr std::chrono::nanoseconds kOnLoopWorkMax = std::chrono::milliseconds(2);
/// What is expected to take so long may take twice that; more is a debt of its owner's (LoopDebts).
inline constexpr std::chrono::nanoseconds kOnLoopTooLong = 2 * kOnLoopWorkMax;

/// Costs by owner, learned quickly when they rise and slowly when they fall, so that cheap bodies
/// buy an owner few dear ones. Thread-safe.
class BodyCosts {
 public:
  /// A body of so few bytes is an event loop's, and teaches nothing, unless its owner's have taken
  /// a loop too long (LoopDebts).
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

  LoopDebts& debts() { return debts_; }
  const LoopDebts& debts() const { return debts_; }

  /// To ask for a thread's processor time is a system call, to ask for the time of day is none, and
  /// what has passed is never less than what was worked: so it does for bodies that are cheap by
  /// either. False: the next bodies are to be measured by processor time.
  bool is_surely_cheap(const std::string& owner, bool is_packed) const;
  /// What has passed meanwhile, other threads' work included. Where it is dear by that, nothing is
  /// learned, but that the next kInDoubt bodies are measured by processor time.
  void note_passed(const std::string& owner, bool is_packed, std::size_t bytes,
                   std::chrono::nanoseconds passed);
  /// So many, for an owner not to be taken as cheap by turns.
  static constexpr unsigned kInDoubt = 64;

 private:
  struct Cost {
    double a_byte = kUnknownCost;
    unsigned in_doubt = kInDoubt;  // bodies that are still to be measured by processor time
  };
  struct Costs {
    Cost plain;
    Cost packed;
  };
  Cost& cost_of(const std::string& owner, bool is_packed);  // REQUIRES: mutex_
  LoopDebts debts_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Costs> costs_;  // guarded by mutex_
};

/// Where a body is worked on.
enum class WorkPlace : std::uint8_t { kLoop, kWorker };

/// The processor time that its thread takes over one body, or the time that passes where the
/// owner's are surely cheap. Not noted where the work has thrown, or has gone to another thread.
class CostMeter {
 public:
  /// `costs` must outlive the meter.
  CostMeter(BodyCosts& costs, const std::string& owner, bool is_packed, std::size_t bytes,
            WorkPlace place);
  /// What it took from the meter's beginning to here.
  void note();

 private:
  /// A worker's small body says nothing of what a loop may have.
  bool is_measured() const {
    return bytes_ > (place_ == WorkPlace::kLoop ? 0 : BodyCosts::kSmallBytes);
  }
  BodyCosts& costs_;
  const WorkPlace place_;
  const std::size_t bytes_;
  const bool is_packed_;
  bool is_by_processor_ = false;
  std::string owner_;  // a copy: the request goes away meanwhile
  std::chrono::nanoseconds begin_{};
};

}  // namespace vigia::net::internal
