// Where closed chunks lie: the contract of every store. Rows are written once and never changed:
// late samples make rows of their own, which the reader merges (row_merge.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/resolution.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/due_days.hpp"
#include "services/storage/store/expiry_cuts.hpp"
#include "services/storage/store/series.hpp"

namespace vigia::storage::store {

/// Numbers are on disk. Floats is Prometheus' own number; windows are those of roll-ups.
enum class Encoding : std::uint8_t { kFloats = 1, kHistograms = 200, kWindows = 201 };

/// No raw chunk spans more.
inline constexpr TimestampMs kChunkSpanMs = 2 * 3'600'000;

/// No row of that resolution spans more: a store looks this far back from the start of a range, and
/// keeps a period this much longer. Of roll-ups it is some dozens to hundreds of windows, since a
/// row of one window would cost more than it tells.
constexpr TimestampMs row_span_max_ms(Resolution resolution) {
  switch (resolution) {
    case Resolution::kFiveMinutes:
      return kDayMs;
    case Resolution::kHour:
      return 8 * kDayMs;
    case Resolution::kDay:
      return 384 * kDayMs;  // a year and a bit, of whole periods of the others
    case Resolution::kRaw:
      break;
  }
  return kChunkSpanMs;
}

/// Which of two values at one time stays, by the versions of their rows. What was received first is
/// what everybody was told; a roll-up that is made anew knows more than the one before it.
enum class Staying : std::uint8_t { kLowestVersion, kHighestVersion };
constexpr Staying staying_of(Resolution resolution) {
  return resolution == Resolution::kRaw ? Staying::kLowestVersion : Staying::kHighestVersion;
}

/// Version of rows whose samples came in order; late rows have higher ones.
inline constexpr std::uint64_t kInOrder = 0;

struct ChunkRow {
  SeriesId series;
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;    ///< last_ms - first_ms <= row_span_max_ms of its resolution
  std::uint64_t version = 0;  ///< of two values at one time one stays: staying_of
  Encoding encoding = Encoding::kFloats;
  std::string data;
  /// Of a roll-up as it was read: how often it has been written. 0: the store does not count.
  std::uint64_t edition = 0;
};

/// A chunk on its way into a store.
struct ClosedChunk {
  std::string metric;  ///< as SeriesKey's
  ChunkRow row;
  Resolution resolution = Resolution::kRaw;
  /// Of a roll-up: the edition of the row that it was made from, 0 where there was none. A store
  /// that counts editions refuses it as kUnavailable once another has been put meanwhile: then it
  /// is to be made anew. Nothing: whatever is there is replaced.
  std::optional<std::uint64_t> replaces{};
};

/// What of a customer's series is read, from from_ms to to_ms, both included.
struct ChunkQuery {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
  Resolution resolution = Resolution::kRaw;
  /// A page ends with the row that makes it larger; 1: each row is a page.
  std::size_t page_bytes = 1U << 20U;
  /// False: the rows' times and encodings are enough, and their data may be missing.
  bool wants_data = true;
};

/// A read that is under way: pages one after the other. Thread contract: one thread.
class ChunkCursor {
 public:
  virtual ~ChunkCursor() = default;
  /// The next rows, all of one series; none at the end. By series in the order of the question,
  /// then by first_ms, then by version: each row that overlaps the range once. After an error the
  /// rows of the series that it came from are over, and the next call goes on with the next series.
  virtual Result<std::vector<ChunkRow>> next() = 0;
  /// Of which series the last rows, or the last error, were: its place in the question.
  virtual std::size_t at() const = 0;
};

/// Thread contract: any thread. Errors: kUnavailable where the store refuses for now (again later
/// is right), kCorrupt where rows are damaged, kInvalid for a resolution that the store does not
/// have. A customer who was never written for has no rows, which is no error.
class ChunkStore {
 public:
  virtual ~ChunkStore() = default;
  /// The metric of a SeriesKey and of a ClosedChunk must be told.
  virtual bool needs_metric() const { return false; }
  virtual bool has(Resolution resolution) const { return resolution == Resolution::kRaw; }

  /// Called once, from any thread, also before `put` returns; must not throw.
  using Done = std::function<void(Result<void>)>;
  /// Takes chunks of any series of the customer, durable at the next sync after `done`. A row of
  /// the same series, resolution, first_ms, encoding and version is replaced: writing a row again
  /// changes nothing. On an error some of them may be there; all of them again is right. kInvalid
  /// also for a row that check_row refuses.
  /// `chunks` stay until `done` was called.
  virtual void put(const CustomerId& customer, std::span<const ClosedChunk> chunks, Done done) = 0;
  /// `series` stay until the cursor ends. Rows that are put meanwhile may be missing.
  virtual std::unique_ptr<ChunkCursor> read(const CustomerId& customer,
                                            std::span<const SeriesKey> series,
                                            const ChunkQuery& query) = 0;
  /// The newest last_ms of raw in-order rows that end at or after `from_ms`; nothing where there is
  /// none.
  virtual Result<std::optional<TimestampMs>> newest(const CustomerId& customer,
                                                    const SeriesKey& series,
                                                    TimestampMs from_ms) = 0;
  /// Whatever was done before is on disk when it returns.
  virtual Result<void> sync() = 0;
  /// Forgets, by customer, whole periods of which no sample is younger than the customer's cut;
  /// returns of how many periods something went. kInvalid for cuts that differ by customer, where
  /// the store cannot.
  virtual Result<std::size_t> expire(Resolution resolution, const ExpiryCuts& cuts) = 0;
  virtual std::uint64_t disk_bytes() const = 0;
  /// Null for a store that does not mark days: roll-ups are then made of raw when they are asked
  /// for, and not stored. As long as the store.
  virtual DueDays* due_days() { return nullptr; }
};

/// kInvalid for a row that ends before it begins or spans more than its resolution allows: a reader
/// would not find it.
Result<void> check_row(const ChunkRow& row, Resolution resolution);
/// The error of whoever asks for what the store does not have.
tl::unexpected<Error> no_such_resolution(Resolution resolution);
/// `put`, waited for.
Result<void> put_now(ChunkStore& chunks, const CustomerId& customer,
                     std::span<const ClosedChunk> closed);
/// All rows of one series at once. kOverLimit past 128 MiB: for short ranges.
Result<std::vector<ChunkRow>> read_rows(ChunkStore& chunks, const CustomerId& customer,
                                        const SeriesKey& series, const ChunkQuery& query);

}  // namespace vigia::storage::store
