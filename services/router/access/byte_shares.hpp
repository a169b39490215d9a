// How many bytes of answers the router holds for each customer: while they arrive from a store, and
// until they are read.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace vigia::router::access {

struct ByteShareSettings {
  std::size_t customer_max = 256U << 20U;  ///< of one customer's together
  std::size_t total_max = 1U << 30U;       ///< of all customers' together
};

/// Memory goes by what comes out, series × steps × labels, and nobody knows before. So it is
/// counted as it comes. Of `total_max` each of N customers that hold something may take one part of
/// N + 1: a newcomer always finds room beside those who were there first.
///
/// Any thread. Holdings may outlive it: they share the counts.
class ByteShares {
 public:
  explicit ByteShares(ByteShareSettings settings);

  /// What one answer holds, given back when it is destroyed. From one thread at a time.
  class HeldBytes {
   public:
    HeldBytes(HeldBytes&& other) noexcept = default;
    HeldBytes& operator=(HeldBytes&&) noexcept = delete;
    ~HeldBytes();
    /// Takes so many bytes more. False where that is over the customer's share; nothing is taken
    /// then. One piece alone is always taken while the total has room: its own bound is elsewhere.
    bool grow(std::size_t bytes);

   private:
    friend class ByteShares;
    struct State;

   public:
    /// For ByteShares alone, which knows a State.
    HeldBytes(std::shared_ptr<State> state, std::string customer);

   private:
    std::shared_ptr<State> state_;  // shared by all holdings and the owner; null after a move
    std::string customer_;
    std::size_t bytes_ = 0;
  };

  /// From now on so much of `total_max` is there, where it is less: shares go by it. What is held
  /// beyond it stays.
  void bound(std::size_t total) const;
  /// Operators, who have no customer, are "" together.
  HeldBytes hold(std::string customer) const;
  /// Of all customers, now.
  std::size_t bytes() const;

 private:
  std::shared_ptr<HeldBytes::State> state_;
};

}  // namespace vigia::router::access
