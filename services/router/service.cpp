#include "services/router/service.hpp"

#include <algorithm>
#include <utility>

#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/frame.hpp"
#include "libs/service/heap.hpp"
#include "libs/service/log.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/router/gateway.hpp"

namespace vigia::router {
namespace {

// Of one store, beside those of requests that have their turn: the router's own questions about
// what it holds wait behind nobody.
constexpr std::size_t kOwnConnections = 4;
constexpr std::size_t kBodyBytesMax = 2U << 20U;  // a query of 256 KiB, every byte of it escaped

std::unique_ptr<net::Client> light_client(const upstream::LaneSettings& lanes) {
  net::ClientSettings settings;
  settings.connections_per_host_max = lanes.usual.at_once_max + kOwnConnections;
  return net::Client::create(settings);
}

std::unique_ptr<net::Client> costly_client(const upstream::LaneSettings& lanes) {
  net::ClientSettings settings;
  // Look-ups have half of the usual places, and the counts of a query in its turn as many beside.
  settings.connections_per_host_max = lanes.usual.at_once_max + lanes.unknown_at_once_max +
                                      lanes.heavy_at_once_max +
                                      upstream::Lanes::kOperatorsAtOnceMax;
  return net::Client::create(settings);
}

/// Members in order of start; destruction runs backwards.
class Router final : public service::Running {
 public:
  Router(Settings settings, std::unique_ptr<net::Client> directory_client,
         std::unique_ptr<tenancy::DirectorySource> directory)
      : settings_(std::move(settings)),
        directory_client_(std::move(directory_client)),
        directory_(std::move(directory)),
        light_client_(light_client(settings_.stores.lanes)),
        costly_client_(costly_client(settings_.stores.lanes)),
        stores_(settings_.stores, {*light_client_, *costly_client_}, metrics_, clock_),
        kept_(settings_.cache),
        access_(*directory_, clock_, settings_.query_limits),
        slow_(settings_.slow_query, metrics_, clock_),
        gateway_(
            stores_, kept_, access_, metrics_, slow_, settings_.in_flight_max,
            [this] { return directory_->current() != nullptr; }, settings_.tails_per_customer_max) {
  }

  /// What the stores still owe speaks to parts that end before the client.
  ~Router() override {
    light_client_->close();
    costly_client_->close();
    stores_.stop_reading();
  }
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  Result<void> listen() {
    metrics_.on_collect([this](const service::MetricRegistry::Emit& emit) { collect(emit); });
    if (auto shown = frame_.show_metrics(settings_.metrics_listen); !shown) return shown;
    net::ServerSettings server;
    server.name = "router";
    server.listen = settings_.listen;
    server.body_bytes_max = kBodyBytesMax;
    server.header_bytes_max = 512U << 10U;  // a GET carries its query in the first line
    server.tls = settings_.tls;
    server.trusted_proxies = settings_.trusted_proxies;
    // One address may have all that one customer may.
    server.answer_bytes_max =
        std::max<std::size_t>(server.answer_bytes_max, 2 * settings_.stores.answer_bytes_max);
    auto opened = frame_.open_to_clients(std::move(server), gateway_);
    if (!opened) return forward(opened);
    service::log_info("listening",
                      {{"address", frame_.address()}, {"metrics", frame_.metrics_address()}});
    return {};
  }

  void stop(TimePoint deadline) noexcept override { frame_.stop(deadline); }

 private:
  void collect(const service::MetricRegistry::Emit& emit) {
    emit("vigia_router_directory_age_seconds", "Since the directory was last known to be true",
         service::MetricType::kGauge, {}, directory_->age_seconds());
    emit("vigia_router_directory_refresh_failures_total", "Refreshes of the directory that failed",
         service::MetricType::kCounter, {}, static_cast<double>(directory_->refresh_failures()));
    emit("vigia_router_directory_is_stale",
         "1 while the directory has not been known to be true for two minutes",
         service::MetricType::kGauge, {}, directory_->is_stale() ? 1 : 0);
    emit("vigia_router_directory_cache_failures_total", "Writes of its cache that failed",
         service::MetricType::kCounter, {}, static_cast<double>(directory_->cache_failures()));
    emit("vigia_router_directory_cache_damaged",
         "Files of its cache that were damaged at the start", service::MetricType::kGauge, {},
         static_cast<double>(directory_->cache_damages()));
    emit("vigia_router_directory_is_doubted",
         "1 while the monitor's snapshot is doubted and kept out", service::MetricType::kGauge, {},
         directory_->is_doubted() ? 1 : 0);
    emit("vigia_router_spool_bytes", "Of answers of over 1 MiB on the disk, not read yet",
         service::MetricType::kGauge, {}, static_cast<double>(stores_.spool().bytes()));
    collect_stores(emit);
    collect_cache(emit);
    collect_coverage(emit);
  }

  void collect_coverage(const service::MetricRegistry::Emit& emit) {
    std::size_t number = 0;
    for (const stores::HotShard& shard : settings_.stores.hot_shards) {
      for (std::size_t i = 0; i < shard.urls().size(); ++i) {
        service::MetricLabels labels{{"shard", shard.name}};
        if (!shard.other_url.empty()) labels.emplace_back("member", shard.member_name(i));
        const auto from = stores_.coverage().covered_from(number++);
        emit("vigia_router_hot_covered_seconds",
             "How far back the hot store is known to hold everything; 0: nothing is known",
             service::MetricType::kGauge, labels,
             from ? std::max(static_cast<double>(clock_.wall_ms() - *from) / 1'000, 0.0) : 0);
      }
    }
  }

  void collect_cache(const service::MetricRegistry::Emit& emit) {
    kept_.let_old_go(clock_.steady());
    const cache::CacheStats stats = kept_.stats();
    const auto count = [&](const char* name, const char* help, const char* label,
                           std::initializer_list<std::pair<const char*, std::uint64_t>> all) {
      for (const auto& [value, number] : all) {
        emit(name, help, service::MetricType::kCounter, {{label, value}},
             static_cast<double>(number));
      }
    };
    count("vigia_router_cache_queries_total",
          "Range queries of which past steps may be kept, by how many were", "found",
          {{"all", stats.all}, {"some", stats.some}, {"none", stats.nothing}});
    count("vigia_router_cache_dropped_total",
          "Answers that are kept no more: the past was written to, too old, or without room", "why",
          {{"written", stats.outdated}, {"aged", stats.aged}, {"room", stats.crowded}});
    emit("vigia_router_cache_bytes", "Of past steps that are kept", service::MetricType::kGauge, {},
         static_cast<double>(stats.bytes));
    emit("vigia_router_cache_answers", "Answers whose past steps are kept",
         service::MetricType::kGauge, {}, static_cast<double>(stats.answers));
  }

  void collect_stores(const service::MetricRegistry::Emit& emit) const {
    if (stores_.cold() != nullptr) {
      emit("vigia_router_cold_store_is_replaced",
           "1 while another cold store stands in the place of the one that was known",
           service::MetricType::kGauge, {}, stores_.cold_replacement() ? 1 : 0);
    }
    const auto& stores = stores_.watch().stores();
    for (std::size_t i = 0; i < stores.size(); ++i) {
      const auto seen = stores_.watch().seen(i);
      const service::MetricLabels labels{{"store", stores[i].name}};
      emit("vigia_router_store_answers", "1 while the store answers the router's looks at it",
           service::MetricType::kGauge, labels,
           seen.condition == upstream::StoreHealth::Condition::kAnswers ? 1 : 0);
      if (!stores[i].has_flags) continue;
      emit("vigia_router_store_is_unbounded",
           "1 where one query may hold more of a store than 5 million samples, or hides it",
           service::MetricType::kGauge, labels, seen.is_unbounded ? 1 : 0);
      if (!seen.samples_max) continue;
      emit("vigia_router_store_query_samples_max", "The store's own --query.max-samples",
           service::MetricType::kGauge, labels, static_cast<double>(*seen.samples_max));
    }
  }

  const Settings settings_;
  const SystemClock clock_;
  service::MetricRegistry metrics_;
  std::unique_ptr<net::Client> directory_client_;
  std::unique_ptr<tenancy::DirectorySource> directory_;
  std::unique_ptr<net::Client> light_client_;
  std::unique_ptr<net::Client> costly_client_;
  stores::Stores stores_;
  cache::KeptAnswers kept_;
  access::Access access_;
  request::SlowQueries slow_;
  Gateway gateway_;
  service::ServiceFrame frame_{metrics_};
};

}  // namespace

Result<std::unique_ptr<service::Running>> start(Settings settings) {
  service::return_large_blocks();
  if (auto checked = spool::Spool::check(settings.stores.spool); !checked) return forward(checked);
  auto directory_client = net::Client::create({});
  auto directory = tenancy::DirectorySource::start(settings.directory, *directory_client);
  if (!directory) return forward(directory);
  auto router = std::make_unique<Router>(std::move(settings), std::move(directory_client),
                                         std::move(*directory));
  auto listening = router->listen();
  if (!listening) return forward(listening);
  return router;
}

service::ProgramDescription describe_program() {
  return service::describe_service(
      "vigia-router", "Answers queries: fences each to its customer and asks hot or cold.",
      settings_help(), read_settings, start);
}

}  // namespace vigia::router
