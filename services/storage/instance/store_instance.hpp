// A cold store as this process holds it: the store, and what belongs to the process and its folder
// alone. The service knows a store by this, whatever kind it is (services/storage/store_kinds.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/customers/record_times.hpp"
#include "services/storage/store/cold_store.hpp"
#include "services/storage/store/damage.hpp"
#include "services/storage/store/open_rows.hpp"
#include "services/storage/store/sharing_number.hpp"

namespace vigia::storage::store {
class CustomerRetention;
}  // namespace vigia::storage::store

namespace vigia::storage::instance {

/// Of the series that the catalog knows.
struct CatalogStats {
  std::uint64_t series = 0;         ///< ever written
  std::uint64_t memory_bytes = 0;   ///< of what is known without asking the store
  std::uint64_t rows_restored = 0;  ///< lost ones that are written anew
};

/// Requests to a second node of a cluster, since the first one did not answer.
struct SecondRequestStats {
  std::uint64_t sent = 0;
  std::uint64_t answered_first = 0;  ///< of these: before the first node
  std::uint64_t held_back = 0;       ///< not sent, since too many were under way
};

/// Calls in this order: `load`, `use_*`, the start's reads and writes, `note_used`, `start_upkeep`,
/// then any. Thread contract: until start_upkeep one thread; then any.
class StoreInstance {
 public:
  virtual ~StoreInstance() = default;

  /// Reads what the rest stands on. Waits for what passes, as a full disk. kCorrupt where another
  /// version wrote the store.
  virtual Result<void> load() = 0;
  /// REQUIRES, as all below: load.
  virtual store::ColdStore& store() = 0;
  virtual customers::CustomerNumbers& numbers() = 0;

  /// Where the others find what this instance has open, made by the first call; null where no other
  /// one shares the store. `number`: any, this folder's for ever. Waits for a store that
  /// does not answer.
  virtual Result<store::OpenRows*> open_rows(std::uint64_t /*number*/) { return nullptr; }

  /// For how long closed chunks of a customer wait for others before they are written together; 0:
  /// not at all.
  virtual Duration gathers_chunks() const { return Duration(0); }

  /// Whether another instance that shares the store has another `retention`.
  virtual bool has_other_retention() const { return false; }

  virtual SecondRequestStats second_requests() const { return {}; }

  /// The program ends: what is asked of other machines is over by then (steady time), and after it
  /// fails at once.
  virtual void end_requests_by(TimePoint /*time*/) {}

  /// By which number those who share the store know this instance; nothing where they know none for
  /// now, or nobody shares it.
  virtual std::optional<store::SharingNumber> sharing_number() const { return std::nullopt; }
  /// Of all who may have something open, this one included, as the store lists them; waits for it.
  virtual Result<std::vector<store::SharingNumber>> sharing_numbers() {
    return std::vector<store::SharingNumber>();
  }

  /// By which time spans and log records are filed; `times` must outlive it.
  virtual void use_record_times(customers::RecordTimes& times) = 0;
  /// Before which time items of the signal are taken and not stored.
  virtual void use_oldest(Signal signal,
                          std::function<TimestampMs(const CustomerId&)> oldest_ms) = 0;
  /// How long each customer's data are kept; must outlive this. A store whose rows end by
  /// themselves writes them by it.
  virtual void use_retention(const store::CustomerRetention& /*retention*/) {}
  /// What the write-ahead log and the quarantine name: neither is given to anybody new.
  virtual void note_used(store::SeriesId series, customers::CustomerNumber customer) = 0;
  /// Mending and the like, behind everything else, until this is destroyed.
  virtual void start_upkeep() = 0;
  virtual void set_short(bool is_short) = 0;
  /// A copy of what of the store lies in its folder, as it is now, in a folder that is not there
  /// yet: with every write that was durable before the call. Shares files with it, so both lie on
  /// one file system. kInvalid where the rows lie elsewhere.
  virtual Result<void> checkpoint(const std::string& /*directory*/) {
    return fail(ErrorCode::kInvalid,
                "a store whose rows lie elsewhere has no checkpoints: use what it has of its own, "
                "as `nodetool snapshot`");
  }

  /// False while writes are refused (disk full). Never blocks.
  virtual bool is_writable() const = 0;
  /// Every kind of damage that the store can find is there, also at 0.
  virtual store::DamageStats damage() const = 0;
  /// While rows of the catalog are lost and will come back: of the customer's, of anybody's where
  /// it is "".
  virtual bool lacks_rows_of(std::string_view customer) const = 0;
  virtual CatalogStats catalog_stats() const = 0;
};

}  // namespace vigia::storage::instance
