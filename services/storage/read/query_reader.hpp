// The series of one query of a request, one after the other.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "libs/wire/remote_read/read_request.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/read/rolled_read.hpp"
#include "services/storage/read/series_reader.hpp"
#include "services/storage/read/series_search.hpp"
#include "services/storage/read/windows_ahead.hpp"

namespace vigia::storage::read {

/// Of one that is decoded: in memory, and on the wire.
inline constexpr std::size_t kBytesPerSample = sizeof(Sample) + 20;

struct FoundQuery {
  wire::remote_read::Query query;       ///< what the answer holds; of raw none that is not kept
  std::optional<rollup::Asked> rollup;  ///< nothing: raw samples
  ReadRange range;                      ///< of the samples that are read, or make up the windows
  std::map<CustomerId, ReadRange> own;  ///< where it is several customers': what of it is kept
  std::vector<SelectedSeries> series;
  /// What of the first of them has been read already; null: nothing. Theirs who reads the query.
  std::shared_ptr<WindowsAhead> ahead = nullptr;

  const ReadRange& range_of(const CustomerId& customer) const {
    const auto found = own.find(customer);
    return found == own.end() ? range : found->second;
  }
};

/// Of samples, and of windows of them, for one request. Thread contract: as ElsewhereLook.
class RequestReaders {
 public:
  /// Both readers must outlive it. Without a talk nobody else has anything open.
  RequestReaders(const SeriesReader& own, const RolledReader& rolled,
                 std::unique_ptr<OpenTalk> talk, std::shared_ptr<lanes::AnswerMemory> memory)
      : memory_(std::move(memory)),
        look_(std::move(talk), *memory_),
        raw_(own.with(look_)),
        rolled_(rolled.by(raw_)) {}
  RequestReaders(const RequestReaders&) = delete;
  RequestReaders& operator=(const RequestReaders&) = delete;

  ElsewhereLook& look() { return look_; }
  const SeriesReader& raw() const { return raw_; }
  const RolledReader& rolled() const { return rolled_; }

 private:
  const std::shared_ptr<lanes::AnswerMemory> memory_;
  ElsewhereLook look_;
  const SeriesReader raw_;
  const RolledReader rolled_;
};

/// Reads the series of a query in their order, as many of one customer at once as a batch takes.
/// Thread contract: one thread at a time.
class QueryReader {
 public:
  /// All must outlive it. `first`: the place of the series with which it begins.
  QueryReader(RequestReaders& readers, const FoundQuery& found, std::size_t first = 0)
      : readers_(readers), found_(found), next_(first) {}
  bool has_next() const { return next_ < found_.series.size(); }
  std::size_t place() const { return next_; }  ///< of the series that is next
  const SelectedSeries& series() const { return found_.series[next_ - 1]; }  ///< read last
  const wire::remote_read::Query& query() const { return found_.query; }
  /// Before each next, and outside of its ScratchMemory: what a batch has open is held for all of
  /// its series.
  Result<void> prepare(lanes::AnswerMemory& memory);
  Result<SeriesData> next(lanes::AnswerMemory& memory);
  /// To the next series, without its data.
  void pass() { ++next_; }

 private:
  bool is_ahead() const { return found_.ahead && found_.ahead->holds(next_); }
  Result<void> begin_batch(lanes::AnswerMemory& memory);
  Result<void> begin_run(lanes::AnswerMemory& memory);
  std::vector<store::SeriesKey> next_keys(std::size_t max) const;

  RequestReaders& readers_;
  const FoundQuery& found_;
  std::size_t next_;
  std::optional<BatchRead> batch_;
  std::unique_ptr<RolledRun> run_;
};

}  // namespace vigia::storage::read
