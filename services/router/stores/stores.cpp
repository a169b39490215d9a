#include "services/router/stores/stores.hpp"

#include <algorithm>

namespace vigia::router::stores {

Stores::Stores(const StoresSettings& settings, upstream::UpstreamClients clients,
               service::MetricRegistry& metrics, const Clock& clock)
    : settings_(settings),
      clock_(clock),
      shares_({settings.answer_bytes_max, settings.answers_bytes_total_max}),
      spool_(settings.spool, metrics, clock),
      known_cold_(settings.cold_known_file, disk_log::system_files()) {
  const auto upstream = [&](std::string name, std::string url) {
    return upstream::UpstreamSettings{std::move(name), std::move(url), "",
                                      settings.answer_bytes_max, settings.lanes};
  };
  const auto make = [&](upstream::UpstreamSettings chosen) {
    return upstream::Upstream(clients, std::move(chosen), {shares_, spool_, readers_}, metrics,
                              clock);
  };
  for (const HotShard& shard : settings.hot_shards) {
    hot_.push_back(make(upstream(shard.name, shard.url)));
  }
  if (!settings.query_url.empty()) query_.emplace(make(upstream("query", settings.query_url)));
  if (!settings.cold_url.empty()) {
    upstream::UpstreamSettings cold = upstream("cold", settings.cold_url);
    cold.token = settings.cold_token;
    cold.tls = settings.cold_tls;
    cold.knows_customers = true;
    cold_.emplace(make(std::move(cold)));
  }
  coverage_ = std::make_unique<coverage::Coverage>(settings.coverage, hot_, clock);
  cold_holes_ = std::make_unique<coverage::ColdHoles>(query(), clock);
  watch_ = std::make_unique<upstream::StoreWatch>(
      watched(),
      [this](std::size_t index, const upstream::StoreHealth& health,
             const upstream::StoreWatch::Identity& identity) {
        heed(index, health);
        heed_identity(identity);
      },
      clock);
}

/// Hot by shard, then prometheus-query, then storage, as far as there are any.
std::vector<upstream::WatchedStore> Stores::watched() const {
  std::vector<upstream::WatchedStore> stores;
  for (const HotShard& shard : settings_.hot_shards) {
    stores.push_back({shard.name, shard.url, "/-/healthy", true});
  }
  if (query_) stores.push_back({query_->name(), settings_.query_url, "/-/healthy", true});
  if (cold_) {
    stores.push_back({cold_->name(), settings_.cold_url, "/health", false, settings_.cold_tls});
  }
  return stores;
}

void Stores::heed(std::size_t index, const upstream::StoreHealth& health) {
  const bool is_silent = health.condition() == upstream::StoreHealth::Condition::kSilent;
  const auto set = [&health](const upstream::Upstream& store, bool is_away) {
    store.reach().set_away(is_away);
    // At each look: one may have begun just when the store went away.
    if (health.is_lost()) store.reach().break_off();
  };
  if (index < hot_.size()) return set(hot_[index], is_silent);
  const bool is_query = query_ && index == hot_.size();
  (is_query ? is_query_silent_ : is_cold_silent_) = is_silent;
  // prometheus-query reads storage for each query: it cannot answer without it.
  if (query_) set(*query_, is_query_silent_ || is_cold_silent_);
  if (!is_query) set(*cold_, is_silent);
}

std::string Stores::cold_gaps() const {
  return cold_ ? watch_->seen(watch_->stores().size() - 1).lacks : std::string();
}

/// Of storage alone: no other store says one.
void Stores::heed_identity(const upstream::StoreWatch::Identity& identity) {
  if (!identity) return;
  known_cold_.note(identity, clock_.wall_ms());
  if (known_cold_.is_due()) readers_.read("", [this] { known_cold_.keep(); });
}

std::optional<std::size_t> Stores::shard_of(const access::Caller& caller) const {
  if (!caller.customer) return hot_.size() == 1 ? std::optional<std::size_t>(0) : std::nullopt;
  const auto found = std::find_if(hot_.begin(), hot_.end(), [&](const upstream::Upstream& shard) {
    return shard.name() == caller.hot_shard;
  });
  if (found == hot_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - hot_.begin());
}

std::vector<const upstream::Upstream*> Stores::hot_of(const access::Caller& caller) const {
  std::vector<const upstream::Upstream*> found;
  if (const auto own = shard_of(caller)) {
    found.push_back(&hot_[*own]);
  } else if (!caller.customer) {
    for (const upstream::Upstream& shard : hot_) found.push_back(&shard);
  }
  return found;
}

coverage::Covered Stores::covered(std::size_t shard, const access::Caller& caller) const {
  coverage::Covered covered = coverage_->covered(shard, caller.customer);
  if (covered.from) covered.from = std::max(*covered.from, caller.assigned_ms);
  return covered;
}

}  // namespace vigia::router::stores
