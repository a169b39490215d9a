#include "services/monitor/settings.hpp"

namespace vigia::monitor {

Result<Settings> read_settings(const service::ConfigFile& file) {
  const auto root = file.root();
  Settings settings;
  settings.door = access::read_door(root);
  settings.internal_port = internal_port::read_internal_port(root);
  settings.store = store::read_store(root);
  settings.alerting = alerting::read_alerting(root);
  settings.live = live::read_live(root);
  settings.channels = channels::read_channels(root.child("alerting"));
  settings.nodes = nodes::read_nodes(root.child("nodes"));
  settings.session = sessions::read_session(root.child("session"), settings.door.is_secure());
  settings.first_operator = users::read_first_operator(root.child("bootstrap"));
  settings.portal_directory = root.child("portal").child("directory").text();
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
retention: 400d                    # storage's retention.raw: pages offer no longer range
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
tls: {cert_file: PATH, key_file: PATH}   # also client_ca_file, min_version, reload_interval
trusted_proxies: []                # addresses or networks of your TLS proxies, ["10.0.0.0/8"]: from these
                                   # alone Forwarded or X-Forwarded-For tells who asks
)";
}

}  // namespace vigia::monitor
