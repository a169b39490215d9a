// Which buckets a histogram has, as a list: what spans say, without their many ways of saying it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms {

/// Grows strictly, where check_histogram let the spans pass.
using BucketPlaces = std::vector<std::int64_t>;

BucketPlaces places_of(const std::vector<BucketSpan>& spans);
/// In the fewest spans: what Prometheus makes of two layouts.
std::vector<BucketSpan> spans_of(const BucketPlaces& places);
BucketPlaces joined(const BucketPlaces& left, const BucketPlaces& right);

/// Spans with the places that they mean, which many histograms share.
struct BucketLayout {
  std::vector<BucketSpan> spans;
  std::shared_ptr<const BucketPlaces> places = std::make_shared<const BucketPlaces>();
};

/// Which of two layouts has buckets that the other has not.
struct LayoutDifference {
  bool is_left_short = false;
  bool is_right_short = false;
};
LayoutDifference difference(const BucketPlaces& left, const BucketPlaces& right);

/// Counts of the buckets `from`, with zeros for the others of `to`. REQUIRES: `to` has all of
/// `from`; as many counts as places.
template <typename T>
std::vector<T> spread_out(const std::vector<T>& counts, const BucketPlaces& from,
                          const BucketPlaces& to) {
  std::vector<T> all(to.size(), T{0});
  std::size_t at = 0;
  for (std::size_t i = 0; i < to.size() && at < from.size(); ++i) {
    if (to[i] == from[at]) all[i] = counts[at++];
  }
  return all;
}

}  // namespace vigia::storage::histograms
