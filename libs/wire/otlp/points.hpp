// Data points as they lie in the body: the fields that translation needs, attributes as one run of
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::wire::otlp {

/// What every point has.
struct PointHeader {
  std::uint64_t start_ns = 0;
  std::uint64_t time_ns = 0;
  std::uint32_t flags = 0;
  Attributes attributes;
  bool has_exemplars = false;
  /// FLAG_NO_RECORDED_VALUE: the series has ended (R-PM-10).
  bool is_stale() const { return (flags & 1U) != 0; }
};

struct NumberPoint : PointHeader {
  double value = 0;
  bool has_value = false;
};

struct HistogramPoint : PointHeader {
  std::uint64_t count = 0;
  double sum = 0;
  bool has_sum = false;
  std::vector<std::uint64_t> bucket_counts;
  std::vector<double> bounds;
  std::string_view bounds_bytes;  ///< the packed bounds as they lie there
};

/// More buckets on one side of an exponential histogram are not read: SDKs keep 160, and a body
/// full of one-byte counts would take eight times its size.
inline constexpr std::size_t kExponentialBucketsMax = 16'384;

struct ExponentialBuckets {
  std::int32_t offset = 0;
  std::vector<std::uint64_t> counts;
  bool is_cut = false;  ///< there were more than kExponentialBucketsMax
};

struct ExponentialPoint : PointHeader {
  std::uint64_t count = 0;
  double sum = 0;
  bool has_sum = false;
  std::int32_t scale = 0;
  std::uint64_t zero_count = 0;
  double zero_threshold = 0;
  ExponentialBuckets positive;
  ExponentialBuckets negative;
};

struct Quantile {
  double quantile = 0;
  double value = 0;
};

struct SummaryPoint : PointHeader {
  std::uint64_t count = 0;
  double sum = 0;
  std::vector<Quantile> quantiles;  ///< ascending
};

struct Exemplar {
  double value = 0;
  std::uint64_t time_ns = 0;
  std::string_view trace_id;  ///< bytes
  std::string_view span_id;
  Attributes attributes;  ///< filtered_attributes
};

/// Reads points into room that is used again and again: what it returns lives until the next call.
/// All throw protozero::exception on damaged bytes. Thread contract: one thread.
class PointReader {
 public:
  /// Header of a point of that type; its attributes' bytes are one run even where the encoder wrote
  /// them apart.
  const PointHeader& header(MetricKind type, std::string_view bytes);
  const NumberPoint& number(std::string_view bytes);
  const HistogramPoint& histogram(std::string_view bytes);
  const ExponentialPoint& exponential(std::string_view bytes);
  const SummaryPoint& summary(std::string_view bytes);

 private:
  template <typename Point>
  void take_attribute(Point& point, FieldReader& reader);

  NumberPoint number_;
  HistogramPoint histogram_;
  ExponentialPoint exponential_;
  SummaryPoint summary_;
  std::string scattered_;  // attributes that did not stand in one run
};

Exemplar read_exemplar(std::string_view bytes);
/// Calls visit(std::string_view) for the encoded exemplars of a point of that type.
std::uint32_t exemplar_field(MetricKind type);
template <typename Visit>
void for_each_exemplar(MetricKind type, std::string_view point, Visit&& visit) {
  FieldReader reader(point);
  const std::uint32_t field = bytes_field(exemplar_field(type));
  while (reader.next()) {
    if (reader.tag_and_type() == field) {
      visit(reader.bytes());
    } else {
      reader.skip();
    }
  }
}

}  // namespace vigia::wire::otlp
