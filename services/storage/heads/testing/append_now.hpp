// Both steps of an append at once, for tests in which one thread does everything.
#pragma once

#include <utility>
#include <vector>

#include "services/storage/heads/head_set.hpp"

namespace vigia::storage::heads {

inline Result<AppendCounts> append_now(HeadSet& heads, const SeriesRef& series,
                                       const std::vector<Sample>& samples, Epoch epoch,
                                       const std::vector<HistogramSample>& histograms = {}) {
  std::vector<StoreWork> work;
  AppendCounts counts = heads.append_known(series, samples, histograms, epoch, work);
  for (StoreWork& one : work) {
    const auto more = heads.append_stored(std::move(one));
    if (!more) return tl::unexpected<Error>(more.error());
    counts += *more;
  }
  return counts;
}

inline Result<AppendCounts> append_histograms_now(HeadSet& heads, const SeriesRef& series,
                                                  const std::vector<HistogramSample>& histograms,
                                                  Epoch epoch) {
  return append_now(heads, series, {}, epoch, histograms);
}

}  // namespace vigia::storage::heads
