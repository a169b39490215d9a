// Log-ins and log-outs in the audit log, which is never cut: so that no repeating can fill it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::sessions {

struct SessionEvent {
  std::string action;  ///< "session.refused", "session.open", "session.close"
  std::string user;
  std::optional<CustomerId> customer;  ///< nothing: an operator's, or not known who it is
  std::string address;
};

/// The first of an action, user and address is an entry at once; repeats within ten minutes are
/// counted and written as one entry when these are over ("times=37 since=…"). What finds no room
/// among the kinds of its group is one entry of that group. The groups: all that is refused
/// (kRefusedKindsMax), each customer's, and the operators' (kSessionKindsMax, of one user
/// kSessionKindsOfUserMax). So ten minutes add 2 × kinds + 1 entries of a group at most, whoever
/// repeats what and how fast; a kill -9 loses what was only counted. Thread contract: any thread
/// but an event loop; calls block on the database, is_entry alone does not.
class SessionNotes {
 public:
  SessionNotes(store::Database& database, const Clock& clock)
      : database_(database), clock_(clock) {}
  /// True where the caller has to append `entry_of` this event, in the transaction of what it
  /// notes; false where it was counted.
  bool is_entry(const SessionEvent& event);
  store::AuditEntry entry_of(const SessionEvent& event) const;
  /// Appends or counts.
  Result<void> note(const SessionEvent& event);
  /// Writes what the last ten minutes have counted, once they are over. Call it now and then.
  Result<void> flush();
  /// The same at once: the program ends.
  Result<void> flush_now();

 private:
  struct Repeats {
    SessionEvent event;  ///< the first, its address with its port
    std::int64_t first_ms = 0;
    std::uint64_t more = 0;
  };
  struct Group {
    /// By action, user and caller_key.
    std::map<std::tuple<std::string, std::string, std::string>, Repeats> kinds;
    std::map<std::string, std::size_t> kinds_of_user;
    Repeats rest;
  };
  using Groups = std::map<std::string, Group>;
  Result<void> write(const Groups& groups);

  store::Database& database_;
  const Clock& clock_;
  std::mutex mutex_;
  Groups groups_;         ///< guarded by mutex_, like all below
  TimePoint window_end_;  ///< of what is counted; meaningless while nothing is
};

}  // namespace vigia::monitor::sessions
