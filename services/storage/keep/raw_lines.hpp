// Raw samples as lines of JSON, one a sample, for whoever compares what was stored with what is
// answered.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libs/base/result.hpp"
#include "services/storage/ingest/ingest_batch.hpp"
#include "services/storage/instance/folder_contents.hpp"
#include "services/storage/store/label_matcher.hpp"

namespace vigia::storage::keep {

/// Of what is there, what is wanted.
struct RawWish {
  instance::RawQuery query;
  store::LabelMatchers matchers;  ///< all match; none: every series
};

/// A sample is a line:
/// {"customer":"a","series":7,"labels":{…},"time_ms":1,"value":"0.5","version":0,"place":"chunks"}.
/// Of a NaN "bits" are told, of a native histogram "histogram", the hex digits of its message, in
/// "value"'s place. `labels` is null where the store knows none, or has them
/// damaged: then `bad_row` is told, and the series is wanted whatever the matchers are. Errors:
/// kUnavailable where a line cannot be written. Thread contract: one thread.
class RawLines {
 public:
  using BadRow = instance::FolderContents::BadRow;
  /// All must outlive it.
  RawLines(instance::FolderContents& contents, const RawWish& wish, std::FILE* out, BadRow bad_row)
      : contents_(contents), wish_(wish), out_(out), bad_row_(std::move(bad_row)) {}

  /// Of the store's rows; `place`: "quarantine" for a chunk that the store never took.
  Result<void> add(const instance::RawRow& row, std::string_view place = "chunks");
  /// Of a record of the write-ahead log, or of a copy of one in the cluster ("copies"): what no row
  /// has yet, or has by now.
  Result<void> add(const ingest::IngestBatch& batch, std::string_view place = "log");
  std::uint64_t lines() const { return lines_; }

 private:
  Result<bool> begin_series(customers::CustomerNumber customer, store::SeriesId series);
  void begin_line(TimestampMs time_ms);
  Result<void> print(const Sample& sample, std::string_view ending);
  Result<void> print(const chunk::HistogramSample& sample, std::string_view ending);
  template <typename Samples>
  Result<void> print_all(const Samples& samples, std::string_view ending);
  Result<void> end_line(std::string_view ending);
  bool is_wanted(TimestampMs time_ms) const {
    return time_ms >= wish_.query.from_ms && time_ms <= wish_.query.to_ms;
  }

  instance::FolderContents& contents_;
  const RawWish& wish_;
  std::FILE* out_;
  const BadRow bad_row_;
  std::uint64_t lines_ = 0;
  // Of the series at hand: rows of one stand together.
  struct Known {
    customers::CustomerNumber customer;
    store::SeriesId series;
    std::string beginning;  // of its lines
    bool is_wanted = false;
  };
  std::optional<Known> known_;
  std::string line_;
};

}  // namespace vigia::storage::keep
