// Which instances share the keyspace and live: each counts on in a row of its own, and whoever sees
// a count stand still for long enough may take that instance over.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Under which number this instance is known, and since which time that it became so.
struct LeaseTerm {
  std::uint64_t number = 0;
  std::uint64_t term = 0;
  bool operator==(const LeaseTerm&) const = default;
};

/// Who has counted holds the lease for half of its length from before that request was sent. Who
/// sees a count stand still waits for the whole length from when it saw it first: so nobody is
/// taken over who holds a lease, however clocks are set. Being taken over and counting on exclude
/// each other by light-weight transactions; an instance that was taken over goes on under another
/// number, and the one that it had is given to nobody for two days: somebody who took it over, fell
/// asleep and wakes up finds nothing under it that is still needed. Two processes with one number
/// (one has a copy of the other's folder) find each other by what they count with: the first one to
/// see it leaves the number and takes it over, and by that the other one goes, too. Thread
/// contract: claim_gone and forget from one thread; the rest from any.
class InstanceLease {
 public:
  /// Session and clock must outlive it. `number`: a multiple of kNumbers, below 2^62, this
  /// instance's over its restarts, so that a restart is not taken for another instance. Those up to
  /// the next multiple are its own, too.
  static constexpr std::uint64_t kNumbers = 4096;
  /// The first one of an instance's, by its folder's identity.
  static constexpr std::uint64_t first_number(std::uint64_t identity) {
    return (identity >> 2U) / kNumbers * kNumbers;  // of 64 bits with a sign, with room behind it
  }
  InstanceLease(vigia::cassandra::Session& session, const Clock& clock, std::uint64_t number,
                Duration length);
  Result<void> prepare(Preparation& preparation);

  /// A sign of life. Errors as requests': the next one may do.
  Result<void> beat();
  /// Goes on under another number than this one and takes that over, as somebody else's that is
  /// gone; nothing where it has another already. On an error calling it again goes on with it, as
  /// beats do.
  Result<void> leave(std::uint64_t number);
  /// Nothing where the lease is not held.
  std::optional<LeaseTerm> term() const;
  bool holds(const LeaseTerm& term) const { return this->term() == term; }
  Duration length() const { return length_; }

  /// The numbers of instances that are gone and that this one takes over, also those of earlier
  /// calls of which not all was taken over yet. None where the lease is not held.
  Result<std::vector<std::uint64_t>> claim_gone();
  /// Nothing is left of it; its row, which nobody takes any more, ends by itself.
  Result<void> forget(std::uint64_t number);

 private:
  struct Row {
    std::int64_t beat = 0;
    std::int64_t taken_by = 0;  ///< 0: nobody; its own number: somebody, all of it
    bool operator==(const Row&) const = default;
  };
  /// Before a sign is sent. By both clocks: the steady one stands still while a machine is
  /// suspended, and its others do not; a wall clock that is set costs a few seconds' refusals.
  struct Moment {
    TimePoint steady;
    std::int64_t wall_ns;
  };
  struct Seen {
    Row row;
    TimePoint since;
  };
  Result<bool> apply(const vigia::cassandra::PreparedStatement& statement,
                     const vigia::cassandra::BoundCells& cells);
  Result<void> beat_locked();
  Result<void> find_out();
  bool is_of_this_run(std::int64_t beat) const;
  bool is_own(std::uint64_t number) const;
  Result<std::optional<Row>> read(std::uint64_t number);
  Result<std::map<std::uint64_t, Row>> read_all();
  Result<void> enroll();
  void pass_number();
  void begin_leaving();
  Result<void> finish_leaving();
  Moment now() const { return {clock_.steady(), clock_.wall_ns()}; }
  void begin_term(std::uint64_t number, std::int64_t beat);
  bool is_silent(std::uint64_t number) const;
  static bool is_settled(std::uint64_t number, const Row& row);
  Result<bool> claim(std::uint64_t number, const Row& seen, std::uint64_t own);

  vigia::cassandra::Session& session_;
  const Clock& clock_;
  const Duration length_;
  const std::int64_t run_;  ///< the upper half of what it counts with
  Statement enroll_;
  Statement beat_;
  Statement read_;
  Statement read_all_;
  Statement claim_;
  Statement forget_;
  std::map<std::uint64_t, Seen> seen_;  // of claim_gone

  std::mutex beat_mutex_;  // of whoever asks in this instance's own row; guards the four below
  std::uint64_t number_;
  std::int64_t beats_ = 0;
  bool is_enrolled_ = false;
  std::optional<std::uint64_t> left_;  // being left

  mutable std::mutex mutex_;
  LeaseTerm term_;
  std::optional<Moment> beaten_;
};

}  // namespace vigia::storage::store::cassandra
