#include "libs/rollup/window_record.hpp"

#include <optional>

#include "libs/base/check.hpp"
#include "libs/rollup/window_columns.hpp"
#include "libs/rollup/window_layout.hpp"

namespace vigia::rollup {
namespace {

using chunk::Numbers;

std::uint64_t number_of(TimestampMs time) { return static_cast<std::uint64_t>(time); }

template <typename Each>
Numbers numbers_of(std::span<const Window> windows, Each each) {
  Numbers numbers;
  numbers.reserve(windows.size());
  for (const Window& window : windows) numbers.push_back(each(window));
  return numbers;
}

std::optional<Wholes> wholes_of(std::span<const Window> windows, unsigned decimals) {
  Wholes wholes;
  for (std::size_t column = 0; column < kSampleFields.size(); ++column) {
    for (const Window& window : windows) {
      const auto number = chunk::whole_number(window.*kSampleFields[column], decimals);
      if (!number.has_value()) return std::nullopt;
      wholes[column].push_back(*number);
    }
  }
  return wholes;
}

void write_wholes(chunk::BitWriter& bits, const Wholes& wholes) {
  if (wholes[kFirst].empty()) return;
  Wholes rests;
  std::uint64_t before = wholes[kFirst][0];
  bits.write_signed_varint(static_cast<std::int64_t>(before));
  for (std::size_t i = 0; i < wholes[kFirst].size(); ++i) {
    const std::uint64_t first = wholes[kFirst][i];
    const std::uint64_t last = wholes[kLast][i];
    const PredictedExtremes predicted = extremes_of(first, last);
    if (i > 0) rests[kFirst].push_back(first - before);
    rests[kLast].push_back(last - first);
    rests[kMin].push_back(predicted.min - wholes[kMin][i]);
    rests[kMax].push_back(wholes[kMax][i] - predicted.max);
    before = last;
  }
  for (Numbers& rest : rests) write_column(bits, std::move(rest));
}

// One side of the record; RecordReader reads what it wrote, in the same order.
class RecordWriter {
 public:
  RecordWriter(std::span<const Window> windows, TimestampMs width_ms)
      : windows_(windows), width_ms_(width_ms) {
    for (const Window& window : windows) {
      if (window.count > 0) full_.push_back(window);
    }
  }

  std::string write() {
    bits_.write_bits(kRecordVersion, kRecordVersionBits);
    bits_.write_varint(windows_.size());
    write_ends();
    write_column(bits_, numbers_of(windows_, [](const Window& window) { return window.count; }));
    write_column(
        bits_, numbers_of(windows_, [](const Window& window) -> std::uint64_t {
          return window.stale_ms.has_value() ? number_of(window.end_ms - *window.stale_ms) + 1 : 0;
        }));
    write_column(bits_, numbers_of(full_, [this](const Window& window) {
                   return number_of(window.first_ms - (window.end_ms - width_ms_));
                 }));
    write_column(bits_, numbers_of(full_, [](const Window& window) {
                   return number_of(window.end_ms - window.last_ms);
                 }));
    write_values();
    write_column(bits_, numbers_of(full_, [](const Window& window) { return window.resets; }));
    return {bits_.bytes().begin(), bits_.bytes().end()};
  }

 private:
  void write_ends() {
    bits_.write_signed_varint(windows_[0].end_ms / width_ms_);
    Numbers gaps;
    for (std::size_t i = 1; i < windows_.size(); ++i) {
      gaps.push_back(number_of((windows_[i].end_ms - windows_[i - 1].end_ms) / width_ms_) - 1);
    }
    write_column(bits_, std::move(gaps));
  }

  void write_values() {
    std::optional<Wholes> wholes;
    unsigned decimals = 0;
    while (!(wholes = wholes_of(full_, decimals)).has_value() && decimals < chunk::kDecimalsMax) {
      ++decimals;
    }
    bits_.write_bit(wholes.has_value());
    if (wholes.has_value()) {
      bits_.write_bits(decimals, chunk::kDecimalsBits);
      write_wholes(bits_, *wholes);
    } else {
      for (const auto field : kSampleFields) write_as_they_are(field);
    }
    write_total(&Window::sum, wholes, decimals, [&](std::size_t i) {
      return predicted_sum(full_[i].count, (*wholes)[kFirst][i], (*wholes)[kLast][i]);
    });
    write_total(&Window::dropped, wholes, decimals, [](std::size_t) { return std::uint64_t{0}; });
  }

  // Sums are rounded, so they may be no whole numbers where the samples are.
  template <typename Predict>
  void write_total(double Window::* field, const std::optional<Wholes>& wholes, unsigned decimals,
                   Predict predict) {
    Numbers rests;
    for (std::size_t i = 0; i < full_.size() && wholes.has_value(); ++i) {
      const auto number = chunk::whole_number(full_[i].*field, decimals);
      if (!number.has_value()) break;
      rests.push_back(*number - predict(i));
    }
    const bool is_whole = wholes.has_value() && rests.size() == full_.size();
    bits_.write_bit(is_whole);
    if (is_whole) {
      write_column(bits_, std::move(rests));
    } else {
      write_as_they_are(field);
    }
  }

  void write_as_they_are(double Window::* field) {
    std::vector<double> values;
    for (const Window& window : full_) values.push_back(window.*field);
    write_bits_column(bits_, values);
  }

  std::span<const Window> windows_;
  TimestampMs width_ms_;
  std::vector<Window> full_;  // those with samples
  chunk::BitWriter bits_;
};

}  // namespace

std::string write_windows(std::span<const Window> windows, TimestampMs width_ms) {
  CHECK(!windows.empty() && windows.size() <= kRecordWindowsMax);
  return RecordWriter(windows, width_ms).write();
}

}  // namespace vigia::rollup
