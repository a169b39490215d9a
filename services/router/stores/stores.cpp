#include "services/router/stores/stores.hpp"

#include <algorithm>

#include "libs/tenancy/hot_shards.hpp"
#include "services/router/stores/sticky_place.hpp"

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
    const std::vector<std::string> urls = shard.urls();
    const Places places{hot_.size(), urls.size()};
    for (std::size_t i = 0; i < urls.size(); ++i) {
      hot_.push_back(make(upstream(shard.member_name(i), urls[i])));
    }
    add_shard(shard, places);
  }
  if (!settings.query_url.empty()) query_.emplace(make(upstream("query", settings.query_url)));
  if (!settings.cold_url.empty()) {
    upstream::UpstreamSettings cold = upstream("cold", settings.cold_url);
    cold.token = settings.cold_token;
    cold.tls = settings.cold_tls;
    cold.knows_customers = true;
    cold_.emplace(make(std::move(cold)));
  }
  coverage_ = std::make_unique<coverage::Coverage>(settings.coverage, hot_stores(), clock);
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

void Stores::add_shard(const HotShard& shard, const Places& places) {
  const std::size_t number = shards_.size();
  places_.push_back(places);
  // Lists and the like go to whoever has most of the past.
  shards_.emplace_back(shard.name, [this, number](const std::optional<CustomerId>& customer) {
    access::Caller caller;
    caller.customer = customer;
    std::vector<const upstream::AskedStore*> order;
    for (const auto& member : coverage::furthest_first(members_of(number, caller))) {
      order.push_back(&hot_[member.number]);
    }
    return order;
  });
}

std::vector<coverage::HotStore> Stores::hot_stores() const {
  std::vector<coverage::HotStore> stores;
  for (std::size_t shard = 0; shard < places_.size(); ++shard) {
    const Places& places = places_[shard];
    for (std::size_t i = 0; i < places.count; ++i) {
      stores.push_back({&hot_[places.first + i], shards_[shard].name(), places.count > 1});
    }
  }
  return stores;
}

/// Hot by member, then prometheus-query, then storage, as far as there are any.
std::vector<upstream::WatchedStore> Stores::watched() const {
  std::vector<upstream::WatchedStore> stores;
  for (const HotShard& shard : settings_.hot_shards) {
    const std::vector<std::string> urls = shard.urls();
    for (std::size_t i = 0; i < urls.size(); ++i) {
      stores.push_back({shard.member_name(i), urls[i], "/-/healthy", true});
    }
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

promql::Language Stores::language() const {
  const auto hot = promql::language_of(coverage_->version(), std::nullopt);
  promql::Language all = hot.value_or(promql::Dialect::kPrometheus2);
  for (std::size_t i = 0; i < watch_->stores().size(); ++i) {
    const auto one = watch_->seen(i).language;
    if (one) all = promql::common_language(all, *one);
  }
  return all;
}

std::string Stores::query_version() const {
  return query_ ? watch_->seen(hot_.size()).version : std::string();
}

std::string Stores::cold_gaps() const {
  return cold_ ? watch_->seen(watch_->stores().size() - 1).lacks : std::string();
}

/// Of storage alone: no other store says one.
void Stores::heed_identity(const upstream::StoreWatch::Identity& identity) {
  if (!identity) return;
  known_cold_.note(identity, clock_.wall_ms());
  if (known_cold_.is_due()) readers_.read("", 0, [this] { known_cold_.keep(); });
}

std::optional<std::size_t> Stores::find_shard(std::string_view name) const {
  const auto found = std::find_if(shards_.begin(), shards_.end(),
                                  [&](const AskedShard& shard) { return shard.name() == name; });
  if (found == shards_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - shards_.begin());
}

std::optional<std::size_t> Stores::shard_of(const access::Caller& caller) const {
  if (!caller.customer) return shards_.size() == 1 ? std::optional<std::size_t>(0) : std::nullopt;
  if (caller.hot_shards.size() > 1) return std::nullopt;
  return find_shard(caller.hot_shard);
}

std::optional<std::size_t> Stores::shard_of_node(const access::Caller& caller,
                                                 std::string_view node_id) const {
  return find_shard(caller.hot_shards[tenancy::shard_of_node(caller.hot_shards, node_id)]);
}

std::vector<const AskedShard*> Stores::hot_of(const access::Caller& caller) const {
  std::vector<const AskedShard*> found;
  if (!caller.customer) {
    for (const AskedShard& shard : shards_) found.push_back(&shard);
  } else if (caller.hot_shards.size() > 1) {
    for (const std::string& name : caller.hot_shards) {
      if (const auto shard = find_shard(name)) found.push_back(&shards_[*shard]);
    }
  } else if (const auto own = shard_of(caller)) {
    found.push_back(&shards_[*own]);
  }
  return found;
}

std::vector<coverage::HotMember> Stores::members_of(std::size_t shard,
                                                    const access::Caller& caller) const {
  const Places& places = places_[shard];
  const std::size_t begin = sticky_place(caller.payer(), places.count);
  std::vector<coverage::HotMember> members;
  for (std::size_t i = 0; i < places.count; ++i) {
    const std::size_t number = places.first + (begin + i) % places.count;
    members.push_back({number, covered(number, caller)});
  }
  std::stable_partition(members.begin(), members.end(), [&](const coverage::HotMember& member) {
    return watch_->seen(member.number).condition == upstream::StoreHealth::Condition::kAnswers;
  });
  return members;
}

std::vector<std::size_t> Stores::members_beside(const std::optional<std::size_t>& shard) const {
  std::vector<std::size_t> numbers;
  for (std::size_t other = 0; other < places_.size(); ++other) {
    if (other == shard) continue;
    for (std::size_t i = 0; i < places_[other].count; ++i) {
      numbers.push_back(places_[other].first + i);
    }
  }
  return numbers;
}

coverage::Covered Stores::covered(std::size_t member, const access::Caller& caller) const {
  coverage::Covered covered = coverage_->covered(member, caller.customer);
  if (covered.from) covered.from = std::max(*covered.from, caller.assigned_ms);
  return covered;
}

}  // namespace vigia::router::stores
