// What lies in the folder of a closed store, or in the tables that it names, looked at from
// outside: row by row, without the code that answers readers, so that it can bear witness for or
// against it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/chunk/histogram_record.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/series.hpp"

namespace vigia::storage::instance {

struct RowSum {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;                ///< of keys and values, before the database packs them
  store::DayRange days = store::kNoDays;  ///< kNoDays where they lie under no days
};

/// By kind of row: "chunks", "spans", …
using SumsByKind = std::map<std::string, RowSum, std::less<>>;

struct FolderSums {
  std::string format;                             ///< as the store itself says
  std::map<std::uint32_t, SumsByKind> customers;  ///< by number
  SumsByKind shared;                              ///< of nobody alone
  std::uint64_t strange = 0;                      ///< rows whose keys are none
  std::vector<std::string> unread;                ///< what could not be read, and why
};

/// A row of raw samples, either floats or native histograms.
struct RawRow {
  customers::CustomerNumber customer;
  store::SeriesId series;
  std::uint64_t version = 0;  ///< of two values at one time the lowest stays
  std::vector<Sample> samples;
  std::vector<chunk::HistogramSample> histograms;
};

struct RawQuery {
  std::optional<customers::CustomerNumber> customer;  ///< nothing: of all
  TimestampMs from_ms = 0;                            ///< rows that reach into it, both included
  TimestampMs to_ms = INT64_MAX;
};

/// Thread contract: one thread. Holds the folder as long as it lives. Errors: kUnavailable where a
/// file cannot be read now, kCorrupt.
class FolderContents {
 public:
  virtual ~FolderContents() = default;
  /// Those who have a number, by it.
  virtual const std::map<std::uint32_t, CustomerId>& customers() const = 0;
  /// Told what is counted.
  using Progress = std::function<void(const std::string& kind, std::uint64_t rows)>;
  /// Reads every row. What cannot be read is part of the sums.
  virtual Result<FolderSums> sums(const Progress& progress) = 0;
  /// An error: that ends the walk.
  using RawVisit = std::function<Result<void>(const RawRow& row)>;
  using BadRow = std::function<void(const std::string& reason)>;
  /// Each row of raw samples, by day, customer, series and time; `bad_row` is told of those that
  /// cannot be read.
  virtual Result<void> raw(const RawQuery& query, const RawVisit& visit, const BadRow& bad_row) = 0;
  /// `body`: a record of the write-ahead log, all of it the customer's, whose own numbers are 0.
  using CopyVisit =
      std::function<Result<void>(customers::CustomerNumber customer, std::string_view body)>;
  /// Copies of what instances have open, where several share the store; an error ends the walk.
  /// The query's times are not looked at.
  virtual Result<void> open_copies(const RawQuery& /*query*/, const CopyVisit& /*visit*/) {
    return {};
  }
  /// Nothing for a series that has none.
  virtual Result<std::optional<Labels>> labels_of(customers::CustomerNumber customer,
                                                  store::SeriesId series) = 0;
};

}  // namespace vigia::storage::instance
