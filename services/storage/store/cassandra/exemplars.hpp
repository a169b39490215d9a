// Exemplars on Cassandra.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "services/storage/store/cassandra/kept_from.hpp"
#include "services/storage/store/exemplars.hpp"

namespace vigia::storage::store::cassandra {

/// As ExemplarStore. A partition is what one series has in an hour; which hours of which series
/// have any is listed by customer and day.
class CassandraExemplars final : public ExemplarStore {
 public:
  /// All must outlive it.
  CassandraExemplars(vigia::cassandra::Session& session, KeptDays& kept, const KeepTimes& keeps)
      : session_(session), kept_(kept), keeps_(keeps) {}
  /// REQUIRED before anything else.
  Result<void> prepare(Preparation& preparation);

  Result<void> put(const CustomerId& customer, std::span<const NewExemplar> exemplars) override;
  /// Nothing is left to be done: a quorum has what was put.
  Result<void> sync() override { return {}; }
  /// To the hour: of series that have some in it, but outside of the range, too.
  Result<std::vector<SeriesId>> having(const CustomerId& customer, std::span<const SeriesId> series,
                                       const ExemplarRange& range, const WorkLimit& limit) override;
  Result<void> read(const CustomerId& customer, SeriesId series, const ExemplarRange& range,
                    const Visit& visit, const WorkLimit& limit) override;
  /// Days are not read any more when it returns; their rows end with their time to live.
  Result<std::size_t> expire(const ExpiryCuts& cuts) override;
  /// 0: what the nodes need only they know (nodetool tablestats).
  std::uint64_t disk_bytes() const override { return 0; }
  std::uint64_t damaged() const override { return damaged_; }

 private:
  struct Walk;
  Result<std::vector<std::int32_t>> days_of(std::string_view customer, std::int32_t first,
                                            std::int32_t last, const WorkLimit& limit);
  std::int32_t first_kept(const CustomerId& customer, std::int32_t day);
  Result<std::vector<std::int32_t>> hours_of(const Walk& walk, std::int32_t day);
  Result<bool> read_hour(const Walk& walk, std::int32_t hour, const Visit& visit);

  vigia::cassandra::Session& session_;
  KeptDays& kept_;
  const KeepTimes& keeps_;
  Statement write_day_, write_hour_, write_;
  Statement list_days_, list_hours_, list_day_hours_, read_, list_customers_, forget_days_;
  std::atomic<std::uint64_t> damaged_{0};
  std::mutex expire_mutex_;
  ExpiryLooks looks_;
};

}  // namespace vigia::storage::store::cassandra
