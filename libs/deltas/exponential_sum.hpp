// Exponential histograms that are added up: their buckets are halved in number until they fit
// (OpenTelemetry data model, "Exponential histogram", "All scales are perfect subsets").
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::deltas {

/// Thread contract: one thread.
class ExponentialSum {
 public:
  /// False where both could only be held by buckets coarser than kMergedScaleMin, which no doubles
  /// need and no store takes; what is there is spoilt then. REQUIRES: neither side of the point
  /// is_cut, and can_add.
  [[nodiscard]] bool add(const wire::otlp::ExponentialPoint& point);
  /// Appends scale, zero count, zero threshold and both sides to a point's bytes.
  void write(std::string& point) const;
  /// As docs/formats/delta-states.md has it, to its end; and back. `decode` leaves the reader at
  /// fault where the bytes are not what encode writes.
  void encode(std::string& out) const;
  static ExponentialSum decode(ByteReader& reader);
  bool operator==(const ExponentialSum&) const = default;

  /// Scales of real data are -10 to 20 (OpenTelemetry SDKs), and beyond -11 all doubles are in two
  /// buckets. Coarsening goes one by one: far apart scales would take for ever.
  /// Nor has any of them a zero threshold that is no width.
  static bool can_add(const wire::otlp::ExponentialPoint& point) {
    return point.scale >= kScaleMin && point.scale <= kScaleMax &&
           std::isfinite(point.zero_threshold) && point.zero_threshold >= 0;
  }
  static constexpr std::int32_t kScaleMin = -32;
  static constexpr std::int32_t kScaleMax = 64;
  /// Prometheus' coarsest: all doubles are in 132 buckets. Where a point is coarser itself, its
  /// own.
  static constexpr std::int32_t kMergedScaleMin = -4;

  /// Of one side: SDKs keep 160. More are merged two by two.
  static constexpr std::int64_t kBucketsMax = 320;
  /// Of both sides.
  static constexpr std::size_t kBytesMax = 2 * kBucketsMax * sizeof(std::uint64_t);

 private:
  struct Side {
    std::int64_t first = 0;  // index of counts[0]
    std::vector<std::uint64_t> counts;

    bool operator==(const Side&) const = default;
    std::int64_t end() const { return first + static_cast<std::int64_t>(counts.size()); }
    void merge_pairs();
    void add(std::int64_t index, std::uint64_t count);
  };
  static Side side_of(const wire::otlp::ExponentialBuckets& buckets);
  static bool fits(const Side& left, const Side& right);
  static void coarsen(Side& positive, Side& negative, std::int32_t& scale);
  void fold_below_threshold(Side& side);

  bool is_empty_ = true;
  std::int32_t scale_ = 0;
  std::uint64_t zero_count_ = 0;
  double zero_threshold_ = 0;
  Side positive_;
  Side negative_;
};

}  // namespace vigia::deltas
