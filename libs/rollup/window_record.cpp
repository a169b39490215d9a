#include "libs/rollup/window_record.hpp"

#include <array>
#include <limits>
#include <optional>

#include "libs/base/check.hpp"
#include "libs/rollup/window_columns.hpp"

namespace vigia::rollup {
namespace {

using chunk::Numbers;

constexpr std::uint64_t kVersion = 1;
constexpr unsigned kVersionBits = 8;
// The fields that are values of samples, in the order of their columns.
constexpr std::array kSampleFields = {&Window::first, &Window::last, &Window::min, &Window::max};
constexpr std::size_t kColumns = kSampleFields.size();
enum Column : std::size_t { kFirst, kLast, kMin, kMax };

std::uint64_t number_of(TimestampMs time) { return static_cast<std::uint64_t>(time); }

template <typename Each>
Numbers numbers_of(std::span<const Window> windows, Each each) {
  Numbers numbers;
  numbers.reserve(windows.size());
  for (const Window& window : windows) numbers.push_back(each(window));
  return numbers;
}

bool is_below(std::uint64_t left, std::uint64_t right) {
  return static_cast<std::int64_t>(left) < static_cast<std::int64_t>(right);
}

// What the columns hold is what a neighbour does not tell already: a window mostly begins near
// where the one before ended, and the extremes are mostly its ends.
struct Predicted {
  std::uint64_t first, min, max;
};
Predicted extremes_of(std::uint64_t first, std::uint64_t last) {
  return is_below(last, first) ? Predicted{first, last, first} : Predicted{first, first, last};
}

// Of whole numbers that are even over the window, times two to stay whole.
std::uint64_t predicted_sum(const Window& window, std::uint64_t first, std::uint64_t last) {
  const auto twice = static_cast<std::int64_t>(window.count * (first + last));
  return static_cast<std::uint64_t>(twice >> 1U);
}

using Wholes = std::array<Numbers, kColumns>;

std::optional<Wholes> wholes_of(std::span<const Window> windows, unsigned decimals) {
  Wholes wholes;
  for (std::size_t column = 0; column < kColumns; ++column) {
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
    const Predicted predicted = extremes_of(first, last);
    if (i > 0) rests[kFirst].push_back(first - before);
    rests[kLast].push_back(last - first);
    rests[kMin].push_back(predicted.min - wholes[kMin][i]);
    rests[kMax].push_back(wholes[kMax][i] - predicted.max);
    before = last;
  }
  for (Numbers& rest : rests) write_column(bits, std::move(rest));
}

bool read_wholes(chunk::BitReader& bits, Wholes& wholes) {
  const std::size_t windows = wholes[kFirst].size();
  if (windows == 0) return true;
  Numbers steps(windows - 1);
  std::uint64_t before = 0;
  if (!bits.read_signed_varint(before) || !read_column(bits, steps)) return false;
  for (const Column column : {kLast, kMin, kMax}) {
    if (!read_column(bits, wholes[column])) return false;
  }
  for (std::size_t i = 0; i < windows; ++i) {
    const std::uint64_t first = i == 0 ? before : before + steps[i - 1];
    const std::uint64_t last = first + wholes[kLast][i];
    const Predicted predicted = extremes_of(first, last);
    wholes[kFirst][i] = first;
    wholes[kLast][i] = last;
    wholes[kMin][i] = predicted.min - wholes[kMin][i];
    wholes[kMax][i] += predicted.max;
    before = last;
  }
  return true;
}

// One side of the record; the other reads what it wrote, in the same order.
class RecordWriter {
 public:
  RecordWriter(std::span<const Window> windows, TimestampMs width_ms)
      : windows_(windows), width_ms_(width_ms) {
    for (const Window& window : windows) {
      if (window.count > 0) full_.push_back(window);
    }
  }

  std::string write() {
    bits_.write_bits(kVersion, kVersionBits);
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
      return predicted_sum(full_[i], (*wholes)[kFirst][i], (*wholes)[kLast][i]);
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

class RecordReader {
 public:
  RecordReader(std::string_view bytes, TimestampMs width_ms) : bits_(bytes), width_ms_(width_ms) {}

  bool read() {
    std::uint64_t version = 0;
    std::uint64_t count = 0;
    if (!bits_.read_bits(kVersionBits, version) || version != kVersion ||
        !bits_.read_varint(count) || count == 0 || count > kRecordWindowsMax) {
      return false;
    }
    windows_.resize(count);
    return read_ends() && read_counts() && read_times() && read_values() && read_resets();
  }
  std::vector<Window> take() { return std::move(windows_); }

 private:
  bool read_ends() {
    std::uint64_t first = 0;
    Numbers gaps(windows_.size() - 1);
    if (!bits_.read_signed_varint(first) || !read_column(bits_, gaps)) return false;
    // Far from the ends of 64 bits, so that no time of any window is beyond them.
    const std::int64_t max = std::numeric_limits<std::int64_t>::max() / width_ms_ - 1;
    auto index = static_cast<std::int64_t>(first);
    if (index > max || index < -max) return false;
    windows_[0].end_ms = index * width_ms_;
    for (std::size_t i = 1; i < windows_.size(); ++i) {
      if (gaps[i - 1] >= number_of(max) - number_of(index)) return false;
      // Without a sign: the way from one end of the range to the other is no signed number.
      index = static_cast<std::int64_t>(number_of(index) + gaps[i - 1] + 1);
      windows_[i].end_ms = index * width_ms_;
    }
    return true;
  }

  bool read_counts() {
    Numbers counts(windows_.size());
    Numbers stale(windows_.size());
    if (!read_column(bits_, counts) || !read_column(bits_, stale)) return false;
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      Window& window = windows_[i];
      window.count = counts[i];
      if (stale[i] > number_of(width_ms_) || (stale[i] == 0 && counts[i] == 0)) return false;
      if (stale[i] > 0) window.stale_ms = window.end_ms - static_cast<TimestampMs>(stale[i] - 1);
      if (window.count > 0) full_.push_back(&window);
    }
    return true;
  }

  bool read_times() {
    Numbers first(full_.size());
    Numbers last(full_.size());
    if (!read_column(bits_, first) || !read_column(bits_, last)) return false;
    for (std::size_t i = 0; i < full_.size(); ++i) {
      Window& window = *full_[i];
      const std::uint64_t width = number_of(width_ms_);
      if (first[i] == 0 || first[i] > width || last[i] >= width || first[i] + last[i] > width) {
        return false;
      }
      window.first_ms = window.end_ms - width_ms_ + static_cast<TimestampMs>(first[i]);
      window.last_ms = window.end_ms - static_cast<TimestampMs>(last[i]);
      if (window.stale_ms.has_value() && *window.stale_ms <= window.last_ms) return false;
    }
    return true;
  }

  bool read_values() {
    bool is_whole = false;
    std::uint64_t decimals = 0;
    if (!bits_.read_bit(is_whole)) return false;
    Wholes wholes;
    if (is_whole) {
      for (Numbers& column : wholes) column.resize(full_.size());
      if (!bits_.read_bits(chunk::kDecimalsBits, decimals) || decimals > chunk::kDecimalsMax ||
          !read_wholes(bits_, wholes)) {
        return false;
      }
    }
    const auto digits = static_cast<unsigned>(decimals);
    for (std::size_t column = 0; column < kColumns; ++column) {
      const auto field = kSampleFields[column];
      if (!is_whole && !read_as_they_are(field)) return false;
      for (std::size_t i = 0; i < full_.size() && is_whole; ++i) {
        full_[i]->*field = chunk::value_of(wholes[column][i], digits);
      }
    }
    return read_total(&Window::sum, is_whole, digits,
                      [&](std::size_t i) {
                        return predicted_sum(*full_[i], wholes[kFirst][i], wholes[kLast][i]);
                      }) &&
           read_total(&Window::dropped, is_whole, digits,
                      [](std::size_t) { return std::uint64_t{0}; });
  }

  template <typename Predict>
  bool read_total(double Window::* field, bool may_be_whole, unsigned decimals, Predict predict) {
    bool is_whole = false;
    if (!bits_.read_bit(is_whole) || (is_whole && !may_be_whole)) return false;
    if (!is_whole) return read_as_they_are(field);
    Numbers rests(full_.size());
    if (!read_column(bits_, rests)) return false;
    for (std::size_t i = 0; i < full_.size(); ++i) {
      full_[i]->*field = chunk::value_of(rests[i] + predict(i), decimals);
    }
    return true;
  }

  bool read_as_they_are(double Window::* field) {
    std::vector<double> values(full_.size());
    if (!read_bits_column(bits_, values)) return false;
    for (std::size_t i = 0; i < full_.size(); ++i) full_[i]->*field = values[i];
    return true;
  }

  bool read_resets() {
    Numbers resets(full_.size());
    if (!read_column(bits_, resets)) return false;
    for (std::size_t i = 0; i < full_.size(); ++i) full_[i]->resets = resets[i];
    return true;
  }

  chunk::BitReader bits_;
  TimestampMs width_ms_;
  std::vector<Window> windows_;
  std::vector<Window*> full_;  // those with samples
};

}  // namespace

std::string write_windows(std::span<const Window> windows, TimestampMs width_ms) {
  CHECK(!windows.empty() && windows.size() <= kRecordWindowsMax);
  return RecordWriter(windows, width_ms).write();
}

Result<std::vector<Window>> read_windows(std::string_view bytes, TimestampMs width_ms) {
  RecordReader reader(bytes, width_ms);
  if (!reader.read()) return fail(ErrorCode::kCorrupt, "a record of roll-ups is damaged");
  return reader.take();
}

}  // namespace vigia::rollup
