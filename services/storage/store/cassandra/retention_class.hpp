// How long rows stay: a table for each of a few classes, since Cassandra drops whole files only
// where all rows of a file end alike (services/storage/cassandra/schema.cql, step 2).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"

namespace vigia::storage::store::cassandra {

struct RetentionClass {
  std::string_view name;  ///< the end of its table's name: "90d" of chunks_90d
  Duration keep;          ///< 0: for ever
  Duration time_to_live;  ///< of its table: two days more than `keep`; 0: for ever
};

/// Rows that end by a time of their own live so much longer than they are kept, as those of
/// classes: reads are cut before they end.
inline constexpr Duration kLongerThanKept = std::chrono::hours(48);

std::span<const RetentionClass> retention_classes();

/// The shortest class that keeps as long; reads cut what it keeps longer. kInvalid, naming them,
/// where none does: `keep` 0 is the one for ever. `what`: whose retention, "raw".
Result<RetentionClass> class_of(std::string_view what, Duration keep);

/// kInvalid, with the date, where a row of the class that is written now would end later than
/// Cassandra can say (2038-01-19T03:14:06Z): it would end there, or the write would fail. `now_s`:
/// wall clock, seconds since 1970.
Result<void> check_expiry(std::string_view what, const RetentionClass& one, std::int64_t now_s);

}  // namespace vigia::storage::store::cassandra
