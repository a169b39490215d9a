// How telling each channel went last, for whoever owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "libs/base/clock.hpp"
#include "services/monitor/channels/channels.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::channels {

/// Webhooks and Slack channels are told through here, so each answer is known
/// (internal_port/channel_hooks.hpp); of mails Alertmanager's counters tell (mail_outcomes.hpp).
/// What is
/// new is in memory at once and in the database soon: a channel's row is written again after a
/// minute at the earliest, or where what happened is of another kind than before. Thread contract:
/// any thread; `keep` blocks on the database.
class ChannelOutcomes {
 public:
  ChannelOutcomes(store::Database& database, const Clock& clock)
      : database_(database), clock_(clock) {}

  void note_delivered(const CustomerId& customer, const std::string& channel_id);
  /// `failure`: a sentence for the channel's owner, without addresses and secrets.
  void note_failed(const CustomerId& customer, const std::string& channel_id, std::string failure);
  /// What is known of a channel that was read from the database.
  ChannelOutcome newest(const ChannelRow& channel) const;
  /// Writes what is due, kOutcomesKeptAtOnce rows at most. What cannot be written stays due.
  Result<void> keep();

 private:
  struct Known {
    ChannelOutcome outcome;
    ChannelOutcome written;
    TimePoint written_at{};
  };
  using Key = std::pair<CustomerId, std::string>;
  void note(const CustomerId& customer, const std::string& channel_id,
            const std::function<void(ChannelOutcome&)>& change);
  bool is_due(const Known& known) const;

  store::Database& database_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<Key, Known> known_;  ///< guarded by mutex_; kOutcomesMax at most
};

}  // namespace vigia::monitor::channels
