// Tells the provider what Prometheus cannot tell, because it is itself what is missing.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/alerting/posted_alerts.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::alerting {

/// A hot store; of a pair each member, under one name.
struct WatchedShard {
  std::string name;  ///< "hot-0"
  std::string url;
  bool has_our_rules = true;  ///< the alert Watchdog is among its rules
};

struct WatchdogSettings {
  std::string alertmanager_url;  ///< "" for none: nothing is watched then
  std::string provider_webhook;  ///< "" for none
  std::vector<WatchedShard> shards;
  Duration hold = std::chrono::minutes(1);  ///< how long something is away before it is told
  /// How long Alertmanager may hear nothing of a hot store that is there. More than Prometheus'
  /// resend delay (1 min) and the rules' interval.
  Duration silence_max = std::chrono::minutes(3);
};

/// Looks every 5 s at each hot store and at what Alertmanager has of it. Four alerts, none of
/// which has a customer: HotStoreDown (nobody evaluates rules), HotStoreMemberDown (a warning: of a
/// pair one is away, and the other does all), RulesNotEvaluated (the store is there, yet its alert
/// Watchdog, which always stands, no longer arrives), all posted to Alertmanager; AlertmanagerDown
/// goes to the provider's webhook itself, and so do the others while Alertmanager is away. While a
/// hot store is away, the alerts of its customers are kept alive: their end would be told as a
/// cure. Thread contract: start and stop from one thread; one thread of its own looks.
class Watchdog {
 public:
  Watchdog(store::Database& database, net::Client& client, const Clock& clock,
           service::MetricRegistry& metrics, WatchdogSettings settings);
  ~Watchdog() { stop(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void start();
  /// Ends the thread; what was told stays told. Safe twice.
  void stop();
  /// One look, at once. Called by the thread; a test calls it instead of starting the thread.
  void look();

 private:
  /// Something that is wrong, or was.
  struct Outage {
    std::string alert;
    std::string shard;   ///< "" where it is no shard's
    std::string member;  ///< the address of a pair's member; "" where it is not one of a pair's
    Duration hold;
    std::optional<TimePoint> since = {};  ///< nothing while all is well
    std::int64_t since_ms = 0;
    bool is_due = false;                 ///< it has lasted as long as it may
    std::optional<TimePoint> told = {};  ///< to the webhook
  };
  struct Member {
    std::string url;
    Outage down;  ///< while the other one is there
  };
  struct Shard {
    std::string name;
    bool has_our_rules = true;
    std::vector<Member> members = {};
    Outage down;  ///< all of it
    Outage silent;
    std::string beat = {};  ///< when Alertmanager last heard of it, as it writes it
    TimePoint beat_at = {};
  };
  using Listed = Result<std::vector<PostedAlert>>;

  void run();
  void watch(const WatchedShard& store);
  bool look_at_stores();  ///< true where of each shard somebody is there
  bool look_at(Shard& shard);
  void look_at_beats(const Listed& listed);
  void note(Outage& outage, bool is_wrong);
  void tell_alertmanager(const std::vector<PostedAlert>& listed);
  void tell_webhook(Outage& outage, bool is_alertmanager_there);
  /// Those that must not seem to end.
  std::vector<PostedAlert> kept_alive(const std::vector<PostedAlert>& listed);
  bool is_of_lost_store(const PostedAlert& alert, const std::vector<CustomerId>& others) const;
  PostedAlert alert_of(const Outage& outage) const;
  std::vector<Outage*> outages();

  store::Database& database_;
  net::Client& client_;
  const Clock& clock_;
  const WatchdogSettings settings_;
  service::Gauge& due_;
  service::Counter& failures_;
  std::vector<Shard> shards_;  ///< the looking thread's, like all down to here
  Outage alertmanager_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;  ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace vigia::monitor::alerting
