#include "services/monitor/alerting/watchdog.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/model/labels.hpp"
#include "libs/service/log.hpp"
#include "services/monitor/alerting/hot_store.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/alerting/rules.hpp"
#include "services/monitor/customers/customers.hpp"

namespace vigia::monitor::alerting {
namespace {

constexpr std::string_view kHotStoreDown = "HotStoreDown";
constexpr std::string_view kMemberDown = "HotStoreMemberDown";
constexpr std::string_view kRulesNotEvaluated = "RulesNotEvaluated";
constexpr std::string_view kAlertmanagerDown = "AlertmanagerDown";

std::string own_names() {
  return fmt::format("{}|{}|{}|{}", kWatchdog, kHotStoreDown, kMemberDown, kRulesNotEvaluated);
}

PostedAlert::Texts summaries(std::string_view alert, std::string_view shard) {
  if (alert == kHotStoreDown) {
    return {{"summary", fmt::format("El almacén caliente {} no responde: nadie evalúa las alertas "
                                    "de sus clientes",
                                    shard)},
            {"summary_en", fmt::format("The hot store {} does not answer: nobody evaluates the "
                                       "alerts of its customers",
                                       shard)}};
  }
  if (alert == kMemberDown) {
    return {{"summary", fmt::format("De la pareja {} un almacén caliente no responde: el otro hace "
                                    "el trabajo de los dos",
                                    shard)},
            {"summary_en", fmt::format("Of the pair {} one hot store does not answer: the other "
                                       "does the work of both",
                                       shard)}};
  }
  if (alert == kRulesNotEvaluated) {
    return {{"summary", fmt::format("El almacén caliente {} responde, pero sus alertas no llegan a "
                                    "Alertmanager: reglas o envío fallan",
                                    shard)},
            {"summary_en", fmt::format("The hot store {} answers, but its alerts do not reach "
                                       "Alertmanager: rules or notifications fail",
                                       shard)}};
  }
  return {{"summary", "Alertmanager no responde: ninguna alerta llega a nadie"},
          {"summary_en", "Alertmanager does not answer: no alert reaches anybody"}};
}

}  // namespace

Watchdog::Watchdog(store::Database& database, net::Client& client, const Clock& clock,
                   service::MetricRegistry& metrics, WatchdogSettings settings)
    : database_(database),
      client_(client),
      clock_(clock),
      settings_(std::move(settings)),
      due_(metrics.gauge("vigia_monitor_outages_told",
                         "Hot stores and Alertmanagers of which the provider is told that they are "
                         "away or silent")),
      failures_(metrics.counter("vigia_monitor_outage_notices_failed_total",
                                "Tries to tell the provider of an outage that failed")),
      alertmanager_{std::string(kAlertmanagerDown), "", "", settings_.hold} {
  for (const auto& store : settings_.shards) watch(store);
}

void Watchdog::watch(const WatchedShard& store) {
  auto shard = std::find_if(shards_.begin(), shards_.end(),
                            [&](const Shard& known) { return known.name == store.name; });
  if (shard == shards_.end()) {
    shards_.push_back(
        Shard{.name = store.name,
              .has_our_rules = false,
              .down = Outage{std::string(kHotStoreDown), store.name, "", settings_.hold},
              .silent = Outage{std::string(kRulesNotEvaluated), store.name, "", {}},
              .beat_at = clock_.steady()});
    shard = std::prev(shards_.end());
  }
  shard->has_our_rules |= store.has_our_rules;
  shard->members.push_back(
      {store.url, Outage{std::string(kMemberDown), store.name, store.url, settings_.hold}});
}

void Watchdog::start() {
  if (!settings_.alertmanager_url.empty()) thread_ = std::thread([this] { run(); });
}

void Watchdog::stop() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::run() {
  while (true) {
    contain_faults("the watchdog's look", [this] { look(); });
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kWatchdogInterval, [this] { return is_ending_; })) return;
  }
}

void Watchdog::look() {
  // While a store is lost everything that stands has to be read, since its customers' alerts are
  // kept alive; else our own names are enough.
  const bool are_all_there = look_at_stores();
  auto listed =
      list_posted(client_, settings_.alertmanager_url, are_all_there ? own_names() : std::string());
  // All of them may be more than is read: then none is kept alive, and Alertmanager is there.
  if (!listed && !are_all_there) {
    listed = list_posted(client_, settings_.alertmanager_url, own_names());
  }
  note(alertmanager_, !listed);
  look_at_beats(listed);
  if (listed) tell_alertmanager(*listed);
  std::size_t due = 0;
  for (Outage* outage : outages()) {
    tell_webhook(*outage, listed.has_value());
    if (outage->is_due) ++due;
  }
  due_.set(static_cast<double>(due));
}

std::vector<Watchdog::Outage*> Watchdog::outages() {
  std::vector<Outage*> all{&alertmanager_};
  for (auto& shard : shards_) {
    all.push_back(&shard.down);
    all.push_back(&shard.silent);
    for (auto& member : shard.members) all.push_back(&member.down);
  }
  return all;
}

bool Watchdog::look_at_stores() {
  bool are_all_there = true;
  for (auto& shard : shards_) {
    if (!look_at(shard)) are_all_there = false;
  }
  return are_all_there;
}

// While one of a pair is there its rules are evaluated and its alerts go on: that the other is away
// wakes nobody, and that all are is told once, not once more for each.
bool Watchdog::look_at(Shard& shard) {
  std::vector<bool> there;
  for (const auto& member : shard.members) {
    there.push_back(is_hot_store_there(client_, member.url));
  }
  const bool is_any_there = std::find(there.begin(), there.end(), true) != there.end();
  note(shard.down, !is_any_there);
  for (std::size_t i = 0; i < there.size(); ++i) {
    note(shard.members[i].down, is_any_there && !there[i]);
  }
  return is_any_there;
}

// Judged by changes that are seen, never by comparing Alertmanager's clock with ours. While one of
// the two is away its silence is explained, and the wait begins anew.
void Watchdog::look_at_beats(const Listed& listed) {
  const auto now = clock_.steady();
  for (auto& shard : shards_) {
    std::string beat;
    if (listed) {
      for (const auto& alert : *listed) {
        const bool is_it = alert.label("alertname") == kWatchdog &&
                           alert.label("shard") == shard.name &&
                           alert.label(kCustomerLabel).empty();
        if (is_it) beat = alert.updated_at;
      }
    }
    if (!listed || shard.down.since || (!beat.empty() && beat != shard.beat)) shard.beat_at = now;
    if (!beat.empty()) shard.beat = std::move(beat);
    const bool is_silent = now - shard.beat_at >= settings_.silence_max;
    note(shard.silent, shard.has_our_rules && is_silent);
  }
}

void Watchdog::note(Outage& outage, bool is_wrong) {
  const auto now = clock_.steady();
  if (!is_wrong) {
    if (outage.is_due)
      service::log_info("it is over", {{"alert", outage.alert}, {"shard", outage.shard}});
    outage.since.reset();
    outage.is_due = false;
    return;
  }
  if (!outage.since) {
    outage.since = now;
    outage.since_ms = clock_.wall_ms();
  }
  // Wrong for a moment is no outage: a restart of Prometheus takes seconds, and nobody is woken for
  // it.
  if (outage.is_due || now - *outage.since < outage.hold) return;
  outage.is_due = true;
  service::log_error(summaries(outage.alert, outage.shard)[1].second,
                     {{"alert", outage.alert}, {"shard", outage.shard}});
}

PostedAlert Watchdog::alert_of(const Outage& outage) const {
  PostedAlert alert;
  const bool is_of_pair = !outage.member.empty();
  alert.labels = {{"alertname", outage.alert}, {"severity", is_of_pair ? "warning" : "critical"}};
  if (!outage.shard.empty()) alert.labels.emplace_back("shard", outage.shard);
  if (is_of_pair) alert.labels.emplace_back("member", outage.member);
  alert.annotations = summaries(outage.alert, outage.shard);
  alert.starts_ms = outage.since_ms;
  return alert;
}

void Watchdog::tell_alertmanager(const std::vector<PostedAlert>& listed) {
  const auto now_ms = clock_.wall_ms();
  auto posted = kept_alive(listed);
  for (const Outage* outage : outages()) {
    if (outage == &alertmanager_) continue;
    if (outage->is_due) {
      posted.push_back(alert_of(*outage));
      posted.back().ends_ms = now_ms + kPostedForMs;
      continue;
    }
    // What stands there and is no longer true, whether this run told it or one before. While it is
    // wrong again but not for long, nothing is said.
    if (outage->since) continue;
    for (const auto& alert : listed) {
      const bool is_it =
          alert.label("alertname") == outage->alert && alert.label("shard") == outage->shard &&
          alert.label("member") == outage->member && alert.label(kCustomerLabel).empty();
      if (!is_it) continue;
      posted.push_back(alert);
      posted.back().ends_ms = now_ms;
    }
  }
  if (posted.empty()) return;
  auto told = post_alerts(client_, settings_.alertmanager_url, posted);
  if (told) return;
  failures_.add();
  service::log_warn("outage not told", {{"error", told.error().message}});
}

// Those without a customer are kept with any store: whose they are cannot be told from their
// labels.
bool Watchdog::is_of_lost_store(const PostedAlert& alert,
                                const std::vector<CustomerId>& others) const {
  const auto name = alert.label("alertname");
  const auto customer = CustomerId::parse(alert.label(kCustomerLabel));
  if (!customer) {
    return name != kWatchdog && name != kHotStoreDown && name != kMemberDown &&
           name != kRulesNotEvaluated;
  }
  return std::find(others.begin(), others.end(), *customer) == others.end();
}

std::vector<PostedAlert> Watchdog::kept_alive(const std::vector<PostedAlert>& listed) {
  std::vector<std::string> lost;
  for (const auto& shard : shards_) {
    if (shard.down.since) lost.push_back(shard.name);
  }
  if (lost.empty()) return {};
  std::vector<CustomerId> others;  // whose store is there; where that cannot be read, nobody's
  auto customers = database_.read(
      [](store::DatabaseConnection& connection) { return customers::list_customers(connection); });
  if (customers) {
    for (const auto& customer : *customers) {
      const auto shards = customer.shards();
      const bool is_lost = std::find_first_of(shards.begin(), shards.end(), lost.begin(),
                                              lost.end()) != shards.end();
      if (!is_lost) others.push_back(customer.id);
    }
  }
  const auto now_ms = clock_.wall_ms();
  std::vector<PostedAlert> kept;
  for (const auto& alert : listed) {
    // Prometheus gives each alert an end a few minutes ahead and moves it on while it fires. With
    // the store lost nobody moves it, and Alertmanager would tell the end as a cure.
    if (alert.ends_ms - now_ms >= kKeptAtLeastMs || !is_of_lost_store(alert, others)) continue;
    kept.push_back(alert);
    kept.back().ends_ms = now_ms + kPostedForMs;
  }
  return kept;
}

// While Alertmanager is away nobody else tells; what was told here is also ended here.
void Watchdog::tell_webhook(Outage& outage, bool is_alertmanager_there) {
  if (settings_.provider_webhook.empty()) return;
  const auto now = clock_.steady();
  const bool is_told = outage.told && now - *outage.told < kToldAgainAfter;
  const bool tells = outage.is_due && !is_alertmanager_there && !is_told;
  const bool ends = outage.told && !outage.since;
  if (!tells && !ends) return;
  auto alert = alert_of(outage);
  if (ends) alert.ends_ms = clock_.wall_ms();
  auto sent = send_to_webhook(client_, settings_.provider_webhook, alert, tells);
  if (!sent) {
    failures_.add();
    service::log_warn("outage not told", {{"error", sent.error().message}});
    return;
  }
  if (tells) {
    outage.told = now;
  } else {
    outage.told.reset();
  }
}

}  // namespace vigia::monitor::alerting
