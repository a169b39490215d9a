// Reading windows instead of samples: what a query with the matcher __rollup__="1h:sum" is answered
// with (docs/decisions/0018-rollups.md).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "libs/model/matcher.hpp"
#include "libs/rollup/part.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/read/rolled_question.hpp"
#include "services/storage/read/series_reader.hpp"
#include "services/storage/rolling/rollup_book.hpp"

namespace vigia::storage::read {

class RolledReader;

/// Windows of several series of one customer, read one after the other: marks, rows and raw samples
/// are asked for together, since a store across a network answers one question as soon as a
/// hundred. Thread contract: one thread.
class RolledRun {
  struct Key {};  // only RolledReader makes one

 public:
  static constexpr std::size_t kSeriesMax = BatchRead::kSeriesMax;
  RolledRun(Key /*key*/, const RolledReader& reader, CustomerId customer,
            const rollup::Asked& asked, const ReadRange& range);
  ~RolledRun();

  /// What is asked for of the next series: packed as samples are, one a window. What is needed is
  /// added to `memory` before it is used and stays there. A row that cannot be read is left out and
  /// counted, as of samples. kCorrupt; kUnavailable where raw samples were just about to go, or
  /// went since `check`. REQUIRES: one is left; `memory` is that with which the run was made.
  Result<SeriesData> next(lanes::AnswerMemory& memory);
  std::size_t left() const { return series_.size() - next_; }

  /// What RolledReader::check says of its series, but for histograms of days that are stored, which
  /// lie in the rows that `next` walks over.
  Result<void> check(lanes::AnswerMemory& memory) const;
  /// kNotFound once `next` has met such a day: what it gave lacks it.
  Result<void> check_met() const;

 private:
  friend class RolledReader;
  struct Plan {
    std::vector<store::DayRange> raw_days;  // by runs, in order: that raw has to be read of
    std::optional<std::uint32_t> last_lost_day;
  };
  struct Page {
    std::size_t series;
    Result<std::vector<store::ChunkRow>> rows;
  };
  struct Raw {
    store::DayRange days;
    Result<SeriesData> data;
  };
  class StoredParts;
  struct Rolled {
    std::vector<Sample> samples;
    std::size_t unreadable_rows = 0;
  };
  Result<void> begin(lanes::AnswerMemory& memory);
  Result<std::optional<SeriesData>> try_next(lanes::AnswerMemory& memory);
  std::vector<Raw> raw_of(std::size_t series, lanes::AnswerMemory& memory);
  Result<SeriesData> read_raw(std::size_t series, const store::DayRange& days,
                              lanes::AnswerMemory& memory) const;
  Result<void> add_raw(const Raw& raw, lanes::AnswerMemory& memory, Rolled& rolled) const;
  Result<void> add_stored(std::size_t series, lanes::AnswerMemory& memory, Rolled& rolled);
  Result<std::vector<store::ChunkRow>> next_rows(std::size_t series);

  const RolledReader& reader_;
  const CustomerId customer_;
  const rollup::Asked asked_;
  const ReadRange range_;
  std::vector<store::SeriesKey> series_;  // the cursor looks at them where they lie, moved or not
  std::vector<Plan> plans_;
  std::uint32_t raw_gone_day_ = 0;  // as it was when they were made
  std::map<store::DayRange, BatchRead> raw_;
  std::unique_ptr<store::ChunkCursor> cursor_;  // of rows of windows; none: none are stored
  std::unique_ptr<StoredParts> stored_parts_;   // with the cursor
  std::optional<Page> ahead_;                   // read, of a series that has not been asked for yet
  bool is_over_ = false;
  bool has_met_histograms_ = false;
  std::size_t next_ = 0;
};

/// Gives windows as the samples would make them now: those of days whose roll-ups are stored and
/// whole from there, those of all others from raw. Thread contract: any thread.
class RolledReader {
 public:
  /// `reader` must outlive it. Without a book nothing is stored: all is made of raw.
  explicit RolledReader(const SeriesReader& reader) : reader_(reader) {}
  /// The same by another reader, which must outlive it.
  RolledReader by(const SeriesReader& reader) const {
    RolledReader other(reader);
    other.book_ = book_;
    return other;
  }
  /// Before the first read. `book` must outlive it.
  void use_rollups(const rolling::RollupBook& book) { book_ = &book; }

  /// From which samples on windows of the resolution are stored, where they are not made of raw;
  /// nothing where all of them are.
  std::optional<TimestampMs> made_from_ms(const CustomerId& customer, Resolution resolution) const;

  /// Whether all windows whose samples lie in `range` can be given, where there are samples:
  /// kNotFound, with from when on they can, where raw went before they were made, and where native
  /// histograms lie among the samples, which are not thinned. By marks, keys and what is open; no
  /// sample that is stored is read, and what is damaged is passed over. Before `run`, which leaves
  /// out what comes meanwhile. REQUIRES: RolledRun::kSeriesMax series at the most.
  Result<void> check(const CustomerId& customer, std::span<const store::SeriesKey> series,
                     const rollup::Asked& asked, const ReadRange& range,
                     lanes::AnswerMemory& memory) const;

  /// Of the first of `series`, as many as fit: left() says how many; at least one, where there is
  /// one. `range`: of the samples, as samples_of_windows gave it. What they have open is held of
  /// `memory` as long as the run lives, with the errors of AnswerMemory::add. The reader and
  /// `memory` must outlive it. REQUIRES: RolledRun::kSeriesMax series at the most.
  Result<std::unique_ptr<RolledRun>> run(const CustomerId& customer,
                                         std::vector<store::SeriesKey> series,
                                         const rollup::Asked& asked, const ReadRange& range,
                                         lanes::AnswerMemory& memory) const;

 private:
  friend class RolledRun;
  using Plan = RolledRun::Plan;
  struct Job {
    const CustomerId& customer;
    std::span<const store::SeriesKey> series;
    const rollup::Asked& asked;
    const ReadRange& range;
    lanes::AnswerMemory& memory;
  };
  rolling::RollupNote note(const CustomerId& customer) const {
    return book_ == nullptr ? rolling::RollupNote() : book_->note(customer);
  }
  Result<std::vector<Plan>> plans(const Job& job, const rolling::RollupNote& note) const;
  Result<bool> has_stored_histograms(const Job& job, const std::vector<Plan>& plans) const;
  Result<bool> has_raw_histograms(const Job& job, const std::vector<Plan>& plans) const;
  bool is_stored(const CustomerId& customer, Resolution resolution) const {
    return note(customer).made_from_day(resolution).has_value();
  }

  const SeriesReader& reader_;
  const rolling::RollupBook* book_ = nullptr;
};

}  // namespace vigia::storage::read
