// What reading a request holds in memory, asked for before it is taken.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

namespace vigia::wire::remote_write {

/// Thrown inside of a decoder, which makes kOverLimit of it.
struct OverShare {};

/// Asks in steps, so that not every byte is a question. Thread contract: one thread.
class Holds {
 public:
  /// Asked with how much would be held then; false ends the reading. Empty: all may be.
  explicit Holds(std::function<bool(std::size_t bytes)> may_hold)
      : may_hold_(std::move(may_hold)) {}

  /// Throws OverShare.
  void add(std::size_t bytes) {
    bytes_ += bytes;
    if (!may_hold_ || bytes_ <= asked_) return;
    asked_ = asked_ == 0 ? bytes_ : bytes_ + kStepBytes;
    if (!may_hold_(asked_)) throw OverShare{};
  }
  void remove(std::size_t bytes) { bytes_ -= bytes; }

 private:
  static constexpr std::size_t kStepBytes = 256U << 10U;
  std::function<bool(std::size_t)> may_hold_;
  std::size_t bytes_ = 0;
  std::size_t asked_ = 0;
};

}  // namespace vigia::wire::remote_write
