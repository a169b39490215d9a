// Metrics' metadata on its way to the store: a thread that writes what is new.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "services/storage/ingest/gathered_work.hpp"
#include "services/storage/ingest/metadata_memory.hpp"
#include "services/storage/lanes/customer_shares.hpp"
#include "services/storage/store/metadata.hpp"

namespace vigia::storage::ingest {

/// What of a request is one customer's.
struct OwnedMetadata {
  CustomerId customer;
  std::vector<store::MetricMetadata> metrics;  ///< in the order of arrival; their days are no
                                               ///< matter
};

struct MetadataKeeperStats {
  std::uint64_t written = 0;   ///< on disk: new, changed, or noted again
  std::uint64_t repeated = 0;  ///< there already, or said again in the same request
  std::uint64_t limited = 0;   ///< their customer has as many metrics as he may
  std::uint64_t held = 0;      ///< their metric has changed as often in that minute as it may
  std::uint64_t failed = 0;    ///< the store refused them, or too many were under way
  std::uint64_t known = 0;     ///< metrics of which memory knows what is stored
};

struct MetadataKeeperSettings {
  std::size_t metrics_max = 20'000;            ///< of a customer
  std::size_t known_max = 262'144;             ///< in memory
  std::size_t waiting_bytes_max = 16U << 20U;  ///< on their way, by shares of the customers
};

/// A sender says of each metric every minute, or with each request, what it is; it is written where
/// it is new, and every some days, so that what nobody says any more can go. What is let go for now
/// is said again. Where a customer is full, what has not been said for a week makes room, once an
/// hour. Thread contract: is_stored, keep and stats from any thread; stop and the destructor from
/// one.
class MetadataKeeper {
 public:
  /// Once, on the keeper's thread or the caller's: all of it is on disk, or was let go by a bound;
  /// or the store's error, of kUnavailable where later is right. Must not block. A fault of ours on
  /// the way may let it go uncalled: whoever waits is answered by its destruction, too.
  using Done = Task<void(Result<void> kept)>;
  /// Days since 1970; asked some times a minute.
  using Today = std::function<std::uint32_t()>;

  /// `store` and `clock` must outlive it.
  MetadataKeeper(store::MetadataStore& store, const Clock& clock, Today today,
                 const MetadataKeeperSettings& settings);
  MetadataKeeper(const MetadataKeeper&) = delete;
  MetadataKeeper& operator=(const MetadataKeeper&) = delete;

  /// Whether there is nothing to keep of that. Cheap.
  bool is_stored(const CustomerId& customer, const MetadataHash& hash);
  void keep(std::vector<OwnedMetadata> metadata, Done done);
  MetadataKeeperStats stats() const;
  void set_short(bool is_short) { waiting_.set_short(is_short); }
  /// Ends what is under way; what comes later is not kept. Safe twice.
  void stop() { work_.stop(); }

 private:
  struct Item {
    std::vector<OwnedMetadata> metadata;
    Done done;
    std::vector<std::unique_ptr<lanes::HeldShare>> held;  // of each of them
    Result<void> kept;
  };

  std::uint32_t today_at(TimePoint now);
  std::uint64_t take_shares(Item& item);
  void note_failed(std::uint64_t metrics);
  void work(std::vector<Item>& items);
  void write(std::vector<Item>& items);
  Result<void> put(const OwnedMetadata& owned);
  Result<void> read_known(const CustomerId& customer);
  std::vector<store::MetricMetadata> choose(const OwnedMetadata& owned, bool& is_full);
  bool make_room(const CustomerId& customer);
  void let_go(std::vector<Item>& items, const Error& why);
  void let_go(Item& item, OwnedMetadata& owned, const Error& why);

  store::MetadataStore& store_;
  const Clock& clock_;
  const Today today_;
  lanes::CustomerShares waiting_;
  std::map<CustomerId, TimePoint> rooms_made_;  // of its thread alone: when
  const store::WorkLimit unlimited_;

  mutable std::mutex mutex_;
  MetadataMemory memory_;
  std::uint32_t day_ = 0;  // that today_ said
  TimePoint day_until_{};  // when it is asked again
  MetadataKeeperStats stats_;
  TimePoint next_log_{};
  GatheredWork<Item> work_;  // last: its thread uses the rest
};

}  // namespace vigia::storage::ingest
