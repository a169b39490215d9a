// What is known of the roll-ups that a store holds: from when on they are whole.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/model/ids.hpp"
#include "libs/model/resolution.hpp"
#include "services/storage/store/due_days.hpp"

namespace vigia::storage::rolling {

inline constexpr std::array<Resolution, 3> kRolledUp = {Resolution::kFiveMinutes, Resolution::kHour,
                                                        Resolution::kDay};

/// By kRolledUp: from which day on windows are stored, where they are not due; nothing: of that
/// resolution none are.
using MadeFrom = std::array<std::optional<std::uint32_t>, 3>;

/// Of one customer, where it differs from what is so of all.
struct OwnDays {
  std::uint32_t raw_gone_day = 0;
  MadeFrom made_from;
  bool operator==(const OwnDays&) const = default;
};

/// Days are windows' (store::window_day_of).
struct RollupNote {
  /// Raw samples of days up to this one may be gone; those of all later days are there.
  std::uint32_t raw_gone_day = 0;
  /// Every raw row that lies in the store has been marked since the roll-ups that there are were
  /// begun: a day of which raw is there and that is not marked has all its windows stored.
  bool is_marked = false;
  /// RollerSources::damage, as it was when rows were last taken to be whole.
  std::uint64_t damage = 0;
  MadeFrom made_from;
  /// Of customers of whom the two days are others, since their raw is kept longer or shorter.
  std::map<CustomerId, OwnDays> own;

  OwnDays days_of(const CustomerId& customer) const;
  /// As that customer has it: own is empty.
  RollupNote of(const CustomerId& customer) const;
  /// REQUIRES: not raw.
  std::optional<std::uint32_t> made_from_day(Resolution resolution) const;
};

/// Bytes of a note: docs/formats/cold-store.md.
std::string write_note(const RollupNote& note);
/// Nothing for what is none.
std::optional<RollupNote> read_note(std::string_view bytes);

using CustomerDays = std::map<CustomerId, std::uint32_t>;

/// By kRolledUp: which are made.
using MadeResolutions = std::array<bool, 3>;

/// Keeps the note in the store and at hand. Of processes that share a store each goes on from what
/// lies there; of two changes within one moment one may be missing until it is made again, which
/// every sweep and walk does. Thread contract: any thread.
class RollupBook {
  struct Key {};  // only open makes one

 public:
  /// `due_days` must outlive it. A resolution that is made no more is forgotten: were it made again
  /// later, days between would be missing. The store's errors.
  static Result<std::unique_ptr<RollupBook>> open(store::DueDays& due_days,
                                                  const MadeResolutions& made);
  RollupBook(Key /*key*/, store::DueDays& due_days, const MadeResolutions& made)
      : due_days_(due_days), made_(made) {}

  /// What other processes that share the store have noted meanwhile; a day that raw is gone of
  /// never goes back. What cannot be read leaves what is known.
  Result<void> refresh();
  RollupNote note() const;
  RollupNote note(const CustomerId& customer) const;
  const MadeResolutions& made() const { return made_; }
  /// Before raw samples of days up to this one go, of those whom `own` names up to theirs. No day
  /// ever goes back, whoever is named or not.
  Result<void> set_raw_gone(std::uint32_t day, const CustomerDays& own = {});
  /// All raw rows are marked: what is made and was not yet is there from that day on, of those whom
  /// `own` names from theirs.
  Result<void> set_marked(std::uint32_t made_from_day, const CustomerDays& own = {});
  /// Rows may have been lost: whatever raw there is, has to be marked once more.
  Result<void> forget_marks();
  /// Likewise, and by which damage: over a restart it is not taken for a new one.
  Result<void> forget_marks(std::uint64_t damage);

 private:
  Result<void> refresh_alone();
  Result<void> change(const RollupNote& note);

  store::DueDays& due_days_;
  const MadeResolutions made_;
  std::mutex change_mutex_;  // held while one is written
  mutable std::mutex mutex_;
  RollupNote note_;
};

}  // namespace vigia::storage::rolling
