// One point added to the state of its stream, and written as it is then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/deltas/delta_request.hpp"
#include "libs/deltas/stream_state.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::deltas {

/// Of a number, or one of both kinds of histograms. Throws protozero::exception on damaged bytes.
/// Thread contract: one thread.
class PointSum {
 public:
  /// Reads the point. kUnfit where no state could take it; nothing of a state has changed then.
  std::optional<DeltaFault> read(const DeltaPoint& point);
  /// FLAG_NO_RECORDED_VALUE: the stream ends here, and nothing is added.
  bool is_stale() const { return is_stale_; }
  /// What the state's buckets take at most, with this point added.
  std::size_t bytes_more() const;
  /// Buckets of another form cannot be added to.
  bool is_of_other_shape(const StreamState& state) const;
  /// False, and the state is as it was, where its numbers would not hold the sum.
  bool add_to(StreamState& state) const;
  /// The point that was read, with the state's numbers and start, and that time.
  std::string write(const StreamState& state, std::uint64_t time_ns) const;

 private:
  bool is_fit() const;
  bool add_histogram(StreamState& state) const;
  bool add_number(StreamState& state) const;

  wire::otlp::PointReader points_;
  DeltaPoint point_;
  bool is_stale_ = false;
  const wire::otlp::NumberPoint* number_ = nullptr;
  const wire::otlp::HistogramPoint* histogram_ = nullptr;
  const wire::otlp::ExponentialPoint* exponential_ = nullptr;
  std::optional<std::int64_t> whole_;  // of a number that is an integer
};

}  // namespace vigia::deltas
