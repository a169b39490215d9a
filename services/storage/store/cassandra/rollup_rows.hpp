// Rows of roll-ups: each replaces the one that it was made from, and no other.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <tuple>

#include "services/storage/store/cassandra/chunk_cursor.hpp"
#include "services/storage/store/cassandra/chunk_places.hpp"

namespace vigia::storage::store::cassandra {

/// Thread contract: any thread once prepared.
class RollupRows {
 public:
  /// All must outlive it.
  RollupRows(vigia::cassandra::Session& session, ChunkPlaces& places, const KeepTimes& keeps)
      : session_(session), places_(places), keeps_(keeps) {}
  Result<void> prepare(Preparation& preparation);

  /// Waits until they are there. As ChunkStore::put, for chunks of which none is raw: kUnavailable
  /// where one of them replaces another row than it was made from; the others may be there.
  Result<void> put(const CustomerId& customer, std::span<const ClosedChunk* const> chunks);
  /// Adds the rows of the ids in `rows` that overlap the range. A damaged one is noted in `damaged`
  /// by its series, and the others go on. `kept_day`: rows that begin on days before it are over.
  Result<void> read(const MetricPlace& place, const ChunkQuery& query, std::uint32_t kept_day,
                    std::span<const BlockPartition> some, ReadRows& rows,
                    std::map<std::uint64_t, Error>& damaged) const;

 private:
  struct Writing;
  struct Statements {
    Statement read;
    Statement read_keys;  ///< without data
    Statement edition;
    Statement add;
    Statement replace;
  };
  Result<std::int32_t> parts_of_period(const MetricPlace& place, std::uint32_t day);
  Result<std::int32_t> settle_parts(const MetricPlace& place, std::uint32_t day);
  Result<Writing> prepared_writing(const CustomerId& customer, const ClosedChunk& chunk);
  Result<void> put_once_more(Writing& writing);
  Result<bool> write(const Writing& writing);
  Result<std::optional<std::uint64_t>> edition_of(const Writing& writing);
  void add_write(Requests& requests, const Writing& writing) const;
  static Result<void> take(const vigia::cassandra::Page& page, const ChunkQuery& query,
                           std::uint32_t kept_day, ReadRows& rows,
                           std::map<std::uint64_t, Error>& damaged);

  vigia::cassandra::Session& session_;
  ChunkPlaces& places_;
  const KeepTimes& keeps_;
  std::map<std::string, Statements, std::less<>> statements_;  // by class
  Statement read_parts_;
  Statement add_parts_;
  using PeriodKey = std::tuple<std::string, std::string, Resolution, std::uint32_t>;
  std::mutex mutex_;
  std::map<PeriodKey, std::int32_t> parts_;  // some of those that are settled
};

}  // namespace vigia::storage::store::cassandra
