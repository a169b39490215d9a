// Marks of days whose roll-ups are to be made, of all instances that share the keyspace.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/chunk_cursor.hpp"
#include "services/storage/store/cassandra/due_mark_rows.hpp"
#include "services/storage/store/cassandra/kept_from.hpp"
#include "services/storage/store/cassandra/requests.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/due_days.hpp"

namespace vigia::storage::store::cassandra {

/// Which marks were set by this process, told as they are on their way: outlives the store, since
/// the driver's threads tell.
class FirstMarked {
 public:
  void note(const CustomerId& customer, std::uint32_t day);
  std::uint32_t take(const CustomerId& customer);

 private:
  std::mutex mutex_;
  std::map<CustomerId, std::uint32_t> days_;  // none: not known
};

/// As DueDays. A mark is a row of the run that has set it, and no other run writes it: what is done
/// goes with the write time at which it was read, which spares what was marked since, whoever's
/// clock is ahead. Thread contract: any thread once prepared.
class CassandraDueDays final : public DueDays {
 public:
  /// All must outlive it. `writer`: this run's number. `reads`: of chunks.
  CassandraDueDays(vigia::cassandra::Session& session, KeptDays& kept, const Clock& clock,
                   const BlockReads& reads, std::uint64_t writer);
  ~CassandraDueDays() override;
  Result<void> prepare(Preparation& preparation);

  /// The days that raw rows among these reach into; none where puts do not mark.
  std::set<DuePlace> places_of(std::span<const ClosedChunk> chunks) const;
  /// Durable when it returns. Before the rows are written; and after them once more where the days
  /// are over by now, since somebody may have rolled them up in between.
  Result<void> mark(const CustomerId& customer, const std::set<DuePlace>& places);
  bool is_any_over(const std::set<DuePlace>& places) const;
  std::shared_ptr<FirstMarked> first_marked() const { return first_marked_; }

  void set_marking(bool is_marking) override { is_marking_ = is_marking; }
  Result<std::vector<DueDay>> due(const CustomerId& customer, const DuePlace& from,
                                  std::size_t max) override;
  Result<std::vector<DueDay>> due_of(const CustomerId& customer, std::span<const SeriesId> series,
                                     const DayRange& days) override;
  Result<bool> claim(const CustomerId& customer) override;
  void let_go(const CustomerId& customer) override;
  Result<void> done(const CustomerId& customer, std::span<const DueDay> days) override;
  Result<void> set_lost(const CustomerId& customer, std::span<const DueDay> days) override;
  Result<std::size_t> forget_before(std::uint32_t day) override;
  std::uint32_t take_first_marked(const CustomerId& customer) override {
    return first_marked_->take(customer);
  }
  /// A place is of this process: one of before begins anew.
  Result<std::string> mark_stored(const std::string& place) override;
  Result<std::string> note() override;
  Result<void> set_note(const std::string& note) override;

 private:
  using Mark = DueMark;
  struct Walk;
  static std::optional<Mark> parse(vigia::cassandra::RowReader& row);
  static DueDay joined(std::span<const Mark> marks);
  static std::vector<DueDay> joined_by_place(const std::vector<Mark>& marks);
  std::int64_t next_stamp();
  Result<void> write(const CustomerId& customer, const std::set<DuePlace>& places, DueKind kind);
  Result<std::vector<Mark>> unchanged(const CustomerId& customer, std::span<const DueDay> days);
  Result<std::vector<Mark>> between(const CustomerId& customer, const DuePlace& first,
                                    const DuePlace& last);
  Result<std::size_t> forget_part(const CustomerId& customer, std::int32_t part, std::uint32_t day);
  Result<bool> next_metric();
  Result<std::size_t> mark_partition(const BlockPartition& partition);

  vigia::cassandra::Session& session_;
  KeptDays& kept_;
  const Clock& clock_;
  const BlockReads& reads_;
  const std::int64_t writer_;
  DueMarkRows rows_;
  Statement scan_;
  Statement scan_between_;
  Statement of_series_;
  Statement list_parts_;
  Statement read_note_;
  Statement write_note_;
  Statement take_;
  Statement renew_;
  Statement let_go_;
  Statement list_metrics_;
  Statement list_days_;
  std::atomic<bool> is_marking_{true};
  std::atomic<std::int64_t> stamp_{0};
  const std::shared_ptr<FirstMarked> first_marked_ = std::make_shared<FirstMarked>();
  std::mutex claims_mutex_;
  std::map<CustomerId, TimePoint> claimed_;  // when it was said last
  std::mutex walk_mutex_;
  std::unique_ptr<Walk> walk_;
};

}  // namespace vigia::storage::store::cassandra
