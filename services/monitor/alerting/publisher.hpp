// Brings rules and Alertmanager's configuration to where they are read, and makes the readers load
// them.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/alerting/alertmanager_config.hpp"
#include "services/monitor/alerting/rules.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor {

struct RuleDestination {
  std::string shard;
  std::string url;        ///< of its Prometheus
  std::string directory;  ///< "" where its rules are kept by somebody else
};

struct PublisherSettings {
  RuleSettings rules;
  std::vector<RuleDestination> destinations;
  std::string alertmanager_url;
  std::string alertmanager_file;  ///< "" to leave it alone
  std::string provider_webhook;
  MailServer mail;
};

/// A file is written beside and renamed; where the reader refuses the new content, the old comes
/// back and the refusal is logged and counted. A reader that does not answer is asked again every
/// 5 s. Thread contract: `wake` from any thread; one thread of its own does the work.
class AlertingPublisher {
 public:
  AlertingPublisher(Database& database, net::Client& client, service::MetricRegistry& metrics,
                    PublisherSettings settings);
  ~AlertingPublisher();
  AlertingPublisher(const AlertingPublisher&) = delete;
  AlertingPublisher& operator=(const AlertingPublisher&) = delete;

  /// Writes what can be written now; the thread then goes on. kUnavailable where a file cannot be
  /// written.
  Result<void> start();
  /// Channels have changed.
  void wake();

 private:
  struct Target {
    std::string name;
    std::string file;
    std::string reload_url;
    bool needs_reload = true;
    std::string refused;  ///< content that the reader did not take; not tried again
  };
  void run();
  Result<void> write_all();
  Result<void> write(Target& target, const std::string& content);
  /// True where nothing is left to do.
  bool reload(Target& target);

  Database& database_;
  net::Client& client_;
  const PublisherSettings settings_;
  service::Counter& failures_;
  service::Counter& reloads_;
  std::vector<Target> targets_;  ///< rules first, Alertmanager last; the thread's own

  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_changed_ = false;  ///< guarded by mutex_
  bool is_ending_ = false;   ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace vigia::monitor
