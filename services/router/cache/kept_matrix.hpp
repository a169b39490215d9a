// The first steps of a range query's answer, packed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/router/cache/matrix_text.hpp"

namespace vigia::router::cache {

/// Some steps, one after the other, of one query's series: their labels and values as Prometheus
/// wrote them, to the letter, without what the grid tells: about half of the JSON. Immutable; any
/// thread.
class KeptMatrix {
 public:
  /// The steps from `begin` up to `end` of an answer's data that was evaluated on `grid`. Nothing
  /// where it is not to the letter what Prometheus writes, in the order in which it gives series:
  /// then it could not be put together again.
  static std::optional<KeptMatrix> read(std::string_view data, const StepGrid& grid,
                                        std::uint32_t begin, std::uint32_t end);

  /// The steps that it has; first_ms is that of the first of them.
  const StepGrid& grid() const { return grid_; }
  /// What it holds in memory.
  std::size_t bytes() const;
  /// Of the data that append_joined writes of it, at most.
  std::size_t text_bytes() const;

  /// Some of its steps.
  struct Stretch {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;  ///< that one is not in it any more
  };
  /// Appends to `out` the data of one answer: of that stretch what is kept, and behind it `rest`,
  /// the data of the same query over later steps. False, with `out` in some state, where `rest` is
  /// not what Prometheus writes.
  bool append_joined(Stretch stretch, std::string_view rest, std::string& out) const;

 private:
  /// Steps without a gap of which a series has values.
  struct Run {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  struct Series {
    std::string metric;
    std::vector<Run> runs;  // of values
    std::string values;     // each with a quotation mark behind it
    std::vector<std::uint32_t> histogram_steps;
    std::vector<std::size_t> histogram_ends;  // in `histograms`
    std::string histograms;
  };

  static bool read_series(const SeriesText& text, const StepGrid& grid, std::uint32_t begin,
                          std::uint32_t end, Series& series);
  void append_series(const Series* kept, const SeriesText* fresh, Stretch stretch,
                     std::string& out) const;
  void append_values(const Series& series, Stretch stretch, std::string& out) const;
  void append_histograms(const Series& series, Stretch stretch, std::string& out) const;
  static bool has_any(const Series& series, Stretch stretch);

  StepGrid grid_;
  std::vector<Series> series_;
};

}  // namespace vigia::router::cache
