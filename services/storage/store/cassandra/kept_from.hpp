// Before which days nothing is read any more of a customer's: the same for all instances, so that
// what one has expired no other gives.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/expiry_looks.hpp"
#include "services/storage/store/cassandra/keep_times.hpp"
#include "services/storage/store/cassandra/shared_retention.hpp"
#include "services/storage/store/expiry_cuts.hpp"

namespace vigia::storage::store::cassandra {

/// A day is noted by customer, kind of data and for how long that was kept then: whoever is kept
/// longer by now is not cut by what went before, and finds what is put from then on. So no day ever
/// has to go back, whichever instance says less. Thread contract: any thread once prepared.
class KeptDays {
 public:
  /// All must outlive it.
  KeptDays(vigia::cassandra::Session& session, const Clock& clock, const KeepTimes& keeps)
      : session_(session), clock_(clock), keeps_(keeps) {}
  Result<void> prepare(Preparation& preparation);

  /// The first day of that kind of data that is read; 0: nothing has expired. Looked up once a
  /// minute at most for each customer, for two seconds at most; while the cluster does not answer,
  /// what was known before.
  std::uint32_t day(const CustomerId& customer, std::string_view kind);
  /// The latest day that has gone of that kind of the customer's, for however long it was kept.
  std::uint32_t latest_day(const CustomerId& customer, std::string_view kind);
  /// `shared` must outlive the last call of held_back; before the first one.
  void use_shared(const SharedRetention* shared) { shared_ = shared; }
  /// The days of the cuts, less `span_ms`, or earlier ones of whom another instance keeps longer.
  CutDays held_back(std::string_view kind, const ExpiryCuts& cuts, TimestampMs span_ms = 0);
  /// Before those days nothing is read any more, by nobody. Durable when it returns.
  Result<void> raise(std::string_view kind, const CutDays& days);

 private:
  struct Known {
    /// By kind, then by how many seconds it was kept.
    std::map<std::string, std::map<std::int64_t, std::uint32_t>, std::less<>> days;
    TimePoint next_look{};
  };
  struct Wanted {
    std::string owner;
    std::int64_t keep_s = 0;
    std::uint32_t day = 0;
  };
  void look(const std::string& owner);
  std::uint32_t day_of_kept(const CustomerId& customer, std::string_view kind, std::int64_t keep_s);
  Result<void> load(const std::string& owner, Duration deadline);
  static void note(Known& known, std::string_view kind, std::int64_t keep_s, std::uint32_t day);
  std::vector<Wanted> unknown_of(std::string_view kind, const CutDays& days) const;

  vigia::cassandra::Session& session_;
  const Clock& clock_;
  const KeepTimes& keeps_;
  const SharedRetention* shared_ = nullptr;
  Statement list_owners_;
  Statement read_;
  Statement write_;
  mutable std::mutex mutex_;      // over all that follows
  std::set<std::string> owners_;  // who has rows of their own
  std::map<std::string, Known> known_;
};

}  // namespace vigia::storage::store::cassandra
