// The series of one query of a request, one after the other.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "libs/wire/remote_read/read_request.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/read/series_reader.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage::read {

/// Of one that is decoded: in memory, and on the wire.
inline constexpr std::size_t kBytesPerSample = sizeof(Sample) + 20;

struct FoundQuery {
  wire::remote_read::Query query;  ///< no earlier than kept_from_ms
  TimestampMs kept_from_ms;
  std::vector<SelectedSeries> series;
};

/// Reads the series of a query in their order, as many of one customer at once as a batch takes.
/// Thread contract: one thread at a time.
class QueryReader {
 public:
  /// Both must outlive it. `first`: the place of the series with which it begins.
  QueryReader(const SeriesReader& reader, const FoundQuery& found, std::size_t first = 0)
      : reader_(reader), found_(found), next_(first) {}
  bool has_next() const { return next_ < found_.series.size(); }
  std::size_t place() const { return next_; }  ///< of the series that is next
  const SelectedSeries& series() const { return found_.series[next_ - 1]; }  ///< read last
  const wire::remote_read::Query& query() const { return found_.query; }
  /// Before each next, and outside of its ScratchMemory: what a batch has open is held for all of
  /// its series.
  Result<void> prepare(lanes::AnswerMemory& memory);
  Result<SeriesData> next(lanes::AnswerMemory& memory);

 private:
  Result<void> begin_batch(lanes::AnswerMemory& memory);

  const SeriesReader& reader_;
  const FoundQuery& found_;
  std::size_t next_;
  std::optional<BatchRead> batch_;
};

}  // namespace vigia::storage::read
