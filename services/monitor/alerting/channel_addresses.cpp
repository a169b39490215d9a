#include "services/monitor/alerting/channel_addresses.hpp"

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::monitor::alerting {

void ChannelAddresses::start(Duration interval, std::function<void()> changed) {
  thread_ = std::thread([this, interval, changed = std::move(changed)] { run(interval, changed); });
}

void ChannelAddresses::stop() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool ChannelAddresses::is_ending() const {
  const std::scoped_lock lock(mutex_);
  return is_ending_;
}

std::string ChannelAddresses::refusal_of(const std::string& channel_id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = refusals_.find(channel_id);
  return found == refusals_.end() ? std::string() : found->second;
}

Result<bool> ChannelAddresses::look() {
  auto channels = database_.read([](store::DatabaseConnection& connection) {
    return channels::list_all_channels(connection);
  });
  if (!channels) return forward(channels);
  std::map<std::string, std::string> refusals;
  for (const auto& channel : *channels) {
    // A look may last minutes where name servers do not answer; a stop must not wait for the rest
    // of it.
    if (is_ending()) return false;
    if (channel.type == "email") continue;
    const auto allowed = check_(channel.target);
    // A name server that does not answer is no reason to silence a channel, nor to trust it again.
    const bool is_known = allowed.has_value() || allowed.error().code == ErrorCode::kInvalid;
    auto refusal =
        is_known ? (allowed ? std::string() : allowed.error().message) : refusal_of(channel.id);
    if (!refusal.empty()) refusals.emplace(channel.id, std::move(refusal));
  }
  // Replaced as a whole, so that a channel which was removed meanwhile leaves nothing behind.
  const std::scoped_lock lock(mutex_);
  const bool has_changed = refusals != refusals_;
  refusals_ = std::move(refusals);
  return has_changed;
}

void ChannelAddresses::run(Duration interval, const std::function<void()>& changed) {
  while (true) {
    contain_faults("looking up channels' addresses", [&] {
      auto has_changed = look();
      if (!has_changed) {
        service::log_warn("channels' addresses not looked up",
                          {{"error", has_changed.error().message}});
      } else if (*has_changed) {
        changed();
      }
    });
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, interval, [this] { return is_ending_; })) return;
  }
}

}  // namespace vigia::monitor::alerting
