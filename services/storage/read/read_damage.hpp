// What answers leave out because its stored rows cannot be read.
#pragma once

#include <atomic>
#include <cstdint>

#include "libs/base/result.hpp"

namespace vigia::storage::read {

/// Counts, and has the log told of the first of each kind. Thread contract: any thread.
class ReadDamage {
 public:
  /// Whether it is of the rows of the series that was read: then it costs that series, not the
  /// others of the query theirs.
  bool takes(const Error& error);
  /// So many rows of a series were left out of its answer.
  void note_rows(std::uint64_t count);
  /// So many are no histograms that a Prometheus can work with: an earlier version took what would
  /// keep a query busy for ever.
  void note_histograms(std::uint64_t count);

  std::uint64_t histograms() const { return histograms_; }
  std::uint64_t series() const { return series_; }
  std::uint64_t rows() const { return rows_; }

 private:
  std::atomic<std::uint64_t> histograms_{0};
  std::atomic<std::uint64_t> series_{0};
  std::atomic<std::uint64_t> rows_{0};
};

}  // namespace vigia::storage::read
