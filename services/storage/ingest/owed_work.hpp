// Late samples that were logged and then refused, as the store did not answer: the log still has
// them, and would give them back after a kill.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "services/storage/heads/head_set.hpp"
#include "services/storage/lanes/customer_shares.hpp"

namespace vigia::storage::ingest {

struct OwedStats {
  std::uint64_t items = 0;      ///< samples that are owed
  std::uint64_t forgotten = 0;  ///< since the start, for want of room
};

/// A replay takes what was refused before what was acknowledged after it. So the same is done here:
/// what is owed of a series is appended before whatever comes after it, and of two values of one
/// time the same one stays, killed or not. Owed no more is what the log has let go; what has not
/// been taken for kOwedFor; and what its customer has no room for: that alone may win once more
/// after a kill. Thread contract: append and owe from one thread, the rest from any.
class OwedWork {
 public:
  static constexpr heads::Epoch kOwedFor = 30;  ///< in minutes

  /// `heads` must outlive it.
  OwedWork(heads::HeadSet& heads, std::size_t bytes_max);

  /// What is owed of its series, then the work. On an error the work is owed, too.
  Result<heads::AppendCounts> append(heads::StoreWork work);
  void owe(heads::StoreWork work);
  /// What is of an older epoch than `oldest` of the call before: the log had let it go by then, and
  /// has noted that by now.
  void let_go(heads::Epoch oldest);

  OwedStats stats() const;

 private:
  struct Entry {  // a series'
    explicit Entry(lanes::CustomerShares& shares, const std::string& lane) : held(shares, lane) {}
    void recount();
    void erase_before(heads::Epoch oldest);

    std::vector<heads::StoreWork> works;
    std::set<TimestampMs> times;
    std::set<TimestampMs> histogram_times;
    std::size_t bytes = 0;
    lanes::HeldShare held;
  };
  void add(heads::StoreWork work);
  Result<void> settle(const heads::StoreWork& next);
  std::unique_ptr<Entry> take(store::SeriesId series);
  void put_back(store::SeriesId series, std::unique_ptr<Entry> entry);

  heads::HeadSet& heads_;
  lanes::CustomerShares bytes_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<Entry>> entries_;
  heads::Epoch last_oldest_ = heads::kNoEpoch;
  std::uint64_t forgotten_ = 0;
};

}  // namespace vigia::storage::ingest
