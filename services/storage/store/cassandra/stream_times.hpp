// Which streams of log records a query asks for, and when they have some.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/label_matcher.hpp"
#include "services/storage/store/trace_query.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store::cassandra {

/// What a walk reads with.
struct StreamTables {
  vigia::cassandra::Session& session;
  const EventStatements& statements;
  EventPlaces& places;
  const CustomerId& customer;
  const WorkLimit* limit = nullptr;  ///< as Rows'
};

/// Of one day, slot by slot in the order of a walk. Thread contract: one thread.
class StreamTimes {
 public:
  /// All must outlive it.
  StreamTimes(const StreamTables& tables, std::atomic<std::uint64_t>& damaged)
      : tables_(tables), damaged_(damaged) {}
  /// The slots, both included, of one day. False where all records of the day are to be looked at:
  /// the query asks for too many of its streams, or not all of them are listed.
  Result<bool> open(const LabelMatchers& matchers, std::int32_t first, std::int32_t last,
                    bool is_backward, const WorkLimit& limit);
  /// Times of the wanted streams in the slot, in order, each once; slots in the order of the walk.
  /// Nothing where there are more than are taken at once, or a row of theirs is damaged, which is
  /// counted: then all records of the slot are to be looked at.
  Result<std::optional<std::vector<TimestampNs>>> times_of(std::int32_t slot);

 private:
  struct Cursor {
    std::string digest;
    std::unique_ptr<Rows> rows;
    std::optional<std::int32_t> slot = std::nullopt;
    std::string times = {};
  };
  struct Found {
    std::vector<std::string> wanted = {};
    std::size_t streams = 0;
    bool is_listed = true;
  };

  Result<Found> find(const LabelMatchers& matchers, std::uint32_t day, const WorkLimit& limit);
  Result<void> add_part(const LabelMatchers& matchers, std::uint32_t day, Shard shard,
                        const WorkLimit& limit, Found& found);
  Result<void> open_stream(const std::string& digest, std::int32_t first, std::int32_t last);
  Result<void> advance(Cursor& cursor);
  bool is_before(std::int32_t slot, std::int32_t other) const {
    return is_backward_ ? slot > other : slot < other;
  }

  const StreamTables tables_;
  std::atomic<std::uint64_t>& damaged_;
  bool is_backward_ = false;
  std::vector<std::unique_ptr<Cursor>> cursors_;
};

}  // namespace vigia::storage::store::cassandra
