#include "services/monitor/alerting/publisher.hpp"

#include <algorithm>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/monitor/alerting/channel_selection.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/channels/channel_check.hpp"

namespace vigia::monitor::alerting {
namespace {

constexpr std::chrono::seconds kRetryInterval{5};
// A reader that takes nothing at all wants a person; asking it more often mends nothing.
constexpr std::chrono::minutes kRefusedInterval{1};
// What was refused is tried again after a change, yet not at every one: each try is a reload.
constexpr std::chrono::minutes kRefusedChannelInterval{10};
constexpr mode_t kSecretMode = 0600;  // channels' URLs are secrets
constexpr std::string_view kRefusedReason =
    "Alertmanager does not take it; what it says stands in vigia-monitor's log";

std::optional<Duration> sooner(std::optional<Duration> a, std::optional<Duration> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

void hide(const std::string& secret, std::string_view instead, std::string& text) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret)) {
    text.replace(at, secret.size(), instead);
  }
}

// Alertmanager's words quote what it does not take: an address, or the internal token beside it.
void log_refused(const std::vector<channels::ChannelRow>& refused, std::string answer,
                 const std::string& token) {
  constexpr std::size_t kNamedMax = 10;
  hide(token, "(token)", answer);
  std::string ids;
  for (std::size_t i = 0; i < refused.size(); ++i) {
    hide(refused[i].target, "(target)", answer);
    if (i < kNamedMax) ids += (ids.empty() ? "" : " ") + refused[i].id;
  }
  service::log_warn("channels refused by Alertmanager are left out",
                    {{"number", std::to_string(refused.size())}, {"ids", ids}, {"answer", answer}});
}

}  // namespace

AlertingPublisher::AlertingPublisher(const PublisherParts& parts, PublisherSettings settings)
    : database_(parts.database),
      clock_(parts.clock),
      addresses_(parts.addresses),
      settings_(std::move(settings)),
      failures_(parts.metrics.counter("vigia_monitor_reload_failures_total",
                                      "Reloads of Prometheus or Alertmanager that failed")),
      reloads_(parts.metrics.counter("vigia_monitor_reloads_total",
                                     "Reloads of Prometheus or Alertmanager that succeeded")),
      not_active_(
          parts.metrics.gauge("vigia_monitor_channels_not_active",
                              "Channels that are left out of Alertmanager's configuration")) {
  const ReloadParts reload{parts.client, reloads_, failures_};
  for (const auto& target : settings_.targets) targets_.emplace_back(reload, target);
  if (!settings_.alertmanager_file.empty()) {
    alertmanager_.emplace(
        reload, Target{"Alertmanager's configuration", settings_.alertmanager_file, kSecretMode,
                       settings_.alertmanager_url + "/-/reload"});
  }
}

AlertingPublisher::~AlertingPublisher() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<void> AlertingPublisher::start() {
  for (auto& file : targets_) {
    auto written = file.write(file.target().render());
    if (!written) return forward(written);
  }
  if (alertmanager_) {
    auto plan = plan_channels(false);
    if (!plan) return forward(plan);
    // Only what Alertmanager has taken before: it reads this file at its own start, and with a
    // channel that it refuses in it, it would not start at all.
    auto written = alertmanager_->write(render(plan->proven));
    if (!written) return forward(written);
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void AlertingPublisher::wake() {
  {
    const std::scoped_lock lock(mutex_);
    is_changed_ = true;
  }
  wake_.notify_all();
}

void AlertingPublisher::run() {
  while (true) {
    Pause pause = kRetryInterval;
    contain_faults("publishing alert rules and channels", [&] { pause = publish(); });
    std::unique_lock lock(mutex_);
    const auto is_needed = [this] { return is_ending_ || is_changed_; };
    if (pause) {
      wake_.wait_for(lock, *pause, is_needed);
    } else {
      wake_.wait(lock, is_needed);
    }
    if (is_ending_) return;
    is_changed_ = false;
  }
}

AlertingPublisher::Pause AlertingPublisher::publish() {
  Pause pause;
  for (auto& file : targets_) pause = sooner(pause, publish_target(file));
  return sooner(pause, publish_channels());
}

AlertingPublisher::Pause AlertingPublisher::publish_target(ReloadedFile& file) {
  const auto loaded = file.load(file.target().render());
  if (!loaded) {
    failures_.add();
    service::log_error("alert rules not written", {{"error", loaded.error().message}});
    return kRetryInterval;
  }
  if (*loaded == Verdict::kAway) return kRetryInterval;
  if (*loaded == Verdict::kTaken) return std::nullopt;
  service::log_error("alert rules refused, the previous ones stay",
                     {{"what", file.target().name}, {"answer", file.refusal()}});
  return kRefusedInterval;
}

std::string AlertingPublisher::render(const std::vector<channels::ChannelRow>& channels) const {
  return render_alertmanager(settings_.provider, settings_.mail, channels, settings_.hooks,
                             settings_.portal_url);
}

std::string AlertingPublisher::unfit_reason(const channels::ChannelRow& channel) const {
  if (channel.type == "email" && settings_.mail.smarthost.empty()) {
    return "no mail server is configured (alerting.mail)";
  }
  const auto checked = channels::check_channel_text(channel.type, channel.target, channel.channel);
  if (!checked) return checked.error().message;
  return addresses_.refusal_of(channel.id);
}

Result<AlertingPublisher::Plan> AlertingPublisher::plan_channels(bool tries_again) {
  // What Alertmanager runs stays: a database that lost channels must not take them from it.
  if (std::string doubt = database_.doubt(); !doubt.empty()) {
    return fail(ErrorCode::kUnavailable, std::move(doubt));
  }
  auto channels = database_.read([](store::DatabaseConnection& connection) {
    return channels::list_all_channels(connection);
  });
  if (!channels) return forward(channels);
  Plan plan;
  for (auto& channel : *channels) {
    auto unfit = unfit_reason(channel);
    if (!unfit.empty()) {
      const bool is_new =
          channel.state != channels::ChannelState::kNotActive || channel.reason != unfit;
      channel.state = channels::ChannelState::kNotActive;
      channel.reason = std::move(unfit);
      (is_new ? plan.unfit : plan.kept).push_back(std::move(channel));
    } else if (channel.state == channels::ChannelState::kActive) {
      // Known to be good, so it is in every file that is tried: a new one that is bad is then
      // found by itself.
      plan.proven.push_back(std::move(channel));
    } else if (channel.reason == kRefusedReason && !tries_again) {
      plan.kept.push_back(std::move(channel));
    } else {
      plan.fresh.push_back(std::move(channel));
    }
  }
  return plan;
}

Verdict AlertingPublisher::attempt(const std::vector<channels::ChannelRow>& channels) {
  auto loaded = alertmanager_->load(render(channels));
  if (loaded) return *loaded;
  failures_.add();
  service::log_error("Alertmanager's configuration not written",
                     {{"error", loaded.error().message}});
  return Verdict::kAway;
}

Result<void> AlertingPublisher::note(const std::vector<channels::ChannelRow>& channels,
                                     channels::ChannelState state, const std::string& reason) {
  std::vector<channels::ChannelRow> changed;
  for (const auto& channel : channels) {
    if (channel.state == state && channel.reason == reason) continue;
    changed.push_back(channel);
    changed.back().state = state;
    changed.back().reason = reason;
  }
  if (changed.empty()) return {};
  return database_.write([&](store::DatabaseConnection& connection) {
    return channels::note_channel_states(changed, connection);
  });
}

Result<void> AlertingPublisher::note_all(const Plan& plan, const ChannelSelection& found) {
  if (!plan.unfit.empty()) {
    auto noted = database_.write([&](store::DatabaseConnection& connection) {
      return channels::note_channel_states(plan.unfit, connection);
    });
    if (!noted) return noted;
  }
  auto noted = note(found.refused, channels::ChannelState::kNotActive, std::string(kRefusedReason));
  // While it is away nothing new is known of those that it had loaded.
  if (!noted || found.is_away) return noted;
  return note(found.taken, channels::ChannelState::kActive, "");
}

AlertingPublisher::Pause AlertingPublisher::publish_channels() {
  if (!alertmanager_) return std::nullopt;
  const auto now = clock_.steady();
  const bool tries_again = !retried_ || now - *retried_ >= kRefusedChannelInterval;
  auto plan = plan_channels(tries_again);
  if (!plan) {
    failures_.add();
    service::log_error("channels not read", {{"error", plan.error().message}});
    return kRetryInterval;
  }
  // What is new is tried beside what is known to be good, so that one bad channel costs itself.
  const auto found = select_channels(
      plan->proven, plan->fresh,
      [this](const std::vector<channels::ChannelRow>& channels) { return attempt(channels); },
      kChannelTriesMax);
  if (!found.is_away && tries_again) retried_ = now;
  if (found.is_whole_refused) {
    service::log_error("Alertmanager refuses even a file without channels, what it runs stays",
                       {{"answer", alertmanager_->refusal()}});
    return kRefusedInterval;
  }
  if (!found.refused.empty()) {
    log_refused(found.refused, alertmanager_->refusal(), settings_.hooks.token);
  }
  auto noted = note_all(*plan, found);
  if (!noted) service::log_error("channels not noted", {{"error", noted.error().message}});
  not_active_.set(
      static_cast<double>(plan->unfit.size() + plan->kept.size() + found.refused.size()));
  const bool is_done = noted && !found.is_away && found.undecided.empty();
  return is_done ? Pause() : Pause(kRetryInterval);
}

}  // namespace vigia::monitor::alerting
