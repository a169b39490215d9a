// Which rows hold native histograms. Beside Encoding::kHistograms, messages as they came, which
// earlier programs wrote (and this one where they are no sound histograms), stand Prometheus' own
// chunks, under Prometheus' own numbers, which are on disk.
#pragma once

#include "services/storage/histograms/histogram_chunk.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::store {

inline constexpr Encoding kIntegerHistograms =
    static_cast<Encoding>(histograms::WireEncoding::kHistogram);
inline constexpr Encoding kFloatHistograms =
    static_cast<Encoding>(histograms::WireEncoding::kFloatHistogram);

constexpr bool is_histogram_chunk(Encoding encoding) {
  return encoding == kIntegerHistograms || encoding == kFloatHistograms;
}
constexpr bool holds_histograms(Encoding encoding) {
  return encoding == Encoding::kHistograms || is_histogram_chunk(encoding);
}

}  // namespace vigia::storage::store
