// The snapshot of customers, tokens and limits that collector and router live by: the content of
// customers.yaml as JSON, with an ETag, answered when it changes.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "libs/base/clock.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor {

/// Writes the document. `own_token_sha256`: the monitor's own operator token, which exists in
/// memory only.
Result<std::string> write_snapshot(const std::string& own_token_sha256, Connection& connection);

/// Thread contract: any thread. `refresh` blocks on the database; the rest does not. A thread of
/// its own refreshes every few seconds too: another instance may share the database.
class Snapshot {
 public:
  Snapshot(Database& database, std::string own_token_sha256, const Clock& clock,
           service::MetricRegistry& metrics);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// Builds the document anew; where it differs, everybody who waits gets it at once.
  Result<void> refresh();
  /// The first refresh, and the thread that goes on.
  Result<void> start();
  /// The document; 304 where `if_none_match` is the current ETag: at once, or with `wait` > 0 as
  /// soon as it changes or the time is over. 503 before the first refresh.
  void answer(const std::string& if_none_match, Duration wait, net::Responder responder);
  /// Answers who waits, and from now on nobody does: a server that stops lets every request end.
  /// Safe twice; from the thread that destroys it.
  void end();

 private:
  struct Waiter {
    net::Responder responder;
    TimePoint deadline;
  };
  void run();
  bool release_waiters();          ///< true at the end
  net::Response document() const;  ///< REQUIRES: mutex_ held

  Database& database_;
  const std::string own_token_sha256_;
  const Clock& clock_;
  service::Gauge& waiting_;
  service::Counter& changes_;

  std::mutex refresh_mutex_;  ///< one refresh at a time, so that an older one never wins
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string body_;
  std::string etag_;
  std::list<Waiter> waiters_;
  bool is_ending_ = false;
  std::thread thread_;  ///< refreshes, and answers those whose time is over
};

}  // namespace vigia::monitor
