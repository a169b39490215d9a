#include "services/monitor/service.hpp"

#include <algorithm>
#include <atomic>

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/frame.hpp"
#include "libs/service/log.hpp"
#include "libs/service/process_metrics.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/alerting/mail_outcomes.hpp"
#include "services/monitor/alerting/publisher.hpp"
#include "services/monitor/alerting/rule_file.hpp"
#include "services/monitor/alerting/watchdog.hpp"
#include "services/monitor/api/limits.hpp"
#include "services/monitor/audit/audit_routes.hpp"
#include "services/monitor/bootstrap.hpp"
#include "services/monitor/channels/channel_outcomes.hpp"
#include "services/monitor/channels/channel_routes.hpp"
#include "services/monitor/customers/customer_routes.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/internal_port/inside_server.hpp"
#include "services/monitor/internal_port/limits.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/overview_routes.hpp"
#include "services/monitor/maintenance.hpp"
#include "services/monitor/nodes/node_routes.hpp"
#include "services/monitor/pages/web_handler.hpp"
#include "services/monitor/sessions/limits.hpp"
#include "services/monitor/sessions/session_routes.hpp"
#include "services/monitor/sessions/sessions.hpp"
#include "services/monitor/tokens/token_routes.hpp"
#include "services/monitor/users/limits.hpp"
#include "services/monitor/users/user_routes.hpp"

namespace vigia::monitor {
namespace {

constexpr std::size_t kOwnTokenBytes = 32;
constexpr std::string_view kHttp = "http://";
constexpr Duration kStopWithin = std::chrono::seconds(1);
// What is in flight has this long to end. Only a question that waits for a router that hangs takes
// longer.
constexpr Duration kDrainMax = std::chrono::seconds(2);

// "0.0.0.0:8190" is nothing that can be connected to from elsewhere.
bool listens_everywhere(std::string_view listen) {
  return listen.starts_with("0.0.0.0:") || listen.starts_with("[::]:") || listen.starts_with(':');
}

/// Where Alertmanager finds the internal port.
std::string internal_url(const internal_port::InternalPortSettings& settings) {
  if (!settings.url.empty()) return settings.url;
  const std::string& listen = settings.listen;
  if (!listens_everywhere(listen)) return std::string(kHttp) + listen;
  service::log_warn(
      "internal_url is not set, and internal_listen is every address: Alertmanager "
      "and Prometheus reach it from this machine alone",
      {{"internal_listen", listen}});
  return std::string(kHttp) + "localhost" + listen.substr(listen.rfind(':'));
}

alerting::PublisherSettings publisher_settings(const Settings& settings) {
  alerting::PublisherSettings out;
  for (const auto& shard : settings.alerting.shards) {
    if (shard.rules_directory.empty()) continue;  // somebody else keeps its rules
    out.targets.push_back(alerting::rules_target(settings.alerting.rules,
                                                 {shard.name, shard.url, shard.rules_directory}));
  }
  const auto& alertmanager = settings.alerting.alertmanager;
  out.alertmanager_url = alertmanager.url;
  out.alertmanager_file = alertmanager.config_file;
  out.provider = alertmanager.provider;
  out.portal_url = settings.door.public_url;
  out.hooks = alerting::ChannelRelay{internal_url(settings.internal_port) + "/hooks",
                                     settings.internal_port.token};
  out.mail = alertmanager.mail;
  return out;
}

alerting::WatchdogSettings watchdog_settings(const alerting::AlertingSettings& settings) {
  alerting::WatchdogSettings out;
  out.alertmanager_url = settings.alertmanager.url;
  out.provider_webhook = settings.alertmanager.provider.webhook;
  out.hold = settings.rules.collector_down_for;
  out.silence_max = settings.alertmanager.silence_max;
  for (const auto& shard : settings.shards) {
    out.shards.push_back(
        alerting::WatchedShard{shard.name, shard.url, !shard.rules_directory.empty()});
  }
  return out;
}

live::LivePollerSettings poller_settings(const alerting::AlertingSettings& settings) {
  live::LivePollerSettings out{settings.alertmanager.url, live::kLiveInterval};
  for (const auto& shard : settings.shards) out.hot_shards.emplace_back(shard.name, shard.url);
  return out;
}

live::Installation installation(const Settings& settings) {
  const Duration standard = alerting::RuleSettings{}.node_down_for;
  const Duration node_down_for = settings.alerting.rules.node_down_for;
  return {.node_down_for = node_down_for,
          .has_standard_waits = node_down_for == standard,
          .is_provider_told = !settings.alerting.alertmanager.provider.webhook.empty(),
          .kept = settings.live.kept,
          .collector_grpc = settings.live.collector_grpc,
          .collector_http = settings.live.collector_http,
          .router = settings.live.router_public};
}

access::FairPoolLimits quick_limits() {
  return {.threads = api::kWorkers,
          .callers_max = api::kWorkerQueueMax,
          .jobs_of_caller_max = api::kQuickOfCallerMax,
          .known_max = api::kKnownCallersMax,
          .jobs_max = api::kWorkerQueueMax,
          .known_of_owner_max = api::kKnownOfOwnerMax};
}

// A hash costs 30 ms of a core: whoever asks for pages goes first, and before all other log-ins one
// of a customer now and then.
access::FairPoolLimits hashing_limits() {
  constexpr int kNiceness = 10;
  return {.threads = users::kHashesAtOnceMax,
          .callers_max = sessions::kLogInCallersMax,
          .jobs_of_caller_max = sessions::kLogInsOfCallerMax,
          .known_max = api::kKnownCallersMax,
          .known_of_owner_max = sessions::kKnownLogInsOfOwnerMax,
          .niceness = kNiceness,
          .prompt_every = sessions::kPromptLogInEvery};
}

/// Everything that runs. Members start in this order and end in the opposite one.
class Service final : public service::Running {
 public:
  Service(Settings settings, std::unique_ptr<store::Database> database, pages::Pages pages)
      : settings_(std::move(settings)),
        own_token_(to_hex(random_bytes(kOwnTokenBytes))),
        database_(std::move(database)),
        client_(net::Client::create({})),
        authenticator_(*database_, hasher_, clock_, settings_.session),
        snapshot_(*database_, sha256_hex(own_token_), clock_, metrics_),
        router_(*client_, settings_.live.router_url, own_token_),
        own_records_(router_, settings_.alerting.rules.interval),
        live_({*database_, router_, *client_, clock_, metrics_},
              poller_settings(settings_.alerting)),
        channel_addresses_(*database_,
                           [policy = settings_.channels.addresses](const std::string& url) {
                             return access::check_url(url, policy);
                           }),
        publisher_({*database_, *client_, clock_, metrics_, channel_addresses_},
                   publisher_settings(settings_)),
        watchdog_(*database_, *client_, clock_, metrics_, watchdog_settings(settings_.alerting)),
        hook_addresses_(settings_.channels.addresses, clock_),
        hooks_(*database_, hook_addresses_, outcomes_, metrics_, settings_.door.public_url),
        mails_(*database_, *client_, outcomes_, settings_.alerting.alertmanager.url,
               [this] { publisher_.wake(); }),
        places_(internal_port::system_names(settings_.nodes.addresses), clock_, metrics_),
        workers_(quick_limits(), clock_),
        waiting_workers_(api::kWaitingWorkers, api::kWaitingQueueMax),
        hashing_workers_(hashing_limits(), clock_),
        inside_workers_(internal_port::kInsideWorkers, internal_port::kInsideQueueMax),
        table_(gate(), api::ApiWorkers{workers_, waiting_workers_, hashing_workers_}, clock_,
               metrics_,
               api::OriginSettings{settings_.door.public_url, settings_.door.trusted_proxies}),
        web_(table_, std::move(pages), settings_.session.is_secure,
             [this] { return database_->doubt().empty(); }),
        inside_(internal_port::InsideParts{*database_, inside_workers_, snapshot_, live_, hooks_,
                                           places_, scrapes_, metrics_, clock_},
                settings_.internal_port.token) {}

  ~Service() override { stop(clock_.steady() + kStopWithin); }

  Result<void> start() {
    service::add_process_metrics(metrics_);
    show_database();
    // First of all: collector and router may be waiting for it, and it needs nothing of the rest.
    auto shown = snapshot_.start();
    if (!shown) return forward(shown);
    // A database in doubt may lack its operators and channels: nothing is made or published of it.
    const bool is_sound = database_->doubt().empty();
    if (is_sound && !settings_.first_operator.user.empty()) {
      // Before anybody can connect: an installation without an operator must not be seen from
      // outside.
      auto made =
          bootstrap_operator(settings_.first_operator.user, settings_.first_operator.password,
                             hasher_, clock_, *database_);
      if (!made) return forward(made);
    }
    add_routes();
    if (is_sound) {
      auto published = publisher_.start();
      if (!published) return forward(published);
      channel_addresses_.start(alerting::kChannelAddressInterval, [this] { publisher_.wake(); });
    }
    auto listening = listen();
    if (!listening) return forward(listening);
    live_.on_refresh([this] {
      if (live_.current()->router_problem.empty()) known_at_ = clock_.steady();
      inside_.release_waiting();
      warn_of_notes(authenticator_.notes().flush());
      keep_outcomes();
    });
    show_live_age();
    live_.start();
    watchdog_.start();
    if (!settings_.alerting.alertmanager.url.empty()) mails_.start();
    return {};
  }

  void stop(TimePoint deadline) noexcept override {
    // Both doors let requests in flight end, so those that only wait are answered first.
    snapshot_.end();
    inside_.end();
    const auto drained = std::min(deadline, clock_.steady() + kDrainMax);
    frame_.stop(drained);
    // After the doors: a request that drains may still ask the router.
    client_->close();  // a neighbour that hangs holds up neither live state nor publisher
    channel_addresses_.stop();
    live_.stop();
    watchdog_.stop();
    mails_.stop();
    inside_workers_.stop(service::WaitingJobs::kDrop, deadline);
    workers_.stop();
    waiting_workers_.stop(service::WaitingJobs::kDrop, deadline);
    hashing_workers_.stop();
    // Last, when no thread can note anything more.
    warn_of_notes(authenticator_.notes().flush_now());
    keep_outcomes();
  }

 private:
  void show_database() {
    metrics_.on_collect([this](const service::MetricRegistry::Emit& emit) {
      emit("vigia_monitor_database_in_doubt",
           "1 while the database is damaged or older than what was written: /ready says more",
           service::MetricType::kGauge, {}, database_->doubt().empty() ? 0 : 1);
      emit("vigia_monitor_database_backup_failures_total", "Copies of the database that failed",
           service::MetricType::kCounter, {}, static_cast<double>(database_->backup_failures()));
      emit("vigia_monitor_database_driver_failures_total",
           "Reads and writes that the database's driver failed: no room, no server, damage",
           service::MetricType::kCounter, {}, static_cast<double>(database_->driver_failures()));
      emit("vigia_monitor_database_unreadable_rows",
           "Rows that cannot be read and are left out, each once since the start",
           service::MetricType::kGauge, {}, static_cast<double>(database_->unreadable_rows()));
      emit("vigia_monitor_database_anchor_failures_total", "Writes of its anchor that failed",
           service::MetricType::kCounter, {}, static_cast<double>(database_->anchor_failures()));
    });
  }

  void show_live_age() {
    metrics_.on_collect([this](const service::MetricRegistry::Emit& emit) {
      const std::chrono::duration<double> age = clock_.steady() - known_at_.load();
      emit("vigia_monitor_live_state_age_seconds",
           "Since the router last answered what the live state is; pushed health is as old",
           service::MetricType::kGauge, {}, age.count());
    });
  }

  api::ApiGate gate() {
    return {.authenticate =
                [this](const net::RequestHead& head) { return authenticator_.authenticate(head); },
            .has_customer = [this](const CustomerId& id) -> Result<bool> {
              auto found = database_->read([&](store::DatabaseConnection& connection) {
                return customers::find_customer(id, connection);
              });
              if (!found) return forward(found);
              return found->has_value();
            },
            .is_secure = settings_.session.is_secure};
  }

  /// The REST interface, noun by noun.
  void add_routes() {
    const auto directory_changed = [this] { refresh_snapshot(); };
    const auto channels_changed = [this] { publisher_.wake(); };
    sessions::add_session_routes(table_, {*database_, clock_, authenticator_, hasher_});
    live::add_overview_routes(
        table_, {*database_, clock_, live_, router_, own_records_, installation(settings_)});
    customers::add_customer_routes(
        table_, {*database_, clock_, settings_.alerting.shard_names(),
                 [](const CustomerId& id, store::DatabaseConnection& connection) {
                   return sessions::end_sessions_of_customer(id.text(), connection);
                 },
                 directory_changed, channels_changed});
    tokens::add_token_routes(table_, {*database_, clock_, directory_changed});
    nodes::add_node_routes(table_, {*database_, clock_, settings_.nodes.addresses});
    users::add_user_routes(table_,
                           {*database_, clock_, hasher_,
                            [](const std::string& user, store::DatabaseConnection& connection) {
                              return sessions::end_other_sessions(user, "", connection);
                            }});
    channels::add_channel_routes(
        table_, {*database_, clock_, outcomes_, settings_.channels.addresses,
                 !settings_.alerting.alertmanager.mail.smarthost.empty(), channels_changed});
    audit::add_audit_routes(table_, {*database_});
  }

  Result<void> listen() {
    net::ServerSettings inside;
    inside.name = "monitor internal";
    inside.listen = settings_.internal_port.listen;
    inside.loops = 1;
    inside.body_bytes_max = internal_port::kHookBodyBytesMax;  // the largest; each path has its own
    const auto inside_door = frame_.open(std::move(inside), inside_);
    if (!inside_door) return forward(inside_door);
    const std::string inside_address = (*inside_door)->address();
    const std::string_view own = settings_.internal_port.url;
    // Only known once it listens: the port in the settings may be 0.
    inside_.set_own_address(own.empty() ? inside_address : std::string(own.substr(kHttp.size())));
    inside_.find_places();
    net::ServerSettings outside;
    outside.name = "monitor";
    outside.listen = settings_.door.listen;
    outside.loops = 1;
    outside.body_bytes_max = api::kRequestBodyBytesMax;
    outside.tls = settings_.door.tls;
    outside.trusted_proxies = settings_.door.proxies;
    const auto outside_door = frame_.open_to_clients(std::move(outside), web_);
    if (!outside_door) return forward(outside_door);
    service::log_info("listening",
                      {{"address", (*outside_door)->address()}, {"internal", inside_address}});
    return {};
  }

  static void warn_of_notes(const Result<void>& noted) {
    if (!noted) {
      service::log_warn("repeated log-ins not noted", {{"error", noted.error().message}});
    }
  }

  /// What cannot be written now is tried at the next look.
  void keep_outcomes() {
    auto kept = outcomes_.keep();
    const bool is_kept = kept.has_value();
    if (are_outcomes_kept_.exchange(is_kept) && !is_kept) {
      service::log_warn("how channels were told is not noted", {{"error", kept.error().message}});
    }
  }

  void refresh_snapshot() {
    auto refreshed = snapshot_.refresh();
    if (!refreshed) {
      service::log_error("snapshot not refreshed", {{"error", refreshed.error().message}});
    }
  }

  const Settings settings_;
  const std::string own_token_;  ///< the monitor's own operator token, never stored
  SystemClock clock_;
  std::atomic<TimePoint> known_at_{clock_.steady()};  ///< of the newest look that was answered
  std::atomic<bool> are_outcomes_kept_{true};
  service::MetricRegistry metrics_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<net::Client> client_;
  users::PasswordHasher hasher_;
  sessions::Authenticator authenticator_;
  internal_port::Snapshot snapshot_;
  live::RouterQueries router_;
  live::OwnRecords own_records_;
  live::LivePoller live_;
  alerting::ChannelAddresses channel_addresses_;
  alerting::AlertingPublisher publisher_;
  alerting::Watchdog watchdog_;
  access::AddressBook hook_addresses_;
  channels::ChannelOutcomes outcomes_{*database_, clock_};
  internal_port::ChannelHooks hooks_;
  alerting::MailOutcomes mails_;
  internal_port::NodeScrapes scrapes_{metrics_};
  internal_port::NodePlaces places_;  ///< after the scrapes: its threads begin them
  access::FairPool workers_;
  service::WorkerPool waiting_workers_;
  access::FairPool hashing_workers_;
  service::WorkerPool inside_workers_;
  api::ApiTable table_;
  pages::WebHandler web_;
  internal_port::InsideHandler inside_;
  service::ServiceFrame frame_{metrics_};
};

}  // namespace

Result<std::unique_ptr<service::Running>> start(Settings settings) {
  auto pages = pages::Pages::load(settings.portal_directory);
  if (!pages) return forward(pages);
  // One connection for each thread that uses the database, so that none waits for another's: the
  // workers'; and one each for live state, publisher, watchdog, channels' addresses, snapshot,
  // mails and the database's own keeper.
  constexpr std::size_t kOwnThreads = 7;
  constexpr auto kConnections = api::kWorkers + api::kWaitingWorkers + users::kHashesAtOnceMax +
                                internal_port::kInsideWorkers + internal_port::kHookWorkers +
                                kOwnThreads;
  auto database = store::Database::open(settings.store.url, kConnections, settings.store.options);
  if (!database) return forward(database);
  auto made =
      std::make_unique<Service>(std::move(settings), std::move(*database), std::move(*pages));
  auto started = made->start();
  if (!started) return forward(started);
  return made;
}

service::ProgramDescription describe_program() {
  return service::describe_service(
      "vigia-monitor",
      "The control plane of Vigía: customers, nodes, tokens, users, alert rules, and the portal.",
      settings_help() + maintenance_help(), read_settings, start);
}

}  // namespace vigia::monitor
