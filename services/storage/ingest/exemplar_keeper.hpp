// Exemplars on their way to the store: a thread that syncs those of many requests at once.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "services/storage/ingest/gathered_work.hpp"
#include "services/storage/store/exemplars.hpp"

namespace vigia::storage::ingest {

/// What of a request is one customer's.
struct OwnedExemplars {
  CustomerId customer;
  std::vector<store::NewExemplar> exemplars;
};

struct ExemplarKeeperStats {
  std::uint64_t written = 0;  ///< on disk; repeats included
  std::uint64_t limited = 0;  ///< past what their customer may have kept
  std::uint64_t failed = 0;   ///< the store refused them, or too many were under way
};

/// An exemplar takes some sixty times the disk of a sample, and nobody needs all of them: of each
/// customer so many are kept a minute, and as many more at once where there were none before; the
/// rest is counted and let go. What the store refuses is let go too: the samples beside it are kept
/// by then. Thread contract: keep and stats from any thread; stop and the destructor from one.
class ExemplarKeeper {
 public:
  /// Once, on the keeper's thread or the caller's; how many are on disk. Must not block. A fault of
  /// ours on the way may let it go uncalled: whoever waits is answered by its destruction, too.
  using Done = Task<void(std::uint64_t written)>;

  /// `store` and `clock` must outlive it.
  ExemplarKeeper(store::ExemplarStore& store, const Clock& clock, std::uint64_t per_minute);
  ExemplarKeeper(const ExemplarKeeper&) = delete;
  ExemplarKeeper& operator=(const ExemplarKeeper&) = delete;
  void keep(std::vector<OwnedExemplars> exemplars, Done done);
  ExemplarKeeperStats stats() const;
  /// Ends what is under way; what comes later is not kept. Safe twice.
  void stop() { work_.stop(); }

 private:
  struct Item {
    std::vector<OwnedExemplars> exemplars;
    Done done;
    std::uint64_t written = 0;
  };
  struct Allowance {
    double left = 0;
    TimePoint as_of{};
  };

  void admit(std::vector<OwnedExemplars>& exemplars);
  Allowance& allowance_of(const CustomerId& customer);
  void forget_idle();
  void work(std::vector<Item>& items);
  void write(std::vector<Item>& items);
  Result<void> put(Item& item);

  store::ExemplarStore& store_;
  const Clock& clock_;
  const double per_minute_;

  mutable std::mutex mutex_;
  std::map<CustomerId, Allowance> allowances_;
  TimePoint next_forgetting_{};
  std::size_t waiting_ = 0;  // exemplars that nobody is at yet
  ExemplarKeeperStats stats_;
  GatheredWork<Item> work_;  // last: its thread uses the rest
};

}  // namespace vigia::storage::ingest
