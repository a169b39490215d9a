#include "services/storage/histograms/bucket_places.hpp"

#include <algorithm>
#include <iterator>

namespace vigia::storage::histograms {

BucketPlaces places_of(const std::vector<BucketSpan>& spans) {
  BucketPlaces places;
  std::int64_t next = 0;
  for (const BucketSpan& span : spans) {
    next += span.offset;
    for (std::uint32_t i = 0; i < span.length; ++i) places.push_back(next++);
  }
  return places;
}

std::vector<BucketSpan> spans_of(const BucketPlaces& places) {
  std::vector<BucketSpan> spans;
  std::int64_t next = 0;
  for (const std::int64_t place : places) {
    if (!spans.empty() && place == next) {
      ++spans.back().length;
    } else {
      spans.push_back({static_cast<std::int32_t>(place - next), 1});
    }
    next = place + 1;
  }
  return spans;
}

BucketPlaces joined(const BucketPlaces& left, const BucketPlaces& right) {
  BucketPlaces both;
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(both));
  return both;
}

LayoutDifference difference(const BucketPlaces& left, const BucketPlaces& right) {
  if (&left == &right || left == right) return {};
  return {!std::includes(left.begin(), left.end(), right.begin(), right.end()),
          !std::includes(right.begin(), right.end(), left.begin(), left.end())};
}

}  // namespace vigia::storage::histograms
