// Brings rules and Alertmanager's configuration to where they are read, and makes the readers load
// them.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/alerting/alertmanager_config.hpp"
#include "services/monitor/alerting/channel_addresses.hpp"
#include "services/monitor/alerting/reloaded_file.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::alerting {

struct PublisherSettings {
  std::vector<Target> targets;  ///< each loaded on its own, with what it renders at that time
  std::string alertmanager_url;
  std::string alertmanager_file;  ///< "" to leave it alone
  ProviderReceivers provider;
  MailServer mail;
  ChannelRelay hooks;
  std::string portal_url;  ///< what messages link to; "" for no links
};

/// What a publisher works with; all of it outlives the publisher.
struct PublisherParts {
  store::Database& database;
  net::Client& client;
  const Clock& clock;
  service::MetricRegistry& metrics;
  const ChannelAddresses& addresses;
};

/// A channel is written only when our own check takes it; one that Alertmanager refuses all the
/// same is found by trying (channel_selection.hpp) and left out. Which channels are active, and why
/// one is not, stands in the database. A reader that does not answer is asked again every 5 s, one
/// that refuses the file without any channel every minute. Thread contract: `wake` from any thread;
/// one thread of its own does the work.
class AlertingPublisher {
 public:
  AlertingPublisher(const PublisherParts& parts, PublisherSettings settings);
  ~AlertingPublisher();
  AlertingPublisher(const AlertingPublisher&) = delete;
  AlertingPublisher& operator=(const AlertingPublisher&) = delete;

  /// Writes what is known to be good; the thread then goes on. kUnavailable where a file cannot be
  /// written.
  Result<void> start();
  /// Channels have changed.
  void wake();

 private:
  /// How long to wait for a change before the next round; nothing where all is done.
  using Pause = std::optional<Duration>;
  struct Plan {
    std::vector<channels::ChannelRow> proven;
    std::vector<channels::ChannelRow> fresh;
    std::vector<channels::ChannelRow> unfit;  ///< with their reasons
    std::vector<channels::ChannelRow> kept;   ///< refused earlier, not tried now
  };
  void run();
  Pause publish();
  Pause publish_target(ReloadedFile& file);
  Pause publish_channels();
  /// `tries_again`: also those that Alertmanager has refused.
  Result<Plan> plan_channels(bool tries_again);
  /// Why our own checks keep a channel out; "" where they do not.
  std::string unfit_reason(const channels::ChannelRow& channel) const;
  Verdict attempt(const std::vector<channels::ChannelRow>& channels);
  /// Writes down what has changed.
  Result<void> note(const std::vector<channels::ChannelRow>& channels, channels::ChannelState state,
                    const std::string& reason);
  Result<void> note_all(const Plan& plan, const ChannelSelection& found);
  std::string render(const std::vector<channels::ChannelRow>& channels) const;

  store::Database& database_;
  const Clock& clock_;
  const ChannelAddresses& addresses_;
  const PublisherSettings settings_;
  service::Counter& failures_;
  service::Counter& reloads_;
  service::Gauge& not_active_;
  std::vector<ReloadedFile> targets_;         ///< the thread's own, like all down to mutex_
  std::optional<ReloadedFile> alertmanager_;  ///< nothing where its file is left alone
  std::optional<TimePoint> retried_;          ///< when what was refused was tried again last

  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_changed_ = false;  ///< guarded by mutex_
  bool is_ending_ = false;   ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace vigia::monitor::alerting
