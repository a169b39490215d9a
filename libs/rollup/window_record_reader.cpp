#include <array>
#include <limits>
#include <optional>
#include <span>

#include "libs/base/check.hpp"
#include "libs/rollup/window_columns.hpp"
#include "libs/rollup/window_layout.hpp"
#include "libs/rollup/window_record.hpp"

namespace vigia::rollup {
namespace {

using chunk::Numbers;

// In the order in which they lie in a record.
enum RecordStage : std::size_t { kCounts, kTimes, kValues, kSum, kDropped, kResets };

RecordStage stage_of(Part part) {
  switch (part) {
    case Part::kCount:
    case Part::kStaleTime:
      return kCounts;
    case Part::kFirstTime:
    case Part::kLastTime:
      return kTimes;
    case Part::kFirst:
    case Part::kLast:
    case Part::kMin:
    case Part::kMax:
      return kValues;
    case Part::kSum:
      return kSum;
    case Part::kDropped:
      return kDropped;
    case Part::kResets:
    case Part::kIncrease:
    case Part::kRate:
    case Part::kDelta:
      break;
  }
  return kResets;
}

std::uint64_t number_of(TimestampMs time) { return static_cast<std::uint64_t>(time); }

tl::unexpected<Error> damaged() {
  return fail(ErrorCode::kCorrupt, "a record of roll-ups is damaged");
}

}  // namespace

// Reads all columns, or of one part those that it is made of: up to it, and of these before it what
// its own says the distance to.
class RecordReader {
 public:
  RecordReader(TimestampMs width_ms, std::optional<Part> only) : width_ms_(width_ms), only_(only) {}

  bool read(std::string_view bytes) {
    bits_ = chunk::BitReader(bytes);
    full_.clear();
    std::uint64_t version = 0;
    std::uint64_t count = 0;
    if (!bits_.read_bits(kRecordVersionBits, version) || version != kRecordVersion ||
        !bits_.read_varint(count) || count == 0 || count > kRecordWindowsMax) {
      return false;
    }
    ends_.resize(count);
    if (!read_ends()) return false;
    constexpr std::array kStages = {&RecordReader::read_counts,  &RecordReader::read_times,
                                    &RecordReader::read_values,  &RecordReader::read_sum,
                                    &RecordReader::read_dropped, &RecordReader::read_resets};
    const std::size_t last = only_.has_value() ? stage_of(*only_) : kResets;
    for (std::size_t stage = 0; stage <= last; ++stage) {
      if (!(this->*kStages[stage])()) return false;
    }
    return only_.has_value() || bits_.is_at_end();
  }

  std::vector<Window> windows() const {
    std::vector<Window> windows(ends_.size());
    std::size_t full = 0;
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      Window& window = windows[i];
      window.end_ms = ends_[i];
      window.stale_ms = stale_ms(i);
      window.count = counts_[i];
      if (counts_[i] == 0) continue;
      window.first_ms = first_ms(i, full);
      window.last_ms = last_ms(i, full);
      for (std::size_t column = 0; column < kSampleFields.size(); ++column) {
        window.*kSampleFields[column] = values_[column][full];
      }
      window.sum = sums_[full];
      window.dropped = dropped_[full];
      window.resets = resets_[full];
      ++full;
    }
    return windows;
  }

  // REQUIRES: of one part alone.
  void give(std::vector<PartOfWindow>& parts) const {
    if (const std::vector<double>* values = values_of_samples(*only_); values != nullptr) {
      return give(parts, [values](std::size_t, std::size_t full) { return (*values)[full]; });
    }
    if (*only_ != Part::kStaleTime) {
      return give(parts, [this](std::size_t i, std::size_t full) { return value_of(i, full); });
    }
    const std::span<PartOfWindow> given = more(parts);
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      given[i].end_ms = ends_[i];
      if (const auto at_ms = stale_ms(i); at_ms.has_value()) given[i].value = seconds_of(*at_ms);
    }
  }

 private:
  bool wants(Part part) const { return !only_.has_value() || *only_ == part; }

  std::optional<TimestampMs> stale_ms(std::size_t i) const {
    if (stale_[i] == 0) return std::nullopt;
    return ends_[i] - static_cast<TimestampMs>(stale_[i] - 1);
  }
  TimestampMs first_ms(std::size_t i, std::size_t full) const {
    return ends_[i] - width_ms_ + static_cast<TimestampMs>(first_times_[full]);
  }
  TimestampMs last_ms(std::size_t i, std::size_t full) const {
    return ends_[i] - static_cast<TimestampMs>(last_times_[full]);
  }

  // `value`: of the window at its place, and at that among those with samples.
  template <typename ValueOf>
  void give(std::vector<PartOfWindow>& parts, ValueOf value) const {
    const std::span<PartOfWindow> given = more(parts);
    std::size_t full = 0;
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      given[i].end_ms = ends_[i];
      if (counts_[i] > 0) given[i].value = value(i, full++);
    }
  }
  // One more for each window.
  std::span<PartOfWindow> more(std::vector<PartOfWindow>& parts) const {
    const std::size_t before = parts.size();
    parts.resize(before + ends_.size());
    return std::span(parts).subspan(before);
  }

  // Null for parts that are no values of samples.
  const std::vector<double>* values_of_samples(Part part) const {
    switch (part) {
      case Part::kFirst:
        return &values_[kFirst];
      case Part::kLast:
        return &values_[kLast];
      case Part::kMin:
        return &values_[kMin];
      case Part::kMax:
        return &values_[kMax];
      case Part::kSum:
        return &sums_;
      case Part::kDropped:
        return &dropped_;
      default:
        return nullptr;
    }
  }

  // Of the other parts.
  double value_of(std::size_t i, std::size_t full) const {
    if (*only_ == Part::kCount) return static_cast<double>(counts_[i]);
    if (*only_ == Part::kResets) return static_cast<double>(resets_[full]);
    CHECK(*only_ == Part::kFirstTime || *only_ == Part::kLastTime);
    return seconds_of(*only_ == Part::kFirstTime ? first_ms(i, full) : last_ms(i, full));
  }

  bool read_ends() {
    std::uint64_t first = 0;
    Numbers& gaps = scratch_;
    gaps.resize(ends_.size() - 1);
    if (!bits_.read_signed_varint(first) || !read_column(bits_, gaps)) return false;
    // Far from the ends of 64 bits, so that no time of any window is beyond them.
    const std::int64_t max = std::numeric_limits<std::int64_t>::max() / width_ms_ - 1;
    auto index = static_cast<std::int64_t>(first);
    if (index > max || index < -max) return false;
    ends_[0] = index * width_ms_;
    for (std::size_t i = 1; i < ends_.size(); ++i) {
      if (gaps[i - 1] >= number_of(max) - number_of(index)) return false;
      // Without a sign: the way from one end of the range to the other is no signed number.
      index = static_cast<std::int64_t>(number_of(index) + gaps[i - 1] + 1);
      ends_[i] = index * width_ms_;
    }
    return true;
  }

  bool read_counts() {
    counts_.resize(ends_.size());
    stale_.resize(ends_.size());
    if (!read_column(bits_, counts_) || !read_column(bits_, stale_)) return false;
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      if (stale_[i] > number_of(width_ms_) || (stale_[i] == 0 && counts_[i] == 0)) return false;
      if (counts_[i] > 0) full_.push_back(i);
    }
    return true;
  }

  bool read_times() {
    if (!wants(Part::kFirstTime) && !wants(Part::kLastTime)) {
      return skip_column(bits_, full_.size()) && skip_column(bits_, full_.size());
    }
    first_times_.resize(full_.size());
    last_times_.resize(full_.size());
    if (!read_column(bits_, first_times_) || !read_column(bits_, last_times_)) return false;
    const std::uint64_t width = number_of(width_ms_);
    for (std::size_t full = 0; full < full_.size(); ++full) {
      const std::uint64_t first = first_times_[full];
      const std::uint64_t last = last_times_[full];
      if (first == 0 || first > width || last >= width || first + last > width) return false;
      const auto stale = stale_ms(full_[full]);
      if (stale.has_value() && *stale <= last_ms(full_[full], full)) return false;
    }
    return true;
  }

  bool read_values() {
    std::uint64_t decimals = 0;
    if (!bits_.read_bit(is_whole_)) return false;
    if (!is_whole_) return read_values_as_they_are();
    if (!bits_.read_bits(chunk::kDecimalsBits, decimals) || decimals > chunk::kDecimalsMax) {
      return false;
    }
    decimals_ = static_cast<unsigned>(decimals);
    return full_.empty() || read_wholes();
  }

  bool read_values_as_they_are() {
    constexpr std::array kParts = {Part::kFirst, Part::kLast, Part::kMin, Part::kMax};
    for (std::size_t column = 0; column < kParts.size(); ++column) {
      if (!read_as_it_is(kParts[column], values_[column])) return false;
    }
    return true;
  }

  bool read_wholes() {
    std::uint64_t begin = 0;
    if (!bits_.read_signed_varint(begin)) return false;
    if (only_.has_value() && stage_of(*only_) > kSum) {
      bool is_there = skip_column(bits_, full_.size() - 1);
      for (std::size_t i = 1; i < kSampleFields.size(); ++i) {
        is_there = is_there && skip_column(bits_, full_.size());
      }
      return is_there;
    }
    Numbers& steps = scratch_;
    steps.resize(full_.size() - 1);
    wholes_[kLast].resize(full_.size());
    if (!read_column(bits_, steps) || !read_column(bits_, wholes_[kLast]) ||
        !read_extreme(Part::kMin, wholes_[kMin]) || !read_extreme(Part::kMax, wholes_[kMax])) {
      return false;
    }
    add_up(begin, steps);
    return true;
  }

  bool read_extreme(Part part, Numbers& numbers) {
    if (!wants(part)) return skip_column(bits_, full_.size());
    numbers.resize(full_.size());
    return read_column(bits_, numbers);
  }

  // `before`: the first of the first.
  void add_up(std::uint64_t before, const Numbers& steps) {
    wholes_[kFirst].resize(full_.size());
    for (std::size_t full = 0; full < full_.size(); ++full) {
      const std::uint64_t first = full == 0 ? before : before + steps[full - 1];
      wholes_[kFirst][full] = first;
      before = wholes_[kLast][full] += first;
    }
    add_predicted_extremes();
    if (wants(Part::kFirst)) take_values(kFirst);
    if (wants(Part::kLast)) take_values(kLast);
    if (wants(Part::kMin)) take_values(kMin);
    if (wants(Part::kMax)) take_values(kMax);
  }

  void add_predicted_extremes() {
    const Numbers& first = wholes_[kFirst];
    const Numbers& last = wholes_[kLast];
    for (std::size_t full = 0; wants(Part::kMin) && full < full_.size(); ++full) {
      const std::uint64_t below = wholes_[kMin][full];
      wholes_[kMin][full] = extremes_of(first[full], last[full]).min - below;
    }
    for (std::size_t full = 0; wants(Part::kMax) && full < full_.size(); ++full) {
      wholes_[kMax][full] += extremes_of(first[full], last[full]).max;
    }
  }

  void take_values(SampleColumn column) {
    values_[column].resize(full_.size());
    for (std::size_t full = 0; full < full_.size(); ++full) {
      values_[column][full] = chunk::value_of(wholes_[column][full], decimals_);
    }
  }

  bool read_sum() {
    return read_total(Part::kSum, sums_, [this](std::size_t full) {
      return predicted_sum(counts_[full_[full]], wholes_[kFirst][full], wholes_[kLast][full]);
    });
  }
  bool read_dropped() {
    return read_total(Part::kDropped, dropped_, [](std::size_t) { return std::uint64_t{0}; });
  }

  template <typename Predict>
  bool read_total(Part part, std::vector<double>& values, Predict predict) {
    bool is_whole = false;
    if (!bits_.read_bit(is_whole) || (is_whole && !is_whole_)) return false;
    if (!is_whole) return read_as_it_is(part, values);
    if (!wants(part)) return skip_column(bits_, full_.size());
    Numbers& rests = scratch_;
    rests.resize(full_.size());
    if (!read_column(bits_, rests)) return false;
    values.resize(full_.size());
    for (std::size_t full = 0; full < full_.size(); ++full) {
      values[full] = chunk::value_of(rests[full] + predict(full), decimals_);
    }
    return true;
  }

  bool read_as_it_is(Part part, std::vector<double>& values) {
    if (!wants(part)) return skip_bits_column(bits_, full_.size());
    values.resize(full_.size());
    return read_bits_column(bits_, values);
  }

  bool read_resets() {
    resets_.resize(full_.size());
    return read_column(bits_, resets_);
  }

  chunk::BitReader bits_;
  TimestampMs width_ms_;
  std::optional<Part> only_;  // nothing: all
  bool is_whole_ = false;
  unsigned decimals_ = 0;
  // Of each window.
  std::vector<TimestampMs> ends_;
  Numbers counts_;
  Numbers stale_;  // 0, or 1 + ms to the end
  // Of those with samples, of which `full_` has the places: what was asked for.
  std::vector<std::size_t> full_;
  Numbers first_times_;  // ms from the beginning
  Numbers last_times_;   // ms to the end
  Wholes wholes_;
  std::array<std::vector<double>, kSampleFields.size()> values_;
  std::vector<double> sums_;
  std::vector<double> dropped_;
  Numbers resets_;
  Numbers scratch_;  // a column that is not kept
};

Result<std::vector<Window>> read_windows(std::string_view bytes, TimestampMs width_ms) {
  RecordReader reader(width_ms, std::nullopt);
  if (!reader.read(bytes)) return damaged();
  return reader.windows();
}

PartReader::PartReader(TimestampMs width_ms, Part part)
    : width_ms_(width_ms),
      part_(part),
      reader_(std::make_unique<RecordReader>(
          width_ms, change_in(part) ? std::nullopt : std::optional(part))) {}
PartReader::PartReader(PartReader&& other) noexcept = default;
PartReader& PartReader::operator=(PartReader&& other) noexcept = default;
PartReader::~PartReader() = default;

Result<void> PartReader::read(std::string_view bytes, std::vector<PartOfWindow>& parts) {
  if (!reader_->read(bytes)) return damaged();
  if (!change_in(part_)) {
    reader_->give(parts);
    return {};
  }
  for (const Window& window : reader_->windows()) {
    parts.push_back({window.end_ms, value_of(window, part_, width_ms_)});
  }
  return {};
}

}  // namespace vigia::rollup
