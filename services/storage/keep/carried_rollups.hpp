// Which roll-ups of a customer another store is given, and what it has to know of them.
#pragma once

#include <cstdint>

#include "services/storage/keep/copy_kept.hpp"
#include "services/storage/rolling/rollup_book.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

/// Days are windows' (store::window_day_of).
struct CarriedRollups {
  /// By rolling::kRolledUp: from which day on; nothing: none of that resolution go.
  rolling::MadeFrom from;
  /// Up to this day samples are not whole in the source, or do not go: the other store has no other
  /// roll-ups of these days than those that it is given.
  std::uint32_t raw_gone_day = 0;

  bool is_any() const { return first_day() != UINT32_MAX; }
  /// Of any resolution; UINT32_MAX: none go.
  std::uint32_t first_day() const;
};

/// What the store knows of its roll-ups; nothing of one that makes none. kCorrupt where it cannot
/// be read: a start mends that.
Result<rolling::RollupNote> read_rollup_note(store::ColdStore& store);

/// `note`: that of the store from which they go, of the customer. None go to a store that marks no
/// days: it makes all of samples.
CarriedRollups carried_rollups(const rolling::RollupNote& note, const CopyKept& kept,
                               store::ColdStore& to);

/// Has the other store know of them, on disk when it returns; before any sample goes, so that it
/// makes nothing of days that are not whole. Of a customer of whom it has roll-ups, or samples,
/// already the later days count: nothing then looks as if it were there that is not. The store's
/// errors.
Result<void> note_carried(store::ColdStore& to, const CustomerId& customer,
                          const CarriedRollups& carried);

/// What a store knows of this customer's roll-ups alone goes: his name is not left in the note. A
/// note that cannot be read goes as a whole, which a start takes as it takes that one.
Result<void> forget_carried(store::ColdStore& store, const CustomerId& customer);

}  // namespace vigia::storage::keep
