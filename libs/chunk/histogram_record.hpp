// Native histograms of one series, each kept as the bytes in which it came (an encoded
// prometheus.Histogram), so that nothing of them is lost. Format: docs/formats/chunk.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// One native histogram: what it says stays closed here.
struct HistogramSample {
  TimestampMs timestamp_ms = 0;
  std::string encoded;  ///< a prometheus.Histogram message
};

/// Packs a list of histograms, in order.
std::string write_histograms(const std::vector<HistogramSample>& histograms);

/// What write_histograms wrote. kCorrupt on anything else.
Result<std::vector<HistogramSample>> read_histograms(std::string_view bytes);

}  // namespace vigia::chunk
