#include "services/storage/histograms/same_histogram.hpp"

#include <utility>

#include "services/storage/histograms/bucket_places.hpp"
#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms {
namespace {

Buckets filled_ones(const Buckets& buckets) {
  const BucketPlaces places = places_of(buckets.spans);
  BucketPlaces kept;
  Buckets filled;
  std::uint64_t count = 0;
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i < buckets.counts.size()) {
      if (buckets.counts[i] == 0) continue;
      filled.counts.push_back(buckets.counts[i]);
    } else {
      count += static_cast<std::uint64_t>(buckets.deltas[i]);
      if (count == 0) continue;
      filled.deltas.push_back(static_cast<std::int64_t>(count - std::exchange(before, count)));
    }
    kept.push_back(places[i]);
  }
  filled.spans = spans_of(kept);
  return filled;
}

}  // namespace

std::string said_by(std::string_view message) {
  const auto histogram = sound_histogram(message);
  if (!histogram) return std::string(message);
  NativeHistogram said;
  said.is_float = histogram->is_float;
  said.sum = histogram->sum;
  if (!histogram->is_stale()) {
    said = *histogram;
    said.positive = filled_ones(histogram->positive);
    said.negative = filled_ones(histogram->negative);
    said.zero_threshold += 0.0;  // of both zeros a chunk keeps one
    for (double& bound : said.custom_bounds) bound += 0.0;
    if (said.reset_hint != ResetHint::kGauge) said.reset_hint = ResetHint::kUnknown;
  }
  return encode_histogram(said, 0);
}

bool is_same_histogram(std::string_view left, std::string_view right) {
  return left == right || said_by(left) == said_by(right);
}

}  // namespace vigia::storage::histograms
