// Where in a request a walk stands, to be told where it is damaged.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "libs/model/signal.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::wire::otlp {

/// Counted along at each step, made a text only where one is asked for.
class DamagePlace {
 public:
  enum Level : std::uint8_t { kResource, kScope, kMetric, kPoint, kRecord = kMetric };

  /// To the first, or the next, of that level inside of what was entered last on the one above it.
  void enter(Level level) {
    ++counts_[level];
    depth_ = level + 1U;
    if (depth_ < counts_.size()) counts_[depth_] = 0;
  }
  void leave(Level level) { depth_ = level; }
  /// What the points of the metric at hand lie in.
  void set_kind(MetricKind kind) { kind_ = kind; }

  /// In the names of OTLP/JSON, counted from 0: "resourceSpans[0].scopeSpans[2].spans[7]". ""
  /// before the first resource.
  std::string text(Signal signal) const;

 private:
  std::array<std::uint32_t, 4> counts_{};  // by level: how many were entered
  std::size_t depth_ = 0;
  MetricKind kind_ = MetricKind::kNone;
};

}  // namespace vigia::wire::otlp
