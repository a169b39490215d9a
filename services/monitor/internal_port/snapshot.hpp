// The snapshot of customers, tokens and limits that collector and router live by: the content of
// customers.yaml as JSON, with an ETag, answered when it changes. The last good one is kept on disk
// and served while the database is in doubt.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "libs/base/clock.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "libs/tenancy/kept_directory.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::internal_port {

/// Writes the document (docs/formats/kept-directory.md), all of it from one moment of the database.
/// A customer whose row cannot be read stands there as in `good`, with those of its tokens that
/// `good` knows: what it sends must not be refused for a row, nor its change keep the others' back.
Result<std::string> write_snapshot(store::DatabaseConnection& connection,
                                   const tenancy::Directory* good = nullptr);

/// Thread contract: any thread. `refresh` blocks on the database; the rest does not. A thread of
/// its own refreshes every few seconds too: another instance may share the database.
class Snapshot {
 public:
  Snapshot(store::Database& database, std::string own_token_sha256, const Clock& clock,
           service::MetricRegistry& metrics);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// Builds the document anew; where it differs, everybody who waits gets it at once. One that goes
  /// back, changes without a new revision, or loses a customer that nobody removed, is not served:
  /// the database is in doubt then, and while it is the last good document stays.
  Result<void> refresh();
  /// Reads the kept document; the first refresh, and the thread that goes on.
  Result<void> start();
  /// The document that is served, without the own token; "" before there is one.
  std::string current() const;
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
  void load_kept();
  void keep(const std::string& document);
  void serve(const std::string& document);
  bool release_waiters();          ///< true at the end
  net::Response document() const;  ///< REQUIRES: mutex_ held

  store::Database& database_;
  const std::string own_token_sha256_;
  const Clock& clock_;
  std::optional<tenancy::KeptFile> kept_file_;  ///< where the database has a folder for it
  service::Gauge& waiting_;
  service::Counter& changes_;
  service::Counter& keep_failures_;

  std::mutex refresh_mutex_;  ///< one refresh at a time, so that an older one never wins
  std::optional<tenancy::Directory::ReadDocument>
      good_;             ///< what is served; guarded by refresh_mutex_
  bool is_kept_ = true;  ///< on disk; guarded by refresh_mutex_
  mutable std::mutex mutex_;
  std::string document_;
  std::condition_variable wake_;
  std::shared_ptr<const std::string> body_;  ///< shared with the answers that are under way
  std::string etag_;
  std::list<Waiter> waiters_;
  bool is_ending_ = false;
  std::thread thread_;  ///< refreshes, and answers those whose time is over
};

}  // namespace vigia::monitor::internal_port
