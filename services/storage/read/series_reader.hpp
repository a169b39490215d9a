// One series over a range of time, from its head and the chunk store together.
#pragma once

#include <string>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/heads/head_set.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::read {

/// Of time, both included.
struct ReadRange {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
};

/// A chunk ready to be sent: Prometheus' XOR encoding.
struct ChunkPiece {
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;
  std::string data;
};

struct SeriesData {
  /// In time order, none overlaps another; the first and last may reach out of the range.
  std::vector<ChunkPiece> chunks;
  std::vector<chunk::HistogramSample> histograms;  ///< in the range, in time order
  bool is_empty() const { return chunks.empty() && histograms.empty(); }
};

/// Thread contract: any thread.
class SeriesReader {
 public:
  /// Both must outlive it.
  SeriesReader(const heads::HeadSet& heads, store::ChunkStore& chunks)
      : heads_(heads), chunks_(chunks) {}

  /// What the series has in the range. Stored chunks come as they lie
  /// there; only where late samples or repeats overlap are they packed anew. What that needs is
  /// added to `memory` before it is used, and stays there; its errors.
  Result<SeriesData> read(const CustomerId& customer, const store::SeriesKey& series,
                          const ReadRange& range, lanes::AnswerMemory& memory) const;
  /// True where read would give something, found out without decoding.
  Result<bool> has_samples(const CustomerId& customer, const store::SeriesKey& series,
                           const ReadRange& range) const;

 private:
  const heads::HeadSet& heads_;
  store::ChunkStore& chunks_;
};

/// As the chunks say themselves.
std::size_t sample_count(const std::vector<ChunkPiece>& chunks);
/// The samples of the chunks from from_ms to to_ms, both included.
Result<std::vector<Sample>> samples_of(const std::vector<ChunkPiece>& chunks, TimestampMs from_ms,
                                       TimestampMs to_ms);

}  // namespace vigia::storage::read
