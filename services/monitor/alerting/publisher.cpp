#include "services/monitor/alerting/publisher.hpp"

#include "libs/service/log.hpp"
#include "services/monitor/alerting/file_write.hpp"

namespace vigia::monitor {
namespace {

constexpr std::chrono::seconds kRetryInterval{5};
constexpr std::chrono::seconds kReloadTimeout{5};
constexpr std::size_t kShownCharactersMax = 500;
constexpr mode_t kRulesMode = 0644;
constexpr mode_t kSecretMode = 0600;  // channels' URLs are secrets

}  // namespace

AlertingPublisher::AlertingPublisher(Database& database, net::Client& client,
                                     service::MetricRegistry& metrics, PublisherSettings settings)
    : database_(database),
      client_(client),
      settings_(std::move(settings)),
      failures_(metrics.counter("vigia_monitor_reload_failures_total",
                                "Reloads of Prometheus or Alertmanager that failed")),
      reloads_(metrics.counter("vigia_monitor_reloads_total",
                               "Reloads of Prometheus or Alertmanager that succeeded")) {
  for (const auto& destination : settings_.destinations) {
    if (destination.directory.empty()) continue;
    targets_.push_back(Target{"rules of " + destination.shard, destination.directory + "/vigia.yml",
                              destination.url + "/-/reload", true, ""});
  }
  if (!settings_.alertmanager_file.empty()) {
    targets_.push_back(Target{"Alertmanager's configuration", settings_.alertmanager_file,
                              settings_.alertmanager_url + "/-/reload", true, ""});
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
  auto written = write_all();
  if (!written) return forward(written);
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

Result<void> AlertingPublisher::write_all() {
  auto channels =
      database_.read([](Connection& connection) { return list_all_channels(connection); });
  if (!channels) return forward(channels);
  const auto rules = render_rules(settings_.rules);
  for (auto& target : targets_) {
    const bool is_alertmanager = target.file == settings_.alertmanager_file;
    auto written = write(target, is_alertmanager ? render_alertmanager(settings_.provider_webhook,
                                                                       settings_.mail, *channels)
                                                 : rules);
    if (!written) return forward(written);
  }
  return {};
}

Result<void> AlertingPublisher::write(Target& target, const std::string& content) {
  const auto present = read_file_or_empty(target.file);
  if (content == present || content == target.refused) return {};
  const bool is_alertmanager = target.file == settings_.alertmanager_file;
  if (!present.empty()) {
    auto kept = replace_file(target.file + ".previous", present,
                             is_alertmanager ? kSecretMode : kRulesMode);
    if (!kept) return forward(kept);
  }
  auto written = replace_file(target.file, content, is_alertmanager ? kSecretMode : kRulesMode);
  if (!written) return forward(written);
  target.needs_reload = true;
  return {};
}

bool AlertingPublisher::reload(Target& target) {
  if (!target.needs_reload) return true;
  net::ClientRequest request;
  request.method = "POST";
  request.url = target.reload_url;
  request.timeout = kReloadTimeout;
  auto answer = client_.fetch(std::move(request));
  if (answer && answer->status / 100 == 2) {
    reloads_.add();
    target.needs_reload = false;
    target.refused.clear();
    service::log_info("alerting loaded", {{"what", target.name}});
    return true;
  }
  failures_.add();
  if (!answer) return false;  // not there yet; asked again
  service::log_error("alerting refused, the previous content stays",
                     {{"what", target.name},
                      {"status", std::to_string(answer->status)},
                      {"answer", answer->body.substr(0, kShownCharactersMax)}});
  target.refused = read_file_or_empty(target.file);
  const auto previous = read_file_or_empty(target.file + ".previous");
  target.needs_reload = false;
  if (previous.empty()) return true;
  const bool is_alertmanager = target.file == settings_.alertmanager_file;
  auto restored = replace_file(target.file, previous, is_alertmanager ? kSecretMode : kRulesMode);
  if (!restored) service::log_error("not restored", {{"error", restored.error().message}});
  return true;
}

void AlertingPublisher::run() {
  while (true) {
    bool is_done = true;
    for (auto& target : targets_) is_done = reload(target) && is_done;
    {
      std::unique_lock lock(mutex_);
      const auto is_needed = [this] { return is_ending_ || is_changed_; };
      if (is_done) {
        wake_.wait(lock, is_needed);
      } else {
        wake_.wait_for(lock, kRetryInterval, is_needed);
      }
      if (is_ending_) return;
      if (!is_changed_) continue;
      is_changed_ = false;
    }
    auto written = write_all();
    if (!written) {
      failures_.add();
      service::log_error("alerting not written", {{"error", written.error().message}});
    }
  }
}

}  // namespace vigia::monitor
