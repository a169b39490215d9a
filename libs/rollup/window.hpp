// What roll-ups keep of a series' samples in one stretch of time: enough for PromQL to give the
// answer that the samples give (README.md says for which functions).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/model/resolution.hpp"
#include "libs/model/sample.hpp"

namespace vigia::rollup {

/// How long the windows of a resolution are. REQUIRES: it is not raw.
TimestampMs width_ms(Resolution resolution);

/// The end of the window that a sample lies in. Windows are open on the left and closed on the
/// right, (end - width, end], and end at whole multiples of the width since 1970: a sample on an
/// edge is the last of the window that ends there, as of a range of PromQL since Prometheus 3.
/// Where the end would be no number of 64 bits, the largest. REQUIRES: width_ms > 0.
TimestampMs window_end(TimestampMs at_ms, TimestampMs width_ms);

/// Stale marks are no samples: they are not counted, and change no other field than `stale_ms`.
struct Window {
  TimestampMs end_ms = 0;
  std::uint64_t count = 0;  ///< of samples, NaNs among them
  // Where count is 0, all up to `resets` are 0.
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;
  double first = 0;
  double last = 0;
  double sum = 0;  ///< compensated, as sum_over_time adds
  double min = 0;  ///< of all that are no NaN; a NaN where all are
  double max = 0;
  /// What the values were that a counter had just before it began anew, added up: what `increase`
  /// adds to last - first. Within the window alone: see `joined`.
  double dropped = 0;
  std::uint64_t resets = 0;  ///< how often that was
  /// Of the stale mark with which the window ends, if no sample follows it.
  std::optional<TimestampMs> stale_ms;
};

/// All windows that hold a sample or a stale mark, in order. `samples` are in order of time, one a
/// time. REQUIRES: width_ms > 0.
std::vector<Window> windows_of(std::span<const Sample> samples, TimestampMs width_ms);

/// Both as one window that ends where `later` does. A counter that began anew between them has done
/// so within it; in neither of them alone it has, so that whatever range begins between them knows
/// nothing of it, as PromQL does not. REQUIRES: all samples of `later` are later.
Window joined(const Window& earlier, const Window& later);

/// Windows of one width as wider ones. `windows` are in order. REQUIRES: width_ms is a whole
/// multiple of theirs.
std::vector<Window> widened(std::span<const Window> windows, TimestampMs width_ms);

}  // namespace vigia::rollup
