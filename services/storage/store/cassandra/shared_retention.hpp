// For how long each instance of a keyspace keeps what of whom: it should be the same for all. Where
// it is not, nothing is removed before the longest of them.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/store/cassandra/keep_times.hpp"
#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Thread contract: any thread; `look` one at a time.
class SharedRetention {
 public:
  /// All must outlive it. `number`: as InstanceLease's; of its further numbers, which an instance
  /// may have had, nothing is read.
  SharedRetention(vigia::cassandra::Session& session, const Clock& clock, std::uint64_t number,
                  const KeepTimes& own);
  Result<void> prepare(Preparation& preparation);

  /// Notes this instance's, reads what all others have noted within two days, and says where they
  /// differ. Once a minute, or each time while there is more to note; in between it does nothing.
  /// Waits some seconds at most.
  void look();
  /// The time before which this instance would remove data of that kind of a customer's, or an
  /// earlier one: before which nobody keeps any. 0, which removes nothing, where somebody keeps
  /// them for ever, and while it is not known what the others keep. "index": of all chunks, by what
  /// is kept longest.
  TimestampMs held_back(const CustomerId& customer, std::string_view kind,
                        TimestampMs before_ms) const;
  /// Of all whom nobody keeps otherwise than all others.
  TimestampMs held_back(std::string_view kind, TimestampMs before_ms) const;
  /// Adds whom others keep otherwise.
  void add_customers(std::set<std::string>& customers) const;
  /// Whether another one that has lived within two days keeps something for another time.
  bool differs() const;

 private:
  using CustomersKept = std::map<std::string, KeptByKind, std::less<>>;
  struct Other {
    KeptByKind all;
    std::int64_t digest = 0;
    CustomersKept own;
  };
  struct Difference {
    std::uint64_t instance;
    std::string customer;  // "": of all
    std::string kind;
    Duration here;
    Duration there;
  };
  static std::int64_t digest_of(const CustomersKept& kept);
  static TimestampMs held_by(const KeptByKind& here, const KeptByKind& there, std::string_view kind,
                             TimestampMs before_ms);
  CustomersKept own_customers() const;
  void tell_longer(const CustomersKept& kept) const;
  Result<bool> note();
  Result<void> note_customers();
  Result<void> read();
  Result<void> read_customers(std::uint64_t instance, Other& other) const;
  std::optional<Difference> difference(const std::map<std::uint64_t, Other>& others) const;
  static void tell(const Difference& one);

  vigia::cassandra::Session& session_;
  const Clock& clock_;
  const std::uint64_t number_;
  const KeepTimes& own_;
  Statement write_;
  Statement read_;
  Statement write_customer_;
  Statement read_customers_;
  // Of `look` alone.
  CustomersKept noting_;      // this instance's, as they are noted
  bool is_noting_ = false;    // false: nothing was noted yet
  std::int64_t digest_ = 0;   // of these
  std::size_t noted_ = 0;     // how many of them are
  TimePoint note_again_{};    // rows end
  mutable std::mutex mutex_;  // guards what follows
  TimePoint next_look_{};
  bool is_known_ = false;
  bool differs_ = false;
  std::map<std::uint64_t, Other> others_;  // by instance
};

}  // namespace vigia::storage::store::cassandra
