#include "services/monitor/settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/service/doors.hpp"
#include "services/monitor/channels/channel_check.hpp"
#include "services/monitor/users/password.hpp"

namespace vigia::monitor {
namespace {

using service::ConfigNode;

constexpr Duration kForMax = std::chrono::hours(24 * 7);
constexpr std::size_t kInternalTokenCharactersMin = 16;

Duration read_positive(const ConfigNode& node, Duration fallback) {
  const auto value = node.duration(fallback);
  if (value <= Duration::zero() || value > kForMax) node.note_error("from 1ms to 7d");
  return value;
}

void read_shards(const ConfigNode& node, Settings& settings) {
  for (const auto& item : node.items()) {
    ShardSettings shard;
    shard.name = item.child("name").required_text();
    shard.url = service::read_url(item.child("url"), true);
    shard.rules_directory = item.child("rules_directory").text();
    for (const auto& other : settings.shards) {
      if (other.name == shard.name) item.child("name").note_error("this shard stands there twice");
    }
    settings.shards.push_back(std::move(shard));
  }
  if (settings.shards.empty()) node.note_error("at least one shard is needed");
}

void read_alertmanager(const ConfigNode& root, Settings& settings) {
  const auto node = root.child("alertmanager");
  auto& alertmanager = settings.alertmanager;
  alertmanager.url = service::read_url(node.child("url"), false);
  alertmanager.config_file = node.child("config_file").text();
  const auto alerting = root.child("alerting");
  const auto read_receiver = [&](std::string_view key) {
    const auto receiver = alerting.child(key);
    auto url = receiver.text();
    if (!url.empty() && !channels::check_channel_text("webhook", url, "")) {
      receiver.note_error("has to be a URL in its escaped form");
    }
    return url;
  };
  alertmanager.provider.webhook = read_receiver("webhook");
  alertmanager.provider.dead_mans_switch = read_receiver("dead_mans_switch");
  // Never shorter than three evaluations: one that is late by a moment must not be an outage.
  alertmanager.silence_max =
      read_positive(alerting.child("rules_silent_for"),
                    std::max<Duration>(alertmanager.silence_max, 3 * settings.rules.interval));
  settings.allow_private_channels = alerting.child("allow_private_targets").boolean(false);
  const auto mail = alerting.child("mail");
  alertmanager.mail.smarthost = mail.child("smarthost").text();
  alertmanager.mail.from = mail.child("from").text();
  alertmanager.mail.user = mail.child("user").text();
  alertmanager.mail.password = mail.child("password").text();
  alertmanager.mail.require_tls = mail.child("require_tls").boolean(true);
  if (!alertmanager.mail.smarthost.empty() && alertmanager.mail.from.empty()) {
    mail.note_error("from is needed where smarthost is set");
  }
}

void read_rules(const ConfigNode& node, alerting::RuleSettings& rules) {
  const auto read = [&](std::string_view key, Duration& value) {
    value = read_positive(node.child(key), value);
  };
  read("node_down_for", rules.node_down_for);
  read("collector_down_for", rules.collector_down_for);
  read("buffer_saturated_for", rules.buffer_saturated_for);
  read("collector_unreachable_for", rules.collector_unreachable_for);
  read("high_cpu_for", rules.high_cpu_for);
  read("high_memory_for", rules.high_memory_for);
  read("outage_grace", rules.outage_grace);
  read("keep_firing_for", rules.keep_firing_for);
  rules.interval = alerting::default_interval(rules);
  read("interval", rules.interval);
}

void read_access(const ConfigNode& root, Settings& settings) {
  const auto token = root.child("internal_token");
  settings.internal_token = token.required_text();
  if (!settings.internal_token.empty() &&
      settings.internal_token.size() < kInternalTokenCharactersMin) {
    token.note_error(fmt::format("at least {} characters", kInternalTokenCharactersMin));
  }
  const auto operator_node = root.child("bootstrap").child("operator");
  settings.bootstrap_user = operator_node.child("user").text();
  const auto password = operator_node.child("password");
  settings.bootstrap_password = password.text();
  if (!settings.bootstrap_user.empty()) {
    // Checked at each start, also when it is not used any more: a weak one in the file would become
    // an operator's as soon as the database were made anew.
    const auto checked =
        users::check_password_rules(settings.bootstrap_password, settings.bootstrap_user);
    if (!checked) password.note_error(checked.error().message);
  }
  const auto session = root.child("session");
  settings.session.idle_max = read_positive(session.child("idle"), settings.session.idle_max);
  settings.session.absolute_max =
      read_positive(session.child("absolute"), settings.session.absolute_max);
}

void read_public(const ConfigNode& root, Settings& settings) {
  settings.tls = service::read_server_tls(root.child("tls"));
  std::vector<std::string> networks;
  const auto proxies = root.child("trusted_proxies");
  for (const auto& item : proxies.items()) networks.push_back(item.required_text());
  settings.door_proxies = networks;
  auto parsed = access::DoorProxies::parse(networks);
  if (parsed) {
    settings.trusted_proxies = std::move(*parsed);
  } else {
    proxies.note_error(parsed.error().message);
  }
  const auto node = root.child("public");
  settings.public_url = service::read_url(node.child("url"), false);
  settings.collector_grpc = node.child("collector_grpc").text();
  settings.collector_http = node.child("collector_http").text();
  settings.router_public = node.child("router").text();
  // A cookie marked Secure is not sent over plain HTTP, so a demo without TLS could not log in.
  // Behind a proxy that ends TLS, public.url is what tells.
  settings.session.is_secure =
      settings.tls.has_value() || settings.public_url.starts_with("https://");
}

void read_database(const ConfigNode& root, Settings& settings) {
  constexpr std::int64_t kBackupsMax = 10'000;
  const auto database = root.child("database");
  settings.database = database.required_text();
  if (!settings.database.empty() && !settings.database.starts_with("sqlite://") &&
      !settings.database.starts_with("postgresql://")) {
    database.note_error("give sqlite:///path/to/file or postgresql://user@host/name");
  }
  auto& options = settings.database_options;
  const auto state = root.child("state_directory");
  options.state_directory = state.text();
  if (options.state_directory.empty() && settings.database.starts_with("postgresql://")) {
    state.note_error(
        "a folder is needed with PostgreSQL: that the database lost its end is seen from there");
  }
  const auto backups = root.child("backups");
  options.backup_interval = read_positive(backups.child("interval"), options.backup_interval);
  options.backups_kept = static_cast<std::size_t>(backups.child("keep").integer(
      static_cast<std::int64_t>(options.backups_kept), 1, kBackupsMax));
}

}  // namespace

Result<Settings> read_settings(const service::ConfigFile& file) {
  Settings settings;
  const auto root = file.root();
  settings.listen = service::read_listen(root.child("listen"), settings.listen);
  settings.internal_listen =
      service::read_listen(root.child("internal_listen"), settings.internal_listen);
  const auto internal_url = root.child("internal_url");
  settings.internal_url = service::read_url(internal_url, false);
  // Paths are put behind it, and the internal listener has no TLS.
  constexpr std::size_t kScheme = 7;
  if (!settings.internal_url.empty() &&
      (!settings.internal_url.starts_with("http://") ||
       settings.internal_url.find_first_of("/?#", kScheme) != std::string::npos ||
       settings.internal_url.find(':', kScheme) == std::string::npos)) {
    internal_url.note_error("write it as http://HOST:PORT");
  }
  read_database(root, settings);
  settings.router_url = service::read_url(root.child("router").child("url"), true);
  read_access(root, settings);
  read_shards(root.child("prometheus"), settings);
  read_rules(root.child("alerting"), settings.rules);
  read_alertmanager(root, settings);
  settings.portal_directory = root.child("portal").child("directory").text();
  settings.allow_loopback_nodes = root.child("nodes").child("allow_loopback").boolean(false);
  read_public(root, settings);
  // Last: it reports the keys that nobody has read.
  auto finished = file.finish();
  if (!finished) return forward(finished);
  return settings;
}

std::string settings_help() {
  return
      R"(listen: 127.0.0.1:8090             # REST interface and pages
internal_listen: 127.0.0.1:8190    # snapshot, http_sd, pushed health, messages to
                                   # customers' webhooks, own metrics
internal_url: http://HOST:8190     # what Prometheus and Alertmanager call it, where they are elsewhere
database: sqlite:///PATH           # or postgresql://USER@HOST/NAME; required
state_directory: PATH              # anchor, kept snapshot, copies; default NAME.state beside the
                                   # SQLite file; needed with PostgreSQL
backups: {interval: 1h, keep: 48}  # copies of an SQLite database, in state_directory/backups
internal_token: TEXT               # shared with collector, router, storage, Prometheus; required
router: {url: http://HOST:9095}    # required
prometheus: [{name: hot-0, url: http://HOST:9090, rules_directory: PATH}]   # at least one
alertmanager: {url: http://HOST:9093, config_file: PATH}
alerting:
  node_down_for: 2m                # also collector_down_for: 1m, buffer_saturated_for: 5m,
                                   # collector_unreachable_for: 5m, high_cpu_for: 10m,
                                   # high_memory_for: 10m; interval: 30s, or half of the
                                   # shortest of these
  keep_firing_for: 5m              # of alerts from pushed data, over a gap in it
  outage_grace: 3m                 # after our own parts are back, how long no absence is judged
  webhook: http://HOST/PATH        # the provider's own receiver of every alert
  dead_mans_switch: https://HOST/PATH   # outside: called once a minute while alerts are
                                   # evaluated and sent; whoever hears nothing more has to tell
  rules_silent_for: 3m             # a hot store that is there, and of which Alertmanager hears
                                   # nothing (default: at least 3 × interval); more than
                                   # Prometheus' resend delay, 1m
  allow_private_targets: false     # true lets a customer's webhook be on a private network
  mail: {smarthost: HOST:PORT, from: ADDRESS, user: TEXT, password: TEXT, require_tls: true}
bootstrap: {operator: {user: admin, password: TEXT}}     # only while no operator exists
portal: {directory: PATH}          # the built pages
nodes: {allow_loopback: false}     # true lets a node's address be on this machine (demo)
session: {idle: 30m, absolute: 12h}
public: {url: https://HOST, collector_grpc: URL, collector_http: URL, router: URL}
tls: {cert_file: PATH, key_file: PATH}
trusted_proxies: []                # addresses or networks of your TLS proxies, ["10.0.0.0/8"]: from these
                                   # alone Forwarded or X-Forwarded-For tells who asks
)";
}

}  // namespace vigia::monitor
