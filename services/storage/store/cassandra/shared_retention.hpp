// For how long each instance of a keyspace keeps what: it should be the same for all. Where it is
// not, nothing is removed before the longest of them.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// By kind of data, as KeptDays names it; 0: for ever.
using KeptByKind = std::map<std::string, Duration, std::less<>>;

/// Thread contract: any thread.
class SharedRetention {
 public:
  /// Session and clock must outlive it. `number`: as InstanceLease's; of its further numbers, which
  /// an instance may have had, nothing is read.
  SharedRetention(vigia::cassandra::Session& session, const Clock& clock, std::uint64_t number,
                  KeptByKind own);
  Result<void> prepare(Preparation& preparation);

  /// Notes this instance's, reads what all others have noted within two days, and says where they
  /// differ. Once a minute; in between it does nothing. Waits some seconds at most.
  void look();
  /// The time before which this instance would remove data of that kind, or an earlier one: before
  /// which nobody keeps any. 0, which removes nothing, where somebody keeps them for ever, and
  /// while it is not known what the others keep. "index": of all chunks, by what is kept longest.
  TimestampMs held_back(std::string_view kind, TimestampMs before_ms) const;
  /// Whether another one that has lived within two days keeps something for another time.
  bool differs() const;

 private:
  struct Difference {
    std::uint64_t instance;
    std::string kind;
    Duration theirs;
  };
  Result<void> note();
  Result<void> read();
  void tell(const Difference& one) const;

  vigia::cassandra::Session& session_;
  const Clock& clock_;
  const std::uint64_t number_;
  const KeptByKind own_;
  Statement write_;
  Statement read_;
  mutable std::mutex mutex_;  // guards what follows
  TimePoint next_look_{};
  bool is_known_ = false;
  bool differs_ = false;
  KeptByKind longest_;  // of the others
};

}  // namespace vigia::storage::store::cassandra
