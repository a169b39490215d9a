// One series over a range of time, from its head and the chunk store together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
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

/// Several series of one customer, read one after the other with one question to the store. What
/// lay open when it was made is held until its series is read. Thread contract: one thread.
class BatchRead {
 public:
  /// So many at once: what they have open is some KiB each.
  static constexpr std::size_t kSeriesMax = 64;

  /// All must outlive it. `series`: kSeriesMax at the most.
  BatchRead(const heads::HeadSet& heads, store::ChunkStore& chunks, const CustomerId& customer,
            std::vector<store::SeriesKey> series, const ReadRange& range);
  /// What the next series has in the range. Stored chunks come as they lie there; only where late
  /// samples or repeats overlap are they packed anew. What that needs is added to `memory` before
  /// it is used, and stays there; its errors, which are of this series alone. REQUIRES: one is
  /// left.
  Result<SeriesData> next(lanes::AnswerMemory& memory);
  std::size_t left() const { return series_.size() - next_; }

 private:
  struct Page {
    std::size_t series;
    Result<std::vector<store::ChunkRow>> rows;
  };
  Result<std::vector<store::ChunkRow>> next_rows(std::size_t series);

  ReadRange range_;
  std::vector<store::SeriesKey> series_;  // the cursor looks at them where they lie, moved or not
  std::vector<std::vector<store::ChunkRow>> open_;  // before the cursor: see HeadSet::read
  std::unique_ptr<store::ChunkCursor> cursor_;
  std::optional<Page> ahead_;  // read, of a series that has not been asked for yet
  bool is_over_ = false;
  std::size_t next_ = 0;
};

/// Thread contract: any thread.
class SeriesReader {
 public:
  /// Both must outlive it.
  SeriesReader(const heads::HeadSet& heads, store::ChunkStore& chunks)
      : heads_(heads), chunks_(chunks) {}

  BatchRead batch(const CustomerId& customer, std::vector<store::SeriesKey> series,
                  const ReadRange& range) const {
    return {heads_, chunks_, customer, std::move(series), range};
  }
  /// Of one series alone: as BatchRead::next.
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
