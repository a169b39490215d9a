// What one answer holds of its customer's share of all answers' memory.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "services/storage/lanes/customer_shares.hpp"

namespace vigia::storage::lanes {

/// Held while the answer is made and until its reader has taken it. Counted before the memory is
/// used, so that no number of queries, series or readers makes more than the share. Thread
/// contract: one thread at a time; `shares` must outlive it.
class AnswerMemory {
 public:
  AnswerMemory(CustomerShares& shares, std::string_view customer)
      : held_(shares, customer), limit_(shares.amount_max() / 2) {}

  /// kOverLimit where this answer alone would pass its limit; kUnavailable, to be tried again,
  /// where the customer's others leave too little. Nothing is added then.
  Result<void> add(std::size_t bytes);
  /// REQUIRES: bytes <= used().
  void release(std::size_t bytes);
  std::size_t used() const { return used_; }
  /// From now on it holds no more than that. Without this, and above it, half of what all may hold.
  void limit_to(std::size_t bytes);

 private:
  HeldShare held_;
  std::size_t limit_;
  std::size_t used_ = 0;
};

/// What is added to an answer's memory while this lives is released with it.
class ScratchMemory {
 public:
  explicit ScratchMemory(AnswerMemory& memory) : memory_(memory), before_(memory.used()) {}
  ScratchMemory(const ScratchMemory&) = delete;
  ScratchMemory& operator=(const ScratchMemory&) = delete;
  ~ScratchMemory() { memory_.release(memory_.used() - before_); }

 private:
  AnswerMemory& memory_;
  const std::size_t before_;
};

/// A part of an answer's memory that outlives others which were added later: released with this.
/// Not while a ScratchMemory lives that is younger.
class HeldMemory {
 public:
  explicit HeldMemory(AnswerMemory& memory) : memory_(&memory) {}
  HeldMemory(const HeldMemory&) = delete;
  HeldMemory& operator=(const HeldMemory&) = delete;
  HeldMemory(HeldMemory&& from) noexcept
      : memory_(from.memory_), bytes_(std::exchange(from.bytes_, 0)) {}
  HeldMemory& operator=(HeldMemory&&) = delete;
  ~HeldMemory() { memory_->release(bytes_); }

  /// To so many bytes in all; AnswerMemory::add's errors, where that is more.
  Result<void> set(std::size_t bytes);
  std::size_t bytes() const { return bytes_; }

 private:
  AnswerMemory* memory_;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::storage::lanes
