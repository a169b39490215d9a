// What the parts of one evaluation hold in memory at once.
#pragma once

#include <cstddef>
#include <utility>

#include "libs/base/result.hpp"
#include "libs/logql/limits.hpp"

namespace vigia::logql::metrics {

/// Shared by all parts, so that many of them cannot hold together what each may. Not thread-safe.
class PartsMemory {
 public:
  /// kTooLarge past kMetricHeldBytesMax.
  Result<void> take(std::size_t bytes);
  void give_back(std::size_t bytes) { held_ -= bytes; }
  std::size_t held() const { return held_; }

 private:
  std::size_t held_ = 0;
};

/// The share of one part, given back with it. Movable; must not outlive what it is taken from.
class PartMemory {
 public:
  PartMemory() = default;
  explicit PartMemory(PartsMemory& all) : all_(&all) {}
  PartMemory(PartMemory&& other) noexcept
      : all_(other.all_), bytes_(std::exchange(other.bytes_, std::size_t{0})) {}
  PartMemory& operator=(PartMemory&& other) noexcept {
    std::swap(all_, other.all_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  PartMemory(const PartMemory&) = delete;
  PartMemory& operator=(const PartMemory&) = delete;
  ~PartMemory() { shrink_to(0); }

  Result<void> take(std::size_t bytes) {
    const auto done = all_->take(bytes);
    if (done) bytes_ += bytes;
    return done;
  }
  /// Gives back what is over so many bytes.
  void shrink_to(std::size_t bytes) {
    if (bytes >= bytes_) return;
    all_->give_back(bytes_ - bytes);
    bytes_ = bytes;
  }
  /// Takes over the other's share.
  void add(PartMemory&& other) {
    bytes_ += std::exchange(other.bytes_, std::size_t{0});
    if (all_ == nullptr) all_ = other.all_;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  PartsMemory* all_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::logql::metrics
