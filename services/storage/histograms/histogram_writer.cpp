#include "services/storage/histograms/histogram_writer.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "libs/base/check.hpp"
#include "services/storage/histograms/chunk_numbers.hpp"

namespace vigia::storage::histograms {
namespace {

using chunk::BitWriter;

// Differences wrap, as they do in Prometheus.
std::int64_t minus(std::uint64_t left, std::uint64_t right) {
  return static_cast<std::int64_t>(left - right);
}
std::int64_t minus(std::int64_t left, std::int64_t right) {
  return minus(static_cast<std::uint64_t>(left), static_cast<std::uint64_t>(right));
}

// Whether a bucket that was in use has less, or is gone.
template <typename T>
bool loses_counts(const BucketPlaces& last_places, const std::vector<T>& last,
                  const BucketPlaces& next_places, const std::vector<T>& next) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < last_places.size(); ++i) {
    while (at < next_places.size() && next_places[at] < last_places[i]) ++at;
    const bool is_there = at < next_places.size() && next_places[at] == last_places[i];
    if (is_there ? last[i] > next[at] : last[i] != 0) return true;
  }
  return false;
}

bool is_same_bits(const std::vector<double>& left, const std::vector<double>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  });
}

void write_spans(BitWriter& writer, const std::vector<BucketSpan>& spans) {
  write_unsigned(writer, spans.size());
  for (const BucketSpan& span : spans) {
    write_unsigned(writer, span.length);
    write_signed(writer, span.offset);
  }
}

// A number of which the change of the change is written.
struct Twice {
  std::int64_t value = 0;
  std::int64_t delta = 0;

  void begin(BitWriter& writer, std::int64_t first) {
    value = first;
    write_signed(writer, first);
  }
  void write(BitWriter& writer, std::int64_t next) {
    const std::int64_t change = minus(next, value);
    write_signed(writer, minus(change, delta));
    delta = change;
    value = next;
  }
};

// Each bucket's difference to the one before it.
std::vector<std::int64_t> deltas_of(std::vector<std::int64_t> counts) {
  std::int64_t before = 0;
  for (std::int64_t& count : counts) count = minus(count, std::exchange(before, count));
  return counts;
}

}  // namespace

HistogramWriter::Side HistogramWriter::keep(const Buckets& buckets, const Side* before) {
  Side side;
  if (before != nullptr && before->layout.spans == buckets.spans) {
    side.layout = before->layout;
  } else {
    side.layout = {buckets.spans, std::make_shared<const BucketPlaces>(places_of(buckets.spans))};
  }
  side.float_counts = buckets.counts;
  side.counts = buckets.deltas;
  std::uint64_t count = 0;
  for (std::int64_t& one : side.counts) {
    count += static_cast<std::uint64_t>(one);
    one = static_cast<std::int64_t>(count);
  }
  return side;
}

HistogramWriter::Kept HistogramWriter::keep(TimestampMs time_ms,
                                            const NativeHistogram& histogram) const {
  Kept kept;
  kept.time_ms = time_ms;
  kept.is_float = histogram.is_float;
  kept.is_stale = histogram.is_stale();
  kept.sum = histogram.sum;
  kept.hint = histogram.reset_hint;
  if (kept.is_stale) return kept;  // nothing but its sum
  kept.count = histogram.count;
  kept.zero_count = histogram.zero_count;
  kept.float_count = histogram.float_count;
  kept.float_zero_count = histogram.float_zero_count;
  kept.schema = histogram.schema;
  kept.zero_threshold = histogram.zero_threshold;
  kept.custom_bounds = histogram.custom_bounds;
  const Kept* before = samples_.empty() ? nullptr : &samples_.back();
  kept.positive = keep(histogram.positive, before == nullptr ? nullptr : &before->positive);
  kept.negative = keep(histogram.negative, before == nullptr ? nullptr : &before->negative);
  return kept;
}

bool HistogramWriter::loses(bool is_float, const Side& last, const Side& next) {
  const BucketPlaces& last_places = *last.layout.places;
  const BucketPlaces& next_places = *next.layout.places;
  return is_float ? loses_counts(last_places, last.float_counts, next_places, next.float_counts)
                  : loses_counts(last_places, last.counts, next_places, next.counts);
}

// In Prometheus' order: what is seen first decides what the next chunk says of itself.
HistogramWriter::Verdict HistogramWriter::follow(const Kept& last, bool is_gauge_chunk,
                                                 const Kept& next) {
  constexpr Verdict kOther{false, ResetHeader::kUnknown};
  constexpr Verdict kReset{false, ResetHeader::kReset};
  constexpr Verdict kNext{true, ResetHeader::kNoReset};
  const bool is_gauge = next.hint == ResetHint::kGauge;
  if (is_gauge != is_gauge_chunk) return {false, ResetHeader::kNoReset};
  if (next.hint == ResetHint::kYes) return kReset;
  if (next.is_stale) return kNext;
  if (last.is_stale) return kOther;
  const bool is_less =
      next.is_float ? next.float_count < last.float_count : next.count < last.count;
  if (is_less && !is_gauge) return kReset;
  if (next.schema != last.schema || next.zero_threshold != last.zero_threshold) return kOther;
  if (!is_same_bits(next.custom_bounds, last.custom_bounds)) return is_gauge ? kOther : kReset;
  if (is_gauge) return kNext;
  const bool is_zero_less = next.is_float ? next.float_zero_count < last.float_zero_count
                                          : next.zero_count < last.zero_count;
  const bool is_reset = is_zero_less || loses(next.is_float, last.positive, next.positive) ||
                        loses(next.is_float, last.negative, next.negative);
  return is_reset ? kReset : kNext;
}

// Of a chunk's first one, as Prometheus 3.5 has it; nobody reads of this more than whether it is a
// gauge.
ResetHeader HistogramWriter::header_of(const Kept& first) const {
  if (first.hint == ResetHint::kGauge) return ResetHeader::kGauge;
  if (refused_.has_value()) return *refused_;
  if (first.hint == ResetHint::kYes) return ResetHeader::kReset;
  if (!before_.has_value() || before_->is_float != first.is_float) return ResetHeader::kUnknown;
  const ResetHeader header = follow(*before_, was_gauge_, first).header;
  // Of floats Prometheus asks for a reset alone, here and in append().
  if (first.is_float && header == ResetHeader::kUnknown) return ResetHeader::kNoReset;
  return header;
}

// The chunk's buckets with those of `next`, in the spans that Prometheus would use. False where
// that is too much for a chunk, or more than spans can tell.
bool HistogramWriter::take_layout(Kept& next) {
  const auto positive = difference(*positive_.places, *next.positive.layout.places);
  const auto negative = difference(*negative_.places, *next.negative.layout.places);
  const bool is_new = positive.is_left_short || negative.is_left_short;
  const bool is_gauge = header_ == ResetHeader::kGauge;
  const bool lacks_any = positive.is_right_short || negative.is_right_short;
  const auto grown = [&](const BucketLayout& own, const BucketLayout& more, bool lacks) {
    if (!(is_gauge ? lacks_any : lacks)) return more;
    auto places = joined(*own.places, *more.places);
    auto spans = spans_of(places);
    return BucketLayout{std::move(spans), std::make_shared<const BucketPlaces>(std::move(places))};
  };
  BucketLayout more_positive = positive_;
  BucketLayout more_negative = negative_;
  if (is_new) {
    more_positive = grown(positive_, next.positive.layout, positive.is_right_short);
    more_negative = grown(negative_, next.negative.layout, negative.is_right_short);
  }
  for (const BucketLayout* layout : {&more_positive, &more_negative}) {
    const BucketPlaces& places = *layout->places;
    if (is_new && !places.empty() &&
        places.back() - places.front() > std::numeric_limits<std::int32_t>::max()) {
      return false;
    }
  }
  const std::size_t buckets = more_positive.places->size() + more_negative.places->size();
  if ((samples_.size() + 1) * buckets > kCellsMax) return false;
  positive_ = std::move(more_positive);
  negative_ = std::move(more_negative);
  return true;
}

bool HistogramWriter::append(TimestampMs time_ms, const NativeHistogram& histogram) {
  Kept kept = keep(time_ms, histogram);
  if (samples_.empty()) {
    header_ = header_of(kept);
    refused_.reset();
    before_.reset();
    positive_ = kept.positive.layout;
    negative_ = kept.negative.layout;
    samples_.push_back(std::move(kept));
    return true;
  }
  CHECK(kept.is_float == is_float());
  const Verdict verdict = follow(samples_.back(), header_ == ResetHeader::kGauge, kept);
  if (!verdict.is_next) {
    const bool is_told = !kept.is_float || verdict.header == ResetHeader::kReset;
    refused_ = is_told ? verdict.header : ResetHeader::kUnknown;
    return false;
  }
  if (!kept.is_stale && !take_layout(kept)) return false;
  samples_.push_back(std::move(kept));
  return true;
}

void HistogramWriter::write_layout(BitWriter& writer) const {
  const Kept& first = samples_.front();
  write_zero_threshold(writer, first.zero_threshold);
  write_signed(writer, first.schema);
  write_spans(writer, positive_.spans);
  write_spans(writer, negative_.spans);
  if (first.schema != kCustomSchema) return;
  write_unsigned(writer, first.custom_bounds.size());
  for (const double bound : first.custom_bounds) write_bound(writer, bound);
}

void HistogramWriter::write_integers(BitWriter& writer) const {
  Twice time;
  Twice count;
  Twice zero_count;
  XorNumber sum;
  std::vector<Twice> buckets(positive_.places->size() + negative_.places->size());
  bool is_first = true;
  for (const Kept& kept : samples_) {
    auto deltas = deltas_of(
        spread_out(kept.positive.counts, *kept.positive.layout.places, *positive_.places));
    const auto negative = deltas_of(
        spread_out(kept.negative.counts, *kept.negative.layout.places, *negative_.places));
    deltas.insert(deltas.end(), negative.begin(), negative.end());
    if (is_first) {
      time.begin(writer, kept.time_ms);
      write_unsigned(writer, kept.count);
      write_unsigned(writer, kept.zero_count);
      count.value = static_cast<std::int64_t>(kept.count);
      zero_count.value = static_cast<std::int64_t>(kept.zero_count);
      sum.begin(writer, kept.sum);
      for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i].begin(writer, deltas[i]);
    } else if (kept.is_stale) {
      time.write(writer, kept.time_ms);
      write_signed(writer, 0);  // counts go on as they went: no reader looks
      write_signed(writer, 0);
      sum.write(writer, kept.sum);
    } else {
      time.write(writer, kept.time_ms);
      count.write(writer, static_cast<std::int64_t>(kept.count));
      zero_count.write(writer, static_cast<std::int64_t>(kept.zero_count));
      sum.write(writer, kept.sum);
      for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i].write(writer, deltas[i]);
    }
    is_first = false;
  }
}

void HistogramWriter::write_floats(BitWriter& writer) const {
  Twice time;
  XorNumber count;
  XorNumber zero_count;
  XorNumber sum;
  std::vector<XorNumber> buckets(positive_.places->size() + negative_.places->size());
  bool is_first = true;
  for (const Kept& kept : samples_) {
    auto counts =
        spread_out(kept.positive.float_counts, *kept.positive.layout.places, *positive_.places);
    const auto negative =
        spread_out(kept.negative.float_counts, *kept.negative.layout.places, *negative_.places);
    counts.insert(counts.end(), negative.begin(), negative.end());
    if (is_first) {
      time.begin(writer, kept.time_ms);
      count.begin(writer, kept.float_count);
      zero_count.begin(writer, kept.float_zero_count);
      sum.begin(writer, kept.sum);
      for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i].begin(writer, counts[i]);
    } else {
      time.write(writer, kept.time_ms);
      count.write(writer, kept.float_count);
      zero_count.write(writer, kept.float_zero_count);
      sum.write(writer, kept.sum);
      if (!kept.is_stale) {
        for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i].write(writer, counts[i]);
      }
    }
    is_first = false;
  }
}

std::string HistogramWriter::take() {
  CHECK(!samples_.empty());
  BitWriter writer;
  writer.write_bits(samples_.size(), 16);
  writer.write_bits(static_cast<std::uint8_t>(header_), 8);
  write_layout(writer);
  is_float() ? write_floats(writer) : write_integers(writer);
  was_gauge_ = header_ == ResetHeader::kGauge;
  before_ = std::move(samples_.back());
  samples_.clear();
  return {writer.bytes().begin(), writer.bytes().end()};
}

void HistogramWriter::forget() {
  CHECK(samples_.empty());
  before_.reset();
  refused_.reset();
}

}  // namespace vigia::storage::histograms
