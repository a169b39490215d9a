// What the stages may do for one line.
#pragma once

#include <cstddef>

#include "libs/logql/limits.hpp"

namespace vigia::logql::pipeline {

/// One allowance of all stages of a selector for one line, in bytes that are looked at or made, so
/// that neither many stages nor products of texts within one hold a core. What it refuses is not
/// done. Not thread-safe.
class LineWork {
 public:
  explicit LineWork(std::size_t bytes = kLineWorkBytesMax) : left_(bytes) {}

  /// False, and nothing is left, where that is too much.
  bool take(std::size_t bytes) {
    const bool is_there = bytes <= left_;
    left_ = is_there ? left_ - bytes : 0;
    has_refused_ = has_refused_ || !is_there;
    return is_there;
  }
  /// Whether it has refused anything since it was asked last.
  bool take_refusal() {
    const bool has_refused = has_refused_;
    has_refused_ = false;
    return has_refused;
  }
  bool is_used_up() const { return left_ == 0; }
  std::size_t left() const { return left_; }

 private:
  std::size_t left_;
  bool has_refused_ = false;
};

}  // namespace vigia::logql::pipeline
