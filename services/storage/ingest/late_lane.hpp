// A thread for samples on which only the store can decide, so that a disk read never holds up those
// on which memory can.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/base/task.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/heads/head_set.hpp"
#include "services/storage/ingest/owed_work.hpp"
#include "services/storage/lanes/customer_lanes.hpp"
#include "services/storage/lanes/customer_shares.hpp"

namespace vigia::storage::ingest {

/// The lane in which a customer's samples wait.
std::string lane_of(customers::CustomerNumber customer);

/// Customers take turns, some hundred samples at a time; those of one customer stay in order. What
/// is handed on is logged by then, so that nothing is refused here for want of room: who logs asks
/// before, and holds a share of what is under way until it is answered.
/// Thread contract: any thread; stop and the destructor as CustomerLanes.
class LateLane {
 public:
  /// `bytes_max`: of samples that wait, all customers together. `heads` must outlive it.
  LateLane(heads::HeadSet& heads, std::size_t bytes_max);

  /// An error, retryable, where the customer's share of what may wait is used up.
  Result<void> check(const std::string& lane) const;

  using Done = Task<void(Result<heads::AppendCounts>)>;
  /// Calls `done` once, when all of it is in the heads, or with the first error (kInternal where a
  /// fault of ours kept a part out, also one that it throws): then some of it may be, the rest is
  /// owed (OwedWork), and repeating is right.
  void submit(std::vector<heads::StoreWork> work, Done done);
  /// Of what is not in the heads yet; kNoEpoch for nothing.
  heads::Epoch oldest() const;
  std::size_t items() const;
  const OwedWork& owed() const { return owed_; }
  /// OwedWork::let_go.
  void let_go(heads::Epoch oldest) { owed_.let_go(oldest); }
  void stop() { lanes_.stop(TimePoint::max()); }
  void set_short(bool is_short) { bytes_.set_short(is_short); }

 private:
  struct Request;  // what its parts have in common
  struct Waiting;  // that a part counts among items_
  void hold(const std::vector<heads::StoreWork>& work, Request& request);
  void submit_part(std::vector<heads::StoreWork> part, const std::shared_ptr<Request>& request);
  Result<heads::AppendCounts> append(std::vector<heads::StoreWork>& part);
  void forget(heads::Epoch epoch, std::size_t items);

  mutable std::mutex mutex_;
  std::map<heads::Epoch, std::size_t> items_;  // that wait or are worked on
  OwedWork owed_;                              // of the lanes' one thread
  lanes::CustomerShares bytes_;                // before the lanes, whose jobs hold shares of it
  lanes::CustomerLanes lanes_;
};

}  // namespace vigia::storage::ingest
