// What a W3C tracestate says of sampling: its member "ot".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::collector::processors::sampler {

/// A tracestate taken apart: "a=1,ot=th:8;rv:9b8233f7e3a151,b=2".
class TraceState {
 public:
  /// Nothing where it is none by W3C Trace Context, or its "ot" cannot be read: a threshold or
  /// randomness that is none, a field without a colon.
  static std::optional<TraceState> read(std::string_view text);

  std::optional<std::uint64_t> threshold() const { return threshold_; }
  std::optional<std::uint64_t> randomness() const { return randomness_; }
  void set_threshold(std::optional<std::uint64_t> threshold) { threshold_ = threshold; }
  void set_randomness(std::uint64_t randomness) { randomness_ = randomness; }

  /// The member "ot" first, as what was changed last; the others as they came.
  std::string text() const;

 private:
  /// What stands behind "ot="; false where it cannot be read.
  bool read_ours(std::string_view fields);

  std::optional<std::uint64_t> threshold_;
  std::optional<std::uint64_t> randomness_;
  std::string more_;    ///< other fields of "ot": "x:1;y:2"
  std::string others_;  ///< other members
};

}  // namespace vigia::collector::processors::sampler
