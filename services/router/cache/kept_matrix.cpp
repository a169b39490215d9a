#include "services/router/cache/kept_matrix.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "services/router/cache/series_order.hpp"

namespace vigia::router::cache {
namespace {

constexpr std::size_t kTimeBytes = 24;  // of [1700000000.123,"",

void append_time(TimestampMs time_ms, std::string& out) {
  std::array<char, kTimeBytes> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), time_ms / 1'000);
  out.append(digits.data(), written.ptr);
  const TimestampMs fraction = time_ms % 1'000;
  if (fraction == 0) return;
  out += '.';
  out += static_cast<char>('0' + fraction / 100);
  out += static_cast<char>('0' + fraction / 10 % 10);
  out += static_cast<char>('0' + fraction % 10);
}

/// Less than 0: `kept` is first. Labels are decoded only where the texts differ, which is seldom.
/// Nothing where one of them cannot be read.
std::optional<int> compare_metrics(std::string_view kept, std::string_view fresh) {
  if (kept == fresh) return 0;
  const auto left = decode_labels(kept);
  const auto right = decode_labels(fresh);
  if (!left || !right) return std::nullopt;
  return compare_labels(*left, *right);
}

bool is_in_order(const std::vector<SeriesText>& all) {
  std::optional<DecodedLabels> before;
  for (const SeriesText& each : all) {
    auto labels = decode_labels(each.metric);
    if (!labels || (before && compare_labels(*before, *labels) >= 0)) return false;
    before = std::move(labels);
  }
  return true;
}

}  // namespace

bool KeptMatrix::read_series(const SeriesText& text, const StepGrid& grid, std::uint32_t begin,
                             std::uint32_t end, Series& series) {
  series.metric = text.metric;
  const bool has_values =
      for_each_value(text.values, grid, [&](std::uint32_t step, std::string_view value) {
        if (step >= end) return false;
        if (step < begin) return true;
        const std::uint32_t own = step - begin;
        if (!series.runs.empty() && series.runs.back().first + series.runs.back().count == own) {
          ++series.runs.back().count;
        } else {
          series.runs.push_back({own, 1});
        }
        series.values += value;
        series.values += '"';
        return true;
      });
  const bool has_histograms =
      for_each_histogram(text.histograms, grid, [&](std::uint32_t step, std::string_view object) {
        if (step >= end) return false;
        if (step < begin) return true;
        series.histogram_steps.push_back(step - begin);
        series.histograms += object;
        series.histogram_ends.push_back(series.histograms.size());
        return true;
      });
  return has_values && has_histograms;
}

std::optional<KeptMatrix> KeptMatrix::read(std::string_view data, const StepGrid& grid,
                                           std::uint32_t begin, std::uint32_t end) {
  const auto all = read_matrix(data);
  if (!all || !is_in_order(*all)) return std::nullopt;
  KeptMatrix kept;
  kept.grid_ = {grid.time(begin), grid.step_ms, end - begin};
  for (const SeriesText& text : *all) {
    Series series;
    if (!read_series(text, grid, begin, end, series)) return std::nullopt;
    if (series.runs.empty() && series.histogram_steps.empty()) continue;
    series.values.shrink_to_fit();
    series.runs.shrink_to_fit();
    kept.series_.push_back(std::move(series));
  }
  kept.series_.shrink_to_fit();
  return kept;
}

std::size_t KeptMatrix::bytes() const {
  std::size_t bytes = sizeof(*this) + series_.capacity() * sizeof(Series);
  for (const Series& each : series_) {
    bytes += each.metric.capacity() + each.runs.capacity() * sizeof(Run) + each.values.capacity() +
             each.histogram_steps.capacity() * sizeof(std::uint32_t) +
             each.histogram_ends.capacity() * sizeof(std::size_t) + each.histograms.capacity();
  }
  return bytes;
}

std::size_t KeptMatrix::text_bytes() const {
  constexpr std::size_t kSeriesBytes = 64;  // the names of its fields
  std::size_t bytes = kSeriesBytes;
  for (const Series& each : series_) {
    bytes += kSeriesBytes + each.metric.size() + each.values.size() + each.histograms.size() +
             each.histogram_steps.size() * kTimeBytes;
    for (const Run& run : each.runs) bytes += std::size_t{run.count} * kTimeBytes;
  }
  return bytes;
}

bool KeptMatrix::has_any(const Series& series, Stretch stretch) {
  const bool has_values = std::any_of(series.runs.begin(), series.runs.end(), [&](const Run& run) {
    return run.first < stretch.end && run.first + run.count > stretch.begin;
  });
  if (has_values) return true;
  const auto& steps = series.histogram_steps;
  const auto first = std::lower_bound(steps.begin(), steps.end(), stretch.begin);
  return first != steps.end() && *first < stretch.end;
}

void KeptMatrix::append_values(const Series& series, Stretch stretch, std::string& out) const {
  std::string_view values = series.values;
  bool is_first = true;
  for (const Run& run : series.runs) {
    for (std::uint32_t i = 0; i < run.count; ++i) {
      const std::size_t end = values.find('"');
      const std::string_view value = values.substr(0, end);
      values.remove_prefix(end + 1);
      if (run.first + i < stretch.begin) continue;
      if (run.first + i >= stretch.end) return;
      out += is_first ? "[" : ",[";
      append_time(grid_.time(run.first + i), out);
      out += ",\"";
      out += value;
      out += "\"]";
      is_first = false;
    }
  }
}

void KeptMatrix::append_histograms(const Series& series, Stretch stretch, std::string& out) const {
  bool is_first = true;
  for (std::size_t i = 0; i < series.histogram_steps.size(); ++i) {
    if (series.histogram_steps[i] < stretch.begin) continue;
    if (series.histogram_steps[i] >= stretch.end) return;
    const std::size_t from = i == 0 ? 0 : series.histogram_ends[i - 1];
    out += is_first ? "[" : ",[";
    append_time(grid_.time(series.histogram_steps[i]), out);
    out += ',';
    out.append(series.histograms, from, series.histogram_ends[i] - from);
    out += ']';
    is_first = false;
  }
}

void KeptMatrix::append_series(const Series* kept, const SeriesText* fresh, Stretch stretch,
                               std::string& out) const {
  const auto append_list = [&](std::string_view name, std::string_view rest, const auto& append) {
    const std::size_t before = out.size();
    out += name;
    const std::size_t empty = out.size();
    if (kept != nullptr) append(*kept);
    if (out.size() > empty && !rest.empty()) out += ',';
    out += rest;
    if (out.size() == empty) return out.resize(before);
    out += ']';
  };
  out += R"({"metric":)";
  out += kept != nullptr ? std::string_view(kept->metric) : fresh->metric;
  append_list(R"(,"values":[)", fresh != nullptr ? fresh->values : std::string_view(),
              [&](const Series& series) { append_values(series, stretch, out); });
  append_list(R"(,"histograms":[)", fresh != nullptr ? fresh->histograms : std::string_view(),
              [&](const Series& series) { append_histograms(series, stretch, out); });
  out += '}';
}

bool KeptMatrix::append_joined(Stretch stretch, std::string_view rest, std::string& out) const {
  const auto read = read_matrix(rest);
  if (!read || !is_in_order(*read)) return false;
  const std::vector<SeriesText>& fresh = *read;
  out += R"({"resultType":"matrix","result":[)";
  const std::size_t empty = out.size();
  auto next_fresh = fresh.begin();
  const auto append = [&](const Series* kept, const SeriesText* from_rest) {
    if (out.size() > empty) out += ',';
    append_series(kept, from_rest, stretch, out);
  };
  for (const Series& kept : series_) {
    if (!has_any(kept, stretch)) continue;
    std::optional<int> order = 1;
    for (; next_fresh != fresh.end(); ++next_fresh) {
      order = compare_metrics(kept.metric, next_fresh->metric);
      if (!order) return false;
      if (*order <= 0) break;
      append(nullptr, &*next_fresh);
    }
    const bool is_same = next_fresh != fresh.end() && *order == 0;
    append(&kept, is_same ? &*next_fresh : nullptr);
    if (is_same) ++next_fresh;
  }
  for (; next_fresh != fresh.end(); ++next_fresh) append(nullptr, &*next_fresh);
  out += "]}";
  return true;
}

}  // namespace vigia::router::cache
