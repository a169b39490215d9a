// How mails to customers went, from Alertmanager's own counters.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/monitor/alerting/mail_receivers.hpp"
#include "services/monitor/channels/channel_outcomes.hpp"

namespace vigia::monitor::alerting {

/// Tries of one receiver's mails.
struct MailCounts {
  double tried = 0;
  double failed = 0;
};

/// By receiver, of Alertmanager's /metrics: those of integration="email" that name theirs, which
/// Alertmanager 0.26 and newer do with --enable-feature=receiver-name-in-metrics.
std::map<std::string, MailCounts> read_mail_counts(std::string_view metrics);

/// What happened between two looks, `before` nothing for the first of this process: who then counts
/// mails may have sent them long ago. Counters that went back began anew.
struct MailChange {
  bool has_arrived = false;
  bool has_failed = false;
};
MailChange mail_change(const std::optional<MailCounts>& before, const MailCounts& now);

/// Notes it of those whom that receiver tells. Of several each is told of a failure, that it may be
/// another's; none is shown to have got a mail, for that may be another's too.
void note_mails(const MailReceiver& receiver, const MailChange& change,
                channels::ChannelOutcomes& outcomes);

/// Thread contract: `start` and `stop` from one thread; a thread of its own looks.
class MailOutcomes {
 public:
  /// `on_other_receivers` is called where a look finds that a customer's nodes are so many more or
  /// fewer that its channels are in other groups (mail_receivers.hpp) than at the look before.
  MailOutcomes(store::Database& database, net::Client& client, channels::ChannelOutcomes& outcomes,
               std::string alertmanager_url, std::function<void()> on_other_receivers)
      : database_(database),
        client_(client),
        outcomes_(outcomes),
        url_(std::move(alertmanager_url)),
        on_other_receivers_(std::move(on_other_receivers)) {}
  ~MailOutcomes() { stop(); }
  MailOutcomes(const MailOutcomes&) = delete;
  MailOutcomes& operator=(const MailOutcomes&) = delete;

  void start();
  void stop();
  /// One look. kUnavailable where Alertmanager or the database does not answer.
  Result<void> look();

 private:
  void run();
  void note_receivers(const std::vector<channels::ChannelRow>& channels);

  store::Database& database_;
  net::Client& client_;
  channels::ChannelOutcomes& outcomes_;
  const std::string url_;
  const std::function<void()> on_other_receivers_;
  std::map<std::string, std::string>
      receivers_;  ///< by channel, at the last look; the thread's own
  std::optional<std::map<std::string, MailCounts>> last_;  ///< the thread's own
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;  ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace vigia::monitor::alerting
