// The pairs of a logfmt line: `level=info msg="it said \"no\"" ok`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigia::logql::pipeline {

/// Reads a line pair by pair. Not thread-safe.
class LogfmtPairs {
 public:
  enum class PairStep { kPair, kBad, kEnd };

  explicit LogfmtPairs(std::string_view line) : line_(line) {}
  /// The next pair. After kBad the reading goes on behind the next blank.
  PairStep next();

  /// Of the last pair; valid until the next step.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  /// What is wrong with what was passed over, and at which byte.
  std::string fault() const;

 private:
  PairStep read_value();
  PairStep read_quoted();
  PairStep bad(std::string_view why, std::size_t at);
  bool is_at_blank(std::size_t at) const {
    return at >= line_.size() || static_cast<unsigned char>(line_[at]) <= ' ';
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::string_view key_;
  std::string_view value_;
  std::string unquoted_;
  std::string_view why_;
  std::size_t fault_at_ = 0;
};

}  // namespace vigia::logql::pipeline
