// Where closed chunks lie. Rows are written once and never changed: late samples make rows of their
// own, which the reader merges. Format: docs/formats/cold-store.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::store {

/// A customer's number in keys, given out by the series index once and for ever.
struct CustomerNumber {
  std::uint32_t value = 0;
  auto operator<=>(const CustomerNumber&) const = default;
};

/// A series' number, unique over all customers.
struct SeriesId {
  std::uint64_t value = 0;
  auto operator<=>(const SeriesId&) const = default;
};

/// Numbers are on disk. Floats is Prometheus' own number.
enum class Encoding : std::uint8_t { kFloats = 1, kHistograms = 200 };

/// No chunk spans more: the reader looks this far back from the start of a range.
inline constexpr TimestampMs kChunkSpanMs = 2 * 3'600'000;

/// Version of rows whose samples came in order; late rows have higher ones.
inline constexpr std::uint64_t kInOrder = 0;

struct ChunkRow {
  SeriesId series;
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;    ///< last_ms - first_ms <= kChunkSpanMs
  std::uint64_t version = 0;  ///< of two values at one time the one of the lowest version stays
  Encoding encoding = Encoding::kFloats;
  std::string data;
};

/// Thread contract: any thread. Errors as those of the store beneath: kUnavailable, kCorrupt.
class ChunkStore {
 public:
  virtual ~ChunkStore() = default;
  /// Durable at the next sync. A row of the same series, first_ms, encoding and version is
  /// replaced: writing a row again changes nothing.
  virtual Result<void> put(CustomerNumber customer, const std::vector<ChunkRow>& rows) = 0;
  /// False: no more rows are wanted.
  using RowVisit = std::function<Result<bool>(ChunkRow)>;
  /// Gives `visit` the rows of the series that overlap from_ms … to_ms (both included), one after
  /// the other, by first_ms, then version; its error ends the walk.
  virtual Result<void> visit(CustomerNumber customer, SeriesId series, TimestampMs from_ms,
                             TimestampMs to_ms, const RowVisit& visit) = 0;
  /// All of them at once. kOverLimit past 128 MiB: for short ranges.
  Result<std::vector<ChunkRow>> read(CustomerNumber customer, SeriesId series, TimestampMs from_ms,
                                     TimestampMs to_ms);
  /// The newest last_ms of in-order rows that end at or after `from_ms`; nothing where there is
  /// none.
  virtual Result<std::optional<TimestampMs>> newest(CustomerNumber customer, SeriesId series,
                                                    TimestampMs from_ms) = 0;
  virtual Result<void> sync() = 0;
  /// Forgets whole periods of which no sample is younger than `before_ms`; returns how many.
  virtual Result<std::size_t> expire(TimestampMs before_ms) = 0;
  virtual std::uint64_t disk_bytes() const = 0;
};

}  // namespace vigia::storage::store
