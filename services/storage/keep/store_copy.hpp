// Copies what one cold store holds into another.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "services/storage/keep/copy_clock.hpp"
#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/keep/copy_kept.hpp"
#include "services/storage/keep/store_sums.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

/// All must outlive their use.
struct CopyJob {
  store::ColdStore& from;
  store::ColdStore& to;
  CopyClock& to_clock;                ///< that of `to`
  std::vector<CustomerId> customers;  ///< whose, each once, by name
  /// Of each the same every time; empty: `to` keeps everything.
  std::function<CopyKept(const CustomerId&)> kept;
  std::string state_file;  ///< "": it begins at the beginning
  std::string name;        ///< one line, by which the state file is told from another copy's

  CopyKept kept_of(const CustomerId& customer) const {
    return kept == nullptr ? CopyKept() : kept(customer);
  }
};

struct CopyTold {
  std::function<void(const std::string& what)> progress;
  SayDamage damage;
};

/// A customer after the other, his metadata, samples, exemplars, spans, log records and roll-ups,
/// day by day; how far it is stands in the state file after each day that has any. The same again
/// copies nothing twice. Waits for a store that refuses, ten minutes at most. The counts are this
/// run's. Errors: CopyState's; the stores', kDeadline for one that refused too long. Thread
/// contract: one thread.
Result<CopyCounts> copy_store(const CopyJob& job, const CopyTold& told);

/// A customer's day of one kind, in both stores.
struct ComparedDay {
  const CustomerId& customer;
  /// "samples", "5m roll-ups" and so on, "exemplars", "metadata", "spans", "log records".
  std::string_view kind;
  std::uint32_t day = 0;
  DaySum from = {};
  DaySum to = {};
};
/// Reads both stores, from the days on from which `to` keeps a customer's things, and tells of each
/// day that has anything in either. Whether all that was compared is equal. Roll-ups are compared
/// of the days that are not whole in samples: the others' are what these make. Spans, of a store
/// that gives them by trace alone, are compared by the traces that have any on the day; where
/// `from` is such a store not at all, and where either keeps no exemplars, or no metadata, these
/// are not: who calls says so. What cannot be read both may lack: items_left_out().
Result<bool> compare_stores(const CopyJob& job, const CopyTold& told,
                            const std::function<void(const ComparedDay&)>& visit);

}  // namespace vigia::storage::keep
