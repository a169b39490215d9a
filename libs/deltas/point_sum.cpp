#include "libs/deltas/point_sum.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::deltas {
namespace {

using wire::otlp::ExponentialPointField;
using wire::otlp::FieldReader;
using wire::otlp::HistogramPointField;
using wire::otlp::MetricKind;
using wire::otlp::NumberPointField;

std::optional<std::int64_t> integer_of(std::string_view bytes) {
  std::optional<std::int64_t> whole;
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.tag_and_type() == NumberPointField::kInt.tag) {
      whole = reader.sfixed64();
    } else {
      reader.skip();
    }
  }
  return whole;
}

std::string copy_but(std::string_view message, std::initializer_list<std::uint32_t> left) {
  std::string out;
  FieldReader reader(message);
  while (reader.next()) {
    const bool is_left = std::find(left.begin(), left.end(), reader.tag_and_type()) != left.end();
    reader.skip();
    if (!is_left) out.append(reader.field_begin(), reader.position());
  }
  return out;
}

/// Of either kind of histogram: these four fields are the same in both.
void write_totals(std::string& out, const StreamState& state, std::uint64_t time_ns, bool has_sum) {
  protozero::pbf_writer writer(out);
  writer.add_fixed64(HistogramPointField::kStartTime.number, state.start_ns);
  writer.add_fixed64(HistogramPointField::kTime.number, time_ns);
  writer.add_fixed64(HistogramPointField::kCount.number, state.count);
  if (has_sum) writer.add_double(HistogramPointField::kSum.number, state.real);
}

std::string write_number(std::string_view bytes, const StreamState& state, std::uint64_t time_ns) {
  std::string out = copy_but(bytes, {NumberPointField::kStartTime.tag, NumberPointField::kTime.tag,
                                     NumberPointField::kDouble.tag, NumberPointField::kInt.tag});
  protozero::pbf_writer writer(out);
  writer.add_fixed64(NumberPointField::kStartTime.number, state.start_ns);
  writer.add_fixed64(NumberPointField::kTime.number, time_ns);
  if (state.is_double) {
    writer.add_double(NumberPointField::kDouble.number, state.real);
  } else {
    writer.add_sfixed64(NumberPointField::kInt.number, state.whole);
  }
  return out;
}

// Smallest and largest value are those of one report: over all of the time they are not known.
std::string write_histogram(std::string_view bytes, const StreamState& state, std::uint64_t time_ns,
                            bool has_sum) {
  std::string out = copy_but(
      bytes, {HistogramPointField::kStartTime.tag, HistogramPointField::kTime.tag,
              HistogramPointField::kCount.tag, HistogramPointField::kSum.tag,
              HistogramPointField::kBucketCounts.tag, HistogramPointField::kBucketCountsAlone.tag,
              HistogramPointField::kMin.tag, HistogramPointField::kMax.tag});
  write_totals(out, state, time_ns, has_sum);
  protozero::pbf_writer(out).add_packed_fixed64(HistogramPointField::kBucketCounts.number,
                                                state.buckets.begin(), state.buckets.end());
  return out;
}

std::string write_exponential(std::string_view bytes, const StreamState& state,
                              std::uint64_t time_ns, bool has_sum) {
  std::string out =
      copy_but(bytes, {ExponentialPointField::kStartTime.tag, ExponentialPointField::kTime.tag,
                       ExponentialPointField::kCount.tag, ExponentialPointField::kSum.tag,
                       ExponentialPointField::kScale.tag, ExponentialPointField::kZeroCount.tag,
                       ExponentialPointField::kPositive.tag, ExponentialPointField::kNegative.tag,
                       ExponentialPointField::kMin.tag, ExponentialPointField::kMax.tag,
                       ExponentialPointField::kZeroThreshold.tag});
  write_totals(out, state, time_ns, has_sum);
  state.exponential.write(out);
  return out;
}

}  // namespace

std::optional<DeltaFault> PointSum::read(const DeltaPoint& point) {
  point_ = point;
  number_ = nullptr;
  histogram_ = nullptr;
  exponential_ = nullptr;
  whole_.reset();
  if (point.type == MetricKind::kSum) {
    number_ = &points_.number(point.bytes);
    is_stale_ = number_->is_stale();
    whole_ = integer_of(point.bytes);
  } else if (point.type == MetricKind::kHistogram) {
    histogram_ = &points_.histogram(point.bytes);
    is_stale_ = histogram_->is_stale();
  } else {
    exponential_ = &points_.exponential(point.bytes);
    is_stale_ = exponential_->is_stale();
  }
  if (is_stale_ || (point.time_ns != 0 && is_fit())) return std::nullopt;
  return DeltaFault::kUnfit;
}

/// What is no number would make all that come after it none, too; and a counter that falls is read
/// as one that began anew.
bool PointSum::is_fit() const {
  if (number_ != nullptr)
    return number_->has_value && std::isfinite(number_->value) &&
           (!point_.is_monotonic || number_->value >= 0);
  if (histogram_ != nullptr) return std::isfinite(histogram_->sum);
  return std::isfinite(exponential_->sum) && !exponential_->positive.is_cut &&
         !exponential_->negative.is_cut && ExponentialSum::can_add(*exponential_);
}

std::size_t PointSum::bytes_more() const {
  if (number_ != nullptr) return 0;
  if (histogram_ == nullptr) return ExponentialSum::kBytesMax;
  return histogram_->bucket_counts.size() * sizeof(std::uint64_t) + histogram_->bounds_bytes.size();
}

bool PointSum::is_of_other_shape(const StreamState& state) const {
  return histogram_ != nullptr && state.start_ns != 0 &&
         (state.bounds != histogram_->bounds_bytes ||
          state.buckets.size() != histogram_->bucket_counts.size());
}

bool PointSum::add_to(StreamState& state) const {
  if (number_ != nullptr) return add_number(state);
  if (histogram_ != nullptr) return add_histogram(state);
  std::uint64_t count = 0;
  if (__builtin_add_overflow(state.count, exponential_->count, &count) ||
      !std::isfinite(state.real + exponential_->sum))
    return false;
  state.count = count;
  state.is_exponential = true;
  state.real += exponential_->sum;
  return state.exponential.add(*exponential_);
}

/// Integers stay integers until one of them does not fit or a point is no integer.
bool PointSum::add_number(StreamState& state) const {
  std::int64_t sum = 0;
  if (!state.is_double && whole_ && !__builtin_add_overflow(state.whole, *whole_, &sum)) {
    state.whole = sum;
    return true;
  }
  const double before = state.is_double ? state.real : static_cast<double>(state.whole);
  if (!std::isfinite(before + number_->value)) return false;
  state.is_double = true;
  state.real = before + number_->value;
  return true;
}

bool PointSum::add_histogram(StreamState& state) const {
  std::vector<std::uint64_t> buckets = state.buckets;
  buckets.resize(histogram_->bucket_counts.size());
  std::uint64_t count = 0;
  if (__builtin_add_overflow(state.count, histogram_->count, &count) ||
      !std::isfinite(state.real + histogram_->sum))
    return false;
  for (std::size_t index = 0; index < buckets.size(); ++index) {
    if (__builtin_add_overflow(buckets[index], histogram_->bucket_counts[index], &buckets[index]))
      return false;
  }
  state.bounds = histogram_->bounds_bytes;
  state.buckets = std::move(buckets);
  state.count = count;
  state.real += histogram_->sum;
  return true;
}

std::string PointSum::write(const StreamState& state, std::uint64_t time_ns) const {
  if (number_ != nullptr) return write_number(point_.bytes, state, time_ns);
  if (histogram_ != nullptr)
    return write_histogram(point_.bytes, state, time_ns, histogram_->has_sum);
  return write_exponential(point_.bytes, state, time_ns, exponential_->has_sum);
}

}  // namespace vigia::deltas
