#include "services/storage/histograms/histogram_reader.hpp"

#include <algorithm>
#include <limits>

namespace vigia::storage::histograms {
namespace {

using chunk::BitReader;

constexpr std::size_t kHeadBytes = 3;
constexpr std::uint8_t kHeaderMask = 0xc0;

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

}  // namespace

bool HistogramReader::Twice::read(BitReader& reader) {
  std::int64_t change = 0;
  if (!read_signed(reader, change)) return false;
  delta += static_cast<std::uint64_t>(change);
  value += delta;
  return true;
}

HistogramReader::HistogramReader(bool is_float, std::string_view bytes)
    : is_float_(is_float), bits_(8 * bytes.size()) {
  if (bytes.size() < kHeadBytes) {
    is_damaged_ = true;
    return;
  }
  samples_ = static_cast<std::size_t>(byte_at(bytes, 0) << 8U) | byte_at(bytes, 1);
  header_ = static_cast<ResetHeader>(byte_at(bytes, 2) & kHeaderMask);
  reader_ = BitReader(bytes.substr(kHeadBytes));
  is_damaged_ = samples_ > 0 && !read_layout();
}

bool HistogramReader::read_spans(std::vector<BucketSpan>& spans, std::size_t& buckets) {
  std::uint64_t count = 0;
  if (!read_unsigned(reader_, count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t length = 0;
    std::int64_t offset = 0;
    if (!read_unsigned(reader_, length) || !read_signed(reader_, offset)) return false;
    const bool fits = offset >= std::numeric_limits<std::int32_t>::min() &&
                      offset <= std::numeric_limits<std::int32_t>::max();
    if (!fits || length > bits_ || buckets + length > bits_) return false;
    buckets += length;
    spans.push_back({static_cast<std::int32_t>(offset), static_cast<std::uint32_t>(length)});
  }
  return true;
}

bool HistogramReader::read_layout() {
  layout_.is_float = is_float_;
  std::int64_t schema = 0;
  if (!read_zero_threshold(reader_, layout_.zero_threshold) || !read_signed(reader_, schema) ||
      !read_spans(layout_.positive.spans, positive_) ||
      !read_spans(layout_.negative.spans, negative_) || positive_ + negative_ > bits_) {
    return false;
  }
  layout_.schema = static_cast<std::int32_t>(schema);
  if (layout_.schema != schema) return false;
  if (layout_.schema != kCustomSchema) return true;
  std::uint64_t count = 0;
  if (!read_unsigned(reader_, count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    double bound = 0;
    if (!read_bound(reader_, bound)) return false;
    layout_.custom_bounds.push_back(bound);
  }
  return true;
}

bool HistogramReader::read_first() {
  std::int64_t time_ms = 0;
  if (!read_signed(reader_, time_ms)) return false;
  time_.value = static_cast<std::uint64_t>(time_ms);
  const std::size_t buckets = positive_ + negative_;
  if (is_float_) {
    if (!float_count_.begin(reader_) || !float_zero_count_.begin(reader_) || !sum_.begin(reader_)) {
      return false;
    }
    float_buckets_.resize(buckets);
    return std::all_of(float_buckets_.begin(), float_buckets_.end(),
                       [this](XorNumber& bucket) { return bucket.begin(reader_); });
  }
  if (!read_unsigned(reader_, count_.value) || !read_unsigned(reader_, zero_count_.value) ||
      !sum_.begin(reader_)) {
    return false;
  }
  buckets_.resize(buckets);
  return std::all_of(buckets_.begin(), buckets_.end(), [this](Twice& bucket) {
    std::int64_t first = 0;
    if (!read_signed(reader_, first)) return false;
    bucket.value = static_cast<std::uint64_t>(first);
    return true;
  });
}

bool HistogramReader::read_numbers() {
  if (!time_.read(reader_)) return false;
  if (is_float_) {
    return float_count_.read(reader_) && float_zero_count_.read(reader_) && sum_.read(reader_);
  }
  return count_.read(reader_) && zero_count_.read(reader_) && sum_.read(reader_);
}

bool HistogramReader::read_buckets() {
  return is_float_ ? std::all_of(float_buckets_.begin(), float_buckets_.end(),
                                 [this](XorNumber& bucket) { return bucket.read(reader_); })
                   : std::all_of(buckets_.begin(), buckets_.end(),
                                 [this](Twice& bucket) { return bucket.read(reader_); });
}

bool HistogramReader::read_next() {
  if (read_ == 0) return read_first();
  if (!read_numbers()) return false;
  return is_stale_mark(sum_.value()) || read_buckets();  // a stale mark has none
}

NativeHistogram HistogramReader::made() const {
  NativeHistogram histogram;
  histogram.is_float = is_float_;
  histogram.sum = sum_.value();
  if (histogram.is_stale()) return histogram;
  histogram = layout_;
  histogram.sum = sum_.value();
  if (header_ == ResetHeader::kGauge) {
    histogram.reset_hint = ResetHint::kGauge;
  } else if (read_ > 0) {
    histogram.reset_hint = ResetHint::kNo;
  }
  if (is_float_) {
    histogram.float_count = float_count_.value();
    histogram.float_zero_count = float_zero_count_.value();
    for (std::size_t i = 0; i < float_buckets_.size(); ++i) {
      (i < positive_ ? histogram.positive : histogram.negative)
          .counts.push_back(float_buckets_[i].value());
    }
    return histogram;
  }
  histogram.count = count_.value;
  histogram.zero_count = zero_count_.value;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    (i < positive_ ? histogram.positive : histogram.negative)
        .deltas.push_back(static_cast<std::int64_t>(buckets_[i].value));
  }
  return histogram;
}

bool HistogramReader::next(TimestampMs& time_ms, NativeHistogram& histogram) {
  if (is_damaged_) return false;
  if (read_ >= samples_) {
    is_damaged_ = !reader_.is_at_end();
    return false;
  }
  if (!read_next()) {
    is_damaged_ = true;
    return false;
  }
  time_ms = static_cast<TimestampMs>(time_.value);
  histogram = made();
  ++read_;
  return true;
}

std::uint64_t HistogramReader::message_bytes_max() const {
  constexpr std::uint64_t kNumbers = 112;  // counts, sum, schema, threshold, time, heads of lists
  constexpr std::uint64_t kPerSpan = 14;
  constexpr std::uint64_t kPerNumber = 10;
  const std::uint64_t spans = layout_.positive.spans.size() + layout_.negative.spans.size();
  const std::uint64_t bounds = layout_.custom_bounds.size();
  // A bucket of a histogram takes a bit at least.
  const std::uint64_t buckets = std::min<std::uint64_t>(samples_ * (positive_ + negative_), bits_);
  return samples_ * (kNumbers + kPerSpan * spans + kPerNumber * bounds) + kPerNumber * buckets;
}

Result<std::vector<chunk::HistogramSample>> unpack_histograms(bool is_float,
                                                              std::string_view bytes) {
  HistogramReader reader(is_float, bytes);
  std::vector<chunk::HistogramSample> all;
  NativeHistogram histogram;
  for (TimestampMs time_ms = 0; reader.next(time_ms, histogram);) {
    all.push_back({time_ms, encode_histogram(histogram, time_ms)});
  }
  if (reader.is_damaged()) return fail(ErrorCode::kCorrupt, "a damaged chunk of histograms");
  return all;
}

}  // namespace vigia::storage::histograms
