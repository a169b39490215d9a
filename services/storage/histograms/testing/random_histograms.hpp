// Series of native histograms by chance, and when two of them say the same.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "libs/model/sample.hpp"
#include "services/storage/histograms/bucket_places.hpp"
#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms::testing {

using Counts = std::map<std::int64_t, double>;
struct Timed {
  TimestampMs time_ms = 0;
  NativeHistogram histogram;
};

/// Buckets that are not empty. Counts over 2^53 are those of fuzzers alone: rounded on both sides.
inline Counts counts_of(const Buckets& buckets) {
  const BucketPlaces places = places_of(buckets.spans);
  Counts counts;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i < buckets.deltas.size()) count += static_cast<std::uint64_t>(buckets.deltas[i]);
    const double own = i < buckets.counts.size() ? buckets.counts[i] : static_cast<double>(count);
    if (own != 0) counts[places[i]] = own;
  }
  return counts;
}

inline bool is_same_counts(const Counts& left, const Counts& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const auto& one, const auto& other) {
                      return one.first == other.first && is_same_value(one.second, other.second);
                    });
}

/// As a query sees them: empty buckets and hints left aside; of stale marks their kind alone.
inline bool is_same(const NativeHistogram& left, const NativeHistogram& right) {
  if (left.is_float != right.is_float || !is_same_value(left.sum, right.sum)) return false;
  if (left.is_stale()) return true;
  return left.count == right.count && is_same_value(left.float_count, right.float_count) &&
         left.zero_count == right.zero_count &&
         is_same_value(left.float_zero_count, right.float_zero_count) &&
         left.schema == right.schema && left.zero_threshold == right.zero_threshold &&
         left.custom_bounds == right.custom_bounds &&
         is_same_counts(counts_of(left.positive), counts_of(right.positive)) &&
         is_same_counts(counts_of(left.negative), counts_of(right.negative));
}

/// One series that grows, with whatever ends a chunk now and then.
class RandomSeries {
 public:
  explicit RandomSeries(std::uint32_t seed) : random_(seed) {}

  std::vector<Timed> make(std::size_t count) {
    std::vector<Timed> all;
    for (std::size_t i = 0; i < count; ++i) {
      step();
      time_ms_ += 15'000 + below(3) * (below(400) - 200);
      all.push_back({time_ms_, made()});
    }
    return all;
  }
  std::int64_t below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }

 private:
  void step() {
    grow(positive_, is_custom_ ? 0 : -5, is_custom_ ? 4 : 12);
    if (!is_custom_) {
      grow(negative_, -5, 5);
      zero_ += below(2);
    }
    sum_ += static_cast<double>(below(1000)) / 8;
    if (below(12) != 0) return;
    switch (below(6)) {
      case 0:
        positive_.clear();
        break;
      case 1:
        schema_ = static_cast<std::int32_t>(below(13)) - 4;
        break;
      case 2:
        threshold_ = below(2) == 0 ? 0.001 : 0x1p-128;
        break;
      case 3:
        is_gauge_ = !is_gauge_;
        break;
      case 4:
        is_float_ = !is_float_;
        break;
      default:
        is_custom_ = !is_custom_;
        positive_.clear();
        negative_.clear();
        zero_ = 0;
    }
  }
  void grow(std::map<std::int64_t, std::int64_t>& counts, std::int64_t from, std::int64_t to) {
    for (auto& [place, count] : counts) count += below(3) * below(below(8) == 0 ? 100'000 : 3);
    if (below(3) == 0) counts.try_emplace(from + below(to - from), below(3));
    if (!is_gauge_ && below(4) != 0) return;
    std::erase_if(counts,
                  [&](const auto& one) { return (is_gauge_ || one.second == 0) && below(3) == 0; });
  }
  // Now and then in more spans than it takes.
  Buckets buckets(const std::map<std::int64_t, std::int64_t>& counts) {
    Buckets made;
    BucketPlaces places;
    std::int64_t before = 0;
    for (const auto& [place, count] : counts) {
      places.push_back(place);
      is_float_ ? made.counts.push_back(static_cast<double>(count) * 0.75)
                : made.deltas.push_back(count - std::exchange(before, count));
    }
    made.spans = spans_of(places);
    if (!made.spans.empty() && made.spans.back().length > 1 && below(4) == 0) {
      --made.spans.back().length;
      made.spans.push_back({0, 0});
      made.spans.push_back({0, 1});
    }
    return made;
  }
  NativeHistogram made() {
    NativeHistogram histogram;
    histogram.is_float = is_float_;
    if (below(20) == 0) {
      histogram.sum = stale_mark();
      return histogram;
    }
    histogram.sum = sum_;
    histogram.reset_hint = is_gauge_ ? ResetHint::kGauge : static_cast<ResetHint>(below(40) == 0);
    histogram.schema = is_custom_ ? kCustomSchema : schema_;
    histogram.zero_threshold = is_custom_ ? 0 : threshold_;
    if (is_custom_) histogram.custom_bounds = {0.005, 1.0 / 3, 40'000};
    histogram.positive = buckets(positive_);
    histogram.negative = buckets(negative_);
    std::int64_t all = zero_;
    for (const auto& [place, count] : positive_) all += count;
    for (const auto& [place, count] : negative_) all += count;
    if (is_float_) {
      histogram.float_count = static_cast<double>(all) * 0.75;
      histogram.float_zero_count = static_cast<double>(zero_) * 0.75;
    } else {
      histogram.count = static_cast<std::uint64_t>(all);
      histogram.zero_count = static_cast<std::uint64_t>(zero_);
    }
    return histogram;
  }

  std::mt19937 random_;
  TimestampMs time_ms_ = 1'764'000'000'000;
  std::map<std::int64_t, std::int64_t> positive_;
  std::map<std::int64_t, std::int64_t> negative_;
  std::int64_t zero_ = 0;
  double sum_ = 0;
  std::int32_t schema_ = 3;
  double threshold_ = 0.001;
  bool is_gauge_ = false;
  bool is_float_ = false;
  bool is_custom_ = false;
};

}  // namespace vigia::storage::histograms::testing
