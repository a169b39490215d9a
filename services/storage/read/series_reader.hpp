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
#include "services/storage/read/elsewhere_look.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::read {

struct ReadRange {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;  ///< both included
  /// Roll-ups lie in the store alone: what is open is raw.
  Resolution resolution = Resolution::kRaw;
  /// Nothing older is given, not even what shares a chunk with the range.
  TimestampMs kept_from_ms = INT64_MIN;
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
  /// Rows that were left out since what lies in them cannot be read: what had to be looked into.
  std::size_t unreadable_rows = 0;
  bool is_empty() const { return chunks.empty() && histograms.empty(); }
};

/// Several series of one customer, read one after the other with one question to the store. What
/// lay open when it was made is held until its series is read. Thread contract: one thread.
class BatchRead {
 public:
  static constexpr std::size_t kSeriesMax = 64;
  /// What is open is some KiB of most series, and up to tens of MiB of one with large histograms:
  /// the batch ends with the series that passes this.
  static constexpr std::size_t kOpenBytesMax = 1U << 20U;

  /// What the next series has in the range. Stored chunks come as they lie there; only where late
  /// samples or repeats overlap are they packed anew. What that needs is added to `memory` before
  /// it is used, and stays there; its errors, which are of this series alone. REQUIRES: one is
  /// left; `memory` is that with which the batch was made.
  Result<SeriesData> next(lanes::AnswerMemory& memory);
  std::size_t left() const { return series_.size() - next_; }

 private:
  friend class SeriesReader;
  struct Page {
    std::size_t series;
    Result<std::vector<store::ChunkRow>> rows;
  };
  BatchRead(const ReadRange& range, lanes::AnswerMemory& memory) : range_(range), held_(memory) {}
  Result<void> add_open(store::SeriesId series, heads::HeadView head);
  Result<void> add_elsewhere(const std::vector<store::ChunkRow>* rows);
  Result<std::vector<store::ChunkRow>> next_rows(std::size_t series);
  Result<std::vector<store::ChunkRow>> merge_floats(std::vector<store::ChunkRow> rows,
                                                    lanes::AnswerMemory& memory,
                                                    std::size_t& unreadable) const;

  ReadRange range_;
  std::vector<store::SeriesKey> series_;  // the cursor looks at them where they lie, moved or not
  std::vector<std::vector<store::ChunkRow>> open_;  // before the cursor: see HeadSet::read
  lanes::HeldMemory held_;                          // of all of these, until the batch is gone
  std::size_t open_bytes_ = 0;
  std::unique_ptr<store::ChunkCursor> cursor_;
  std::optional<Page> ahead_;  // read, of a series that has not been asked for yet
  bool is_over_ = false;
  std::size_t next_ = 0;
};

/// Thread contract: any thread.
class SeriesReader {
 public:
  /// All must outlive it. `look`, of one request: what others have open counts as open; without
  /// it, this instance's own alone. REQUIRES of what is read: ElsewhereLook::prepare of it, before.
  SeriesReader(const heads::HeadSet& heads, store::ChunkStore& chunks,
               const ElsewhereLook* look = nullptr)
      : heads_(heads), chunks_(chunks), look_(look) {}
  SeriesReader with(const ElsewhereLook& look) const { return {heads_, chunks_, &look}; }

  /// Of the first of `series`, as many as BatchRead takes: left() says how many; at least one,
  /// where there is one. What they have open is held of `memory` as long as the batch lives, with
  /// the errors of AnswerMemory::add. Both, and `memory`, must outlive it. `series`:
  /// BatchRead::kSeriesMax at the most.
  Result<BatchRead> batch(const CustomerId& customer, std::vector<store::SeriesKey> series,
                          const ReadRange& range, lanes::AnswerMemory& memory) const;
  /// The days of windows (store::window_day_of) in which a series has samples that are not in the
  /// store yet. Ask here first, then the store. What is copied for that is held of `memory`
  /// meanwhile, with the errors of AnswerMemory::add.
  Result<std::vector<store::DayRange>> open_days(store::SeriesId series,
                                                 lanes::AnswerMemory& memory) const;
  /// Whether one of the series has native histograms in the range, open or stored: their data is
  /// not read, and a series whose rows are damaged is passed over. Memory and errors as of
  /// open_days.
  Result<bool> has_histograms(const CustomerId& customer, std::span<const store::SeriesKey> series,
                              const ReadRange& range, lanes::AnswerMemory& memory) const;
  store::ChunkStore& chunks() const { return chunks_; }

 private:
  const std::vector<store::ChunkRow>& elsewhere(store::SeriesId series) const;

  const heads::HeadSet& heads_;
  store::ChunkStore& chunks_;
  const ElsewhereLook* look_;
};

/// As the chunks say themselves.
std::size_t sample_count(const std::vector<ChunkPiece>& chunks);
/// The samples of the chunks from from_ms to to_ms, both included.
Result<std::vector<Sample>> samples_of(const std::vector<ChunkPiece>& chunks, TimestampMs from_ms,
                                       TimestampMs to_ms);

}  // namespace vigia::storage::read
