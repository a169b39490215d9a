// Looks up the host names of channels again and again: a name that was public when the channel was
// made may lead to the provider's own machines later.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "libs/base/duration.hpp"
#include "services/monitor/channels/channels.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::alerting {

/// Whoever sends checks again (internal_port/channel_hooks.hpp): this is so that a channel which
/// leads
/// nowhere is told to its owner, and not tried.
/// Thread contract: `refusal_of` from any thread; a thread of its own looks, which blocks on name
/// servers.
class ChannelAddresses {
 public:
  /// Of a URL: kInvalid where it may not be connected to; any other error is no reason against it.
  using CheckUrl = std::function<Result<void>(const std::string& url)>;

  ChannelAddresses(store::Database& database, CheckUrl check)
      : database_(database), check_(std::move(check)) {}
  ~ChannelAddresses() { stop(); }
  ChannelAddresses(const ChannelAddresses&) = delete;
  ChannelAddresses& operator=(const ChannelAddresses&) = delete;

  /// `changed` is called on the thread after a look that found something new.
  void start(Duration interval, std::function<void()> changed);
  /// Ends the thread, after the name that is being looked up. Safe twice.
  void stop();
  /// One look at all channels. True where an answer has changed. kUnavailable where the database
  /// does not answer.
  Result<bool> look();
  /// Why that channel may not be used now; "" where it may, or was not looked up yet.
  std::string refusal_of(const std::string& channel_id) const;

 private:
  void run(Duration interval, const std::function<void()>& changed);
  bool is_ending() const;

  store::Database& database_;
  const CheckUrl check_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::string> refusals_;  ///< guarded by mutex_; by channel id
  bool is_ending_ = false;                       ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace vigia::monitor::alerting
