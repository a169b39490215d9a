#include "libs/wire/prometheus/classic_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

namespace vigia::wire::prometheus {
namespace {

/// Indexes of the buckets that hold something, merged by 2^shift.
struct Range {
  std::int64_t first = 0;
  std::int64_t last = -1;
  std::int64_t size() const { return last - first + 1; }
};

Range filled(const otlp::ExponentialBuckets& buckets, std::int32_t shift) {
  std::optional<Range> range;
  std::int64_t at = buckets.offset;
  for (const std::uint64_t count : buckets.counts) {
    const std::int64_t index = at++ >> shift;
    if (count == 0) continue;
    if (!range) range = Range{index, index};
    range->last = index;
  }
  return range.value_or(Range{});
}

/// Where the bucket of that index begins.
double bound_of(std::int64_t index, std::int32_t scale) {
  return std::exp2(std::ldexp(static_cast<double>(index), -scale));
}

class Bounds {
 public:
  explicit Bounds(otlp::HistogramPoint& classic) : classic_(classic) {}
  /// So many up to that bound that are above the last one.
  void add(double bound, std::uint64_t count) {
    open_ += count;
    const auto& bounds = classic_.bounds;
    if (!std::isfinite(bound) || (!bounds.empty() && bound <= bounds.back())) return;
    classic_.bounds.push_back(bound);
    classic_.bucket_counts.push_back(open_);
    open_ = 0;
  }
  void end() { classic_.bucket_counts.push_back(open_); }

 private:
  otlp::HistogramPoint& classic_;
  std::uint64_t open_ = 0;
};

std::uint64_t count_of(const otlp::ExponentialBuckets& buckets, std::int64_t index,
                       std::int32_t shift) {
  std::uint64_t count = 0;
  const std::int64_t begin =
      std::max<std::int64_t>(index * (std::int64_t{1} << shift), buckets.offset);
  const std::int64_t end =
      std::min<std::int64_t>((index + 1) * (std::int64_t{1} << shift),
                             buckets.offset + static_cast<std::int64_t>(buckets.counts.size()));
  for (std::int64_t at = begin; at < end; ++at)
    count += buckets.counts[static_cast<std::size_t>(at - buckets.offset)];
  return count;
}

std::int32_t shift_of(const otlp::ExponentialPoint& point) {
  constexpr std::int64_t kOthers = 3;  // where the lowest bucket begins, on both sides, and zero
  std::int32_t shift = 0;
  while (filled(point.positive, shift).size() + filled(point.negative, shift).size() + kOthers >
         kClassicBoundsMax)
    ++shift;
  return shift;
}

}  // namespace

void to_classic(const otlp::ExponentialPoint& point, otlp::HistogramPoint& classic) {
  classic.bounds.clear();
  classic.bucket_counts.clear();
  classic.bounds_bytes = {};
  static_cast<otlp::PointHeader&>(classic) = point;
  classic.count = point.count;
  classic.sum = point.sum;
  classic.has_sum = point.has_sum;
  if (point.is_stale()) return;
  const std::int32_t shift = shift_of(point);
  const std::int32_t scale = point.scale - shift;
  const Range negative = filled(point.negative, shift);
  const Range positive = filled(point.positive, shift);
  Bounds bounds(classic);
  if (negative.size() > 0) bounds.add(-bound_of(negative.last + 1, scale), 0);
  for (std::int64_t index = negative.last; index >= negative.first; --index)
    bounds.add(-bound_of(index, scale), count_of(point.negative, index, shift));
  if (point.zero_count > 0) bounds.add(point.zero_threshold, point.zero_count);
  if (positive.size() > 0) bounds.add(bound_of(positive.first, scale), 0);
  for (std::int64_t index = positive.first; index <= positive.last; ++index)
    bounds.add(bound_of(index + 1, scale), count_of(point.positive, index, shift));
  bounds.end();
}

}  // namespace vigia::wire::prometheus
