#include "services/router/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "libs/service/doors.hpp"
#include "libs/service/proxies.hpp"

namespace vigia::router {
namespace {

// Requests at one store at once, whatever the configuration says; as many connections are kept.
constexpr std::size_t kRequestsAtStoreMost = 256;

void read_pair(const service::ConfigNode& node, stores::HotShard& shard) {
  const std::vector<service::ConfigNode> items = node.items();
  if (items.empty() || items.size() > 2) {
    node.note_error("must be the address of one Prometheus, or the two of a pair");
    return;
  }
  shard.url = service::read_url(items.front(), true);
  if (items.size() == 1) return;
  shard.other_url = service::read_url(items.back(), true);
  if (shard.other_url != shard.url) return;
  items.back().note_error(
      "the same address stands there twice: each member of a pair is a store of its own");
}

stores::HotShard read_shard(const service::ConfigNode& node) {
  stores::HotShard shard;
  shard.name = node.child("name").required_text();
  const service::ConfigNode url = node.child("url");
  const service::ConfigNode urls = node.child("urls");
  if (urls.is_present()) {
    if (url.is_present()) url.note_error("is given beside urls: one of the two is meant");
    read_pair(urls, shard);
  } else {
    shard.url = service::read_url(url, true);
  }
  return shard;
}

/// Each Prometheus has a name of its own, in metrics and in the log.
void check_names(const stores::HotShard& shard, const std::vector<stores::HotShard>& others,
                 const service::ConfigNode& name) {
  for (const stores::HotShard& other : others) {
    if (other.name == shard.name) {
      name.note_error(fmt::format("the shard {} stands there twice", shard.name));
    }
    for (std::size_t i = 0; i < shard.urls().size(); ++i) {
      for (std::size_t k = 0; k < other.urls().size(); ++k) {
        if (other.name == shard.name || other.member_name(k) != shard.member_name(i)) continue;
        name.note_error(
            fmt::format("{} is the name of a member of another shard, too", shard.member_name(i)));
      }
    }
  }
}

std::vector<stores::HotShard> read_shards(const service::ConfigNode& node) {
  std::vector<stores::HotShard> shards;
  for (const service::ConfigNode& item : node.items()) {
    stores::HotShard shard = read_shard(item);
    check_names(shard, shards, item.child("name"));
    shards.push_back(std::move(shard));
  }
  if (shards.empty()) node.note_error("at least one hot shard {name, url} is needed");
  return shards;
}

upstream::LaneSettings read_lanes(const service::ConfigNode& node) {
  upstream::LaneSettings lanes;
  upstream::TurnSettings& turns = lanes.usual;
  const auto read = [&node](std::string_view key, std::size_t usual, std::size_t most) {
    return static_cast<std::size_t>(
        node.child(std::string(key))
            .integer(static_cast<std::int64_t>(usual), 1, static_cast<std::int64_t>(most)));
  };
  turns.at_once_max = read("at_once_max", turns.at_once_max, kRequestsAtStoreMost);
  // Each default gives way to a smaller bound above it: a file that sets only at_once_max must not
  // be refused because of a key that is not in it.
  turns.per_customer_max = read(
      "per_customer_max", std::min(turns.per_customer_max, turns.at_once_max), turns.at_once_max);
  turns.slow_per_customer_max =
      read("slow_per_customer_max", std::min(turns.slow_per_customer_max, turns.per_customer_max),
           turns.per_customer_max);
  lanes.unknown_at_once_max =
      read("unknown_at_once_max", lanes.unknown_at_once_max, kRequestsAtStoreMost);
  lanes.heavy_at_once_max =
      read("heavy_at_once_max", lanes.heavy_at_once_max, kRequestsAtStoreMost);
  return lanes;
}

/// Beside the directory's cache unless a place is named: both must outlast a restart.
void read_cold(const service::ConfigNode& node, const std::string& cache_file,
               stores::StoresSettings& stores) {
  stores.cold_url = service::read_url(node.child("url"), false);
  stores.cold_token = node.child("token").text();
  const service::ConfigNode tls = node.child("tls");
  stores.cold_tls = service::read_client_tls(tls);
  if (stores.cold_tls && !stores.cold_url.starts_with("https://")) {
    tls.note_error("has no effect: cold.url is not https://");
  }
  stores.cold_known_file = node.child("known_file").text();
  if (stores.cold_known_file.empty() && !cache_file.empty()) {
    stores.cold_known_file = cache_file + ".cold-store";
  }
}

coverage::CoverageSettings read_coverage(const service::ConfigNode& root) {
  coverage::CoverageSettings coverage;
  coverage.edge = root.child("edge").duration(coverage.edge);
  if (coverage.edge.count() <= 0) root.child("edge").note_error("must be longer than 0");
  const service::ConfigNode heartbeat = root.child("heartbeat");
  coverage.heartbeat_poll = heartbeat.child("poll").duration(coverage.heartbeat_poll);
  coverage.heartbeat_gap_max = heartbeat.child("gap_max").duration(coverage.heartbeat_gap_max);
  if (coverage.heartbeat_poll < std::chrono::milliseconds(100)) {
    heartbeat.child("poll").note_error("must be 100ms or longer");
  }
  return coverage;
}

/// Beside the directory's cache unless a folder is named: it is on a disk, and may be written to.
spool::SpoolSettings read_spool(const service::ConfigNode& node, const std::string& cache_file) {
  spool::SpoolSettings spool;
  const char* temporary = std::getenv("TMPDIR");
  if (!cache_file.empty()) {
    spool.folder = std::filesystem::path(cache_file).parent_path().string();
    if (spool.folder.empty()) spool.folder = ".";
  } else if (temporary != nullptr && *temporary != '\0') {
    spool.folder = temporary;
  }
  if (const std::string named = node.child("dir").text(); !named.empty()) spool.folder = named;
  spool.bytes_max = node.child("bytes_max").bytes(spool.bytes_max);
  spool.bytes_total_max = node.child("bytes_total_max").bytes(spool.bytes_total_max);
  spool.free_bytes_min = node.child("free_bytes_min").bytes(spool.free_bytes_min);
  return spool;
}

access::QueryLimits read_query_limits(const service::ConfigNode& node) {
  access::QueryLimits limits;
  const auto count = [&node](std::string_view key, std::uint64_t& value) {
    constexpr std::int64_t kMost = 1'000'000'000'000;
    value = static_cast<std::uint64_t>(
        node.child(std::string(key)).integer(static_cast<std::int64_t>(value), 0, kMost));
  };
  const auto length = [&node](std::string_view key, Duration& value) {
    const service::ConfigNode child = node.child(std::string(key));
    value = child.duration(value);
    // The limit is told in seconds, as customers have it.
    const bool is_whole = value % std::chrono::seconds(1) == Duration::zero();
    if (value < Duration::zero() || !is_whole)
      child.note_error("must be whole seconds, or 0: none");
  };
  length("range", limits.range);
  count("steps", limits.steps);
  count("series", limits.series);
  count("samples", limits.samples);
  limits.bytes = node.child("bytes").bytes(limits.bytes);
  length("time", limits.time);
  length("log_time", limits.log_time);
  count("log_lines", limits.log_lines);
  limits.log_bytes = node.child("log_bytes").bytes(limits.log_bytes);
  length("log_work", limits.log_work);
  return limits;
}

cache::CacheSettings read_cache(const service::ConfigNode& node) {
  cache::CacheSettings cache;
  cache.total_max = node.child("bytes_total_max").bytes(cache.total_max);
  cache.customer_max = node.child("bytes_customer_max").bytes(cache.customer_max);
  return cache;
}

}  // namespace

Result<Settings> read_settings(const service::ConfigFile& file) {
  Settings settings;
  const service::ConfigNode root = file.root();
  settings.listen = service::read_listen(root.child("listen"), settings.listen);
  settings.tls = service::read_server_tls(root.child("tls"));
  settings.trusted_proxies = service::read_trusted_proxies(root.child("trusted_proxies"));
  settings.metrics_listen =
      service::read_listen(root.child("metrics").child("listen"), settings.metrics_listen);
  settings.directory = tenancy::read_directory_settings(root.child("directory"));
  settings.stores.hot_shards = read_shards(root.child("hot").child("shards"));
  settings.stores.query_url = service::read_url(root.child("query").child("url"), false);
  read_cold(root.child("cold"), settings.directory.cache_file, settings.stores);
  settings.stores.coverage = read_coverage(root);
  settings.stores.query_timeout =
      root.child("query_timeout").duration(settings.stores.query_timeout);
  if (settings.stores.query_timeout < std::chrono::seconds(1)) {
    root.child("query_timeout").note_error("must be 1s or longer");
  }
  constexpr std::int64_t kInFlightMost = 10'000;
  settings.in_flight_max = static_cast<std::size_t>(
      root.child("in_flight_max")
          .integer(static_cast<std::int64_t>(settings.in_flight_max), 1, kInFlightMost));
  settings.tails_per_customer_max = static_cast<std::size_t>(
      root.child("tails_per_customer_max")
          .integer(static_cast<std::int64_t>(settings.tails_per_customer_max), 1, kInFlightMost));
  settings.slow_query = root.child("slow_query").duration(settings.slow_query);
  if (settings.slow_query < Duration::zero()) {
    root.child("slow_query").note_error("must not be less than 0");
  }
  settings.query_limits = read_query_limits(root.child("query_limits"));
  settings.stores.lanes = read_lanes(root.child("at_store"));
  settings.stores.answer_bytes_max =
      root.child("answer_bytes_max").bytes(settings.stores.answer_bytes_max);
  settings.stores.answers_bytes_total_max =
      root.child("answers_bytes_total_max").bytes(settings.stores.answers_bytes_total_max);
  settings.stores.spool = read_spool(root.child("spool"), settings.directory.cache_file);
  settings.cache = read_cache(root.child("cache"));
  if (auto finished = file.finish(); !finished) return forward(finished);
  return settings;
}

std::string settings_help() {
  return R"(listen: 127.0.0.1:9095
tls: {cert_file: "", key_file: ""}        # absent: plain HTTP; with client_ca_file clients must
                                          # show a certificate that it has signed; also
                                          # min_version: "1.2", reload_interval: 1s,
                                          # client_ca_file_reload: true
trusted_proxies: []                       # reverse proxies: their connections have no share by
                                          # address, X-Forwarded-For counts; [10.0.0.0/8, …]
metrics: {listen: 127.0.0.1:9195}         # own metrics
directory: {file: customers.yaml}         # or {url: …, token: …, cache_file: …}; max_stale: 0,
                                          # doubt_max: 15m (a snapshot that goes back or loses
                                          # customers is kept out so long)
hot: {shards: [{name: hot-0, url: "http://127.0.0.1:9090"}]}
                                          # of a pair, each written and scraped, urls: [A, B]
query: {url: ""}                          # prometheus-query; absent: hot answers everything
cold: {url: "", token: "", known_file: ""}  # storage: labels, values, series, traces; known_file
                                          # keeps which store it is over restarts, so that another
                                          # in its place is told (default: CACHE_FILE.cold-store);
                                          # of https:// tls: {ca_file, cert_file, key_file}
edge: 30d                                 # how far back hot is asked at most
heartbeat: {poll: 2s, gap_max: 150s}
query_timeout: 2m
slow_query: 5s                            # what takes as long has a line in the log; 0: nothing has
in_flight_max: 64                         # requests of one customer at once; more get 429
tails_per_customer_max: 10                # live tails of one customer at once; more get 429
query_limits:                             # what one query may take, of customers whose own limits
                                          # say nothing (query_range_seconds, query_steps, …) and
                                          # of operators; more gets 422. 0: none
  range: 0                                # from the earliest to the latest time that it touches
  steps: 0                                # of a range query; 11,000 are the most in any case
  series: 500000                          # that are counted before, or answered with
  samples: 5000000                        # that a store says it held for it at once
  bytes: 0                                # of an answer; answer_bytes_max in any case
  time: 0                                 # query_timeout in any case
  log_time: 60s                           # the same of a log query
  log_lines: 0                            # that a log query looks at
  log_bytes: 1GiB                         # of their texts
  log_work: 10s                           # of a processor
at_store:                                 # requests at one store at once; the rest waits its turn;
                                          # operators' costly ones have two places of their own
  at_once_max: 20                         # of all customers
  per_customer_max: 8                     # of one whose requests are quick
  slow_per_customer_max: 1                # of one whose are not, and of its costly ones
                                          # together; half of this machine's cores
  unknown_at_once_max: 4                  # queries like which none was seen; one of a customer
  heavy_at_once_max: 2                    # known to hold much of the store; one of a customer
answer_bytes_max: 256MiB                  # of one answer; of a customer's, arriving or unread
answers_bytes_total_max: 1GiB             # of all customers' together; each has a share of it
spool:                                    # where answers to queries of over 1 MiB lie until they
                                          # are read, in files without names
  dir: ""                                 # on a disk; default: beside directory.cache_file, else
                                          # $TMPDIR, else /var/tmp
  bytes_max: 1GiB                         # of one customer's together; more get 429
  bytes_total_max: 4GiB                   # of all customers' together; each has a share of it
  free_bytes_min: 256MiB                  # left on the disk for others, and a tenth of it at most:
                                          # answers get 429 then
cache: {bytes_total_max: 256MiB, bytes_customer_max: 64MiB}  # past steps of range queries' answers;
                                          # 0: none. Of no use without cold, nor with a storage
                                          # that shares its store with others (Cassandra)
)";
}

}  // namespace vigia::router
