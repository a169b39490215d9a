#include "libs/deltas/exponential_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::deltas {

namespace {

/// Rounds down, for negative indexes too.
std::int64_t halved(std::int64_t index) { return index >> 1; }

// Small where the number is, whatever its sign.
void append_signed(std::string& out, std::int64_t value) {
  append_varint(
      out, (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
}
std::int64_t read_signed(ByteReader& reader) {
  const std::uint64_t value = reader.read_varint();
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

}  // namespace

void ExponentialSum::Side::add(std::int64_t index, std::uint64_t count) {
  if (count == 0) return;
  if (counts.empty()) first = index;
  if (index < first) {
    counts.insert(counts.begin(), static_cast<std::size_t>(first - index), 0);
    first = index;
  }
  if (index >= end()) counts.resize(static_cast<std::size_t>(index - first + 1));
  counts[static_cast<std::size_t>(index - first)] += count;
}

void ExponentialSum::Side::merge_pairs() {
  Side merged;
  for (std::size_t place = 0; place < counts.size(); ++place)
    merged.add(halved(first + static_cast<std::int64_t>(place)), counts[place]);
  *this = std::move(merged);
}

ExponentialSum::Side ExponentialSum::side_of(const wire::otlp::ExponentialBuckets& buckets) {
  // Without the empty buckets at both ends, which would count against the bound.
  const auto is_full = [](std::uint64_t count) { return count > 0; };
  const auto begin = std::find_if(buckets.counts.begin(), buckets.counts.end(), is_full);
  const auto end = std::find_if(buckets.counts.rbegin(), buckets.counts.rend(), is_full).base();
  if (begin >= end) return {};
  return {buckets.offset + (begin - buckets.counts.begin()), {begin, end}};
}

bool ExponentialSum::fits(const Side& left, const Side& right) {
  if (left.counts.empty() || right.counts.empty())
    return static_cast<std::int64_t>(left.counts.size() + right.counts.size()) <= kBucketsMax;
  return std::max(left.end(), right.end()) - std::min(left.first, right.first) <= kBucketsMax;
}

void ExponentialSum::coarsen(Side& positive, Side& negative, std::int32_t& scale) {
  positive.merge_pairs();
  negative.merge_pairs();
  --scale;
}

/// A bucket that begins inside the zero bucket belongs to it, and widens it to its own end.
void ExponentialSum::fold_below_threshold(Side& side) {
  std::size_t folded = 0;
  while (folded < side.counts.size() && zero_threshold_ > 0) {
    const double width = std::ldexp(1, -scale_);  // of a bucket, in powers of two
    const auto index = static_cast<double>(side.first + static_cast<std::int64_t>(folded));
    if (index * width >= std::log2(zero_threshold_)) break;
    zero_count_ += side.counts[folded];
    if (side.counts[folded] > 0)
      zero_threshold_ = std::max(zero_threshold_, std::exp2((index + 1) * width));
    ++folded;
  }
  side.counts.erase(side.counts.begin(), side.counts.begin() + static_cast<std::ptrdiff_t>(folded));
  side.first += static_cast<std::int64_t>(folded);
}

bool ExponentialSum::add(const wire::otlp::ExponentialPoint& point) {
  Side positive = side_of(point.positive);
  Side negative = side_of(point.negative);
  std::int32_t scale = point.scale;
  if (is_empty_) scale_ = scale;
  is_empty_ = false;
  // Two histograms are added at the coarser of their scales (each step merges two buckets), and
  // more coarsely still where they lie too far apart for kBucketsMax.
  while (scale > scale_) coarsen(positive, negative, scale);
  while (scale_ > scale || !fits(positive_, positive) || !fits(negative_, negative)) {
    if (scale_ <= scale && scale_ <= kMergedScaleMin) return false;
    if (scale_ == scale) coarsen(positive, negative, scale);
    coarsen(positive_, negative_, scale_);
  }
  for (std::size_t place = 0; place < positive.counts.size(); ++place)
    positive_.add(positive.first + static_cast<std::int64_t>(place), positive.counts[place]);
  for (std::size_t place = 0; place < negative.counts.size(); ++place)
    negative_.add(negative.first + static_cast<std::int64_t>(place), negative.counts[place]);
  zero_count_ += point.zero_count;
  zero_threshold_ = std::max(zero_threshold_, point.zero_threshold);
  fold_below_threshold(positive_);
  fold_below_threshold(negative_);
  return true;
}

void ExponentialSum::write(std::string& point) const {
  using Point = wire::otlp::ExponentialPointField;
  using Buckets = wire::otlp::BucketsField;
  protozero::pbf_writer writer(point);
  writer.add_sint32(Point::kScale.number, scale_);
  writer.add_fixed64(Point::kZeroCount.number, zero_count_);
  const auto write_side = [&writer](std::uint32_t field, const Side& side) {
    if (side.counts.empty()) return;
    std::string bytes;
    protozero::pbf_writer buckets(bytes);
    buckets.add_sint32(Buckets::kOffset.number, static_cast<std::int32_t>(side.first));
    buckets.add_packed_uint64(Buckets::kCounts.number, side.counts.begin(), side.counts.end());
    writer.add_message(field, bytes);
  };
  write_side(Point::kPositive.number, positive_);
  write_side(Point::kNegative.number, negative_);
  if (zero_threshold_ > 0) writer.add_double(Point::kZeroThreshold.number, zero_threshold_);
}

void ExponentialSum::encode(std::string& out) const {
  append_signed(out, scale_);
  append_varint(out, zero_count_);
  append_u64(out, std::bit_cast<std::uint64_t>(zero_threshold_));
  for (const Side* side : {&positive_, &negative_}) {
    append_signed(out, side->first);
    append_varint(out, side->counts.size());
    for (const std::uint64_t count : side->counts) append_varint(out, count);
  }
}

ExponentialSum ExponentialSum::decode(ByteReader& reader) {
  ExponentialSum sum;
  sum.is_empty_ = false;
  sum.scale_ = static_cast<std::int32_t>(read_signed(reader));
  sum.zero_count_ = reader.read_varint();
  sum.zero_threshold_ = std::bit_cast<double>(reader.read_u64());
  for (Side* side : {&sum.positive_, &sum.negative_}) {
    side->first = read_signed(reader);
    const std::uint64_t counts = reader.read_varint();
    // More than are ever kept: damage, and no reason to ask for memory.
    if (counts > static_cast<std::uint64_t>(kBucketsMax)) (void)reader.read_bytes(SIZE_MAX);
    for (std::uint64_t place = 0; reader.ok() && place < counts; ++place)
      side->counts.push_back(reader.read_varint());
  }
  return sum;
}

}  // namespace vigia::deltas
