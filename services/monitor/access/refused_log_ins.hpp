// Refused log-ins in the audit log, which is never cut: so that guessing cannot fill it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "libs/base/clock.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor {

/// The first of a user and address is written at once; repeats within ten minutes are counted and
/// written as one entry when these are over ("times=37 since=…"). Of more than
/// kRefusedKindsMax users and addresses in ten minutes the rest is one entry. So ten minutes add
/// 2 × kRefusedKindsMax + 1 entries at most, whoever guesses and how fast.
/// Thread contract: any thread but an event loop; calls block on the database.
class RefusedLogIns {
 public:
  RefusedLogIns(Database& database, const Clock& clock) : database_(database), clock_(clock) {}
  Result<void> note(const std::string& user, const std::string& address);
  /// Writes what the last ten minutes have counted, once they are over. Call it now and then.
  Result<void> flush();
  /// The same at once: the program ends.
  Result<void> flush_now();

 private:
  struct Repeats {
    std::string user;
    std::string address;  ///< of the first, with its port
    std::int64_t first_ms = 0;
    std::uint64_t more = 0;
  };
  using Counts = std::map<std::pair<std::string, std::string>, Repeats>;
  Result<void> write(const Counts& counts, const Repeats& rest);

  Database& database_;
  const Clock& clock_;
  std::mutex mutex_;
  Counts counts_;         ///< guarded by mutex_, like all below; by user and caller_key
  Repeats rest_;          ///< of everybody for whom there was no room
  TimePoint window_end_;  ///< of what is counted; meaningless while nothing is
};

}  // namespace vigia::monitor
