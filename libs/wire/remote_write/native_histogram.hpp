// A native histogram as it came (prompb/types.proto, Histogram), taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"

namespace vigia::wire::remote_write {

/// The schema of custom buckets.
inline constexpr std::int32_t kCustomSchema = -53;

/// `length` buckets that follow `offset` unused ones.
struct BucketSpan {
  std::int32_t offset = 0;
  std::uint32_t length = 0;
  bool operator==(const BucketSpan&) const = default;
};

/// Numbered as Histogram.ResetHint on the wire.
enum class ResetHint : std::uint8_t { kUnknown = 0, kYes = 1, kNo = 2, kGauge = 3 };

/// Buckets of one sign. Of an integer histogram each bucket's difference to the one before, of a
/// float histogram its count.
struct Buckets {
  std::vector<BucketSpan> spans;
  std::vector<std::int64_t> deltas;
  std::vector<double> counts;
};

struct NativeHistogram {
  bool is_float = false;
  std::uint64_t count = 0;
  double float_count = 0;
  double sum = 0;
  std::int32_t schema = 0;
  double zero_threshold = 0;
  std::uint64_t zero_count = 0;
  double float_zero_count = 0;
  Buckets positive;
  Buckets negative;
  ResetHint reset_hint = ResetHint::kUnknown;
  std::vector<double> custom_bounds;

  bool is_stale() const;
};

/// kInvalid for bytes that are no such message.
Result<NativeHistogram> decode_histogram(std::string_view bytes);

/// The message of it, with its time. What decode_histogram reads of it is the same again.
std::string encode_histogram(const NativeHistogram& histogram, TimestampMs time_ms);

/// The message with no word on resets, unless it is of a gauge; what is no histogram as it is.
std::string without_reset_hint(std::string_view message, TimestampMs time_ms);

/// kInvalid, saying why, for what Prometheus refuses (Histogram.Validate and
/// FloatHistogram.Validate): spans that do not fit the buckets, negative counts, custom bounds that
/// do not grow, and of an integer histogram a count that is not zero bucket and buckets together
/// (no less, where there is no sum). And for what Prometheus takes and its queries then do not come
/// to an end with: a zero_threshold that is no width, a schema that is none. A stale mark is always
/// right.
Result<void> check_histogram(const NativeHistogram& histogram);

/// Both of them.
Result<NativeHistogram> sound_histogram(std::string_view bytes);

}  // namespace vigia::wire::remote_write
