#include "services/storage/settings.hpp"

#include "libs/service/doors.hpp"
#include "libs/service/internal_token.hpp"

namespace vigia::storage {
namespace {

constexpr std::uint64_t kMemoryMin = 256U << 20U;
constexpr Duration kLateMaxMin = std::chrono::hours(24);

// The key that is there says which kind; without any the one of a single machine is asked for.
StoreSettings read_store(const service::ConfigNode& store, std::uint64_t memory_max) {
  StoreSettings settings;
  const service::ConfigNode cassandra = store.child("cassandra");
  const service::ConfigNode rocksdb = store.child("rocksdb");
  if (!cassandra.is_present()) {
    settings.rocksdb = store::rocksdb::kv::read_rocksdb(rocksdb, memory_max);
    return settings;
  }
  settings.kind = "cassandra";
  settings.cassandra = store::cassandra::read_cassandra(cassandra);
  if (!rocksdb.is_present()) return settings;
  rocksdb.accept_all();
  rocksdb.note_error("store.cassandra is there, too: a store is one of the two");
  return settings;
}

constexpr std::int64_t kExemplarsPerMinuteMax = 10'000;
constexpr std::int64_t kMetadataMaxMax = 100'000;

// Below a day it would refuse what a collector sends after an outage of one night.
Duration read_late_max(const service::ConfigNode& node) {
  const Duration late_max = node.duration(Duration());
  if (late_max != Duration() && late_max < kLateMaxMin) node.note_error("0, or at least 1d");
  return late_max;
}

store::cassandra::KeptFor kept_for(const retention::Keeps& keeps) {
  using retention::DataKind;
  return {{keeps[DataKind::kRaw], keeps[DataKind::kRollup5m], keeps[DataKind::kRollup1h],
           keeps[DataKind::kRollup1d]},
          {keeps[DataKind::kTraces], keeps[DataKind::kLogs]}};
}

}  // namespace

std::string settings_help() {
  return R"(listen: 127.0.0.1:9096          remote write and read, labels, OTLP, health
tls: {cert_file, key_file}      of that port; absent: plain. With client_ca_file only clients
                                whose certificate it has signed are let in, for /health, too
metrics: {listen: 127.0.0.1:9196}   own metrics, plain
internal_token: ...             what callers carry as Authorization: Bearer; required
store:
  create: if_missing            or never: where the directory is empty the start waits
  known_file: ...               which store was here, kept outside of its directory so that one that
                                comes up empty is noticed; default: DIRECTORY.known
  checkpoints:                  copies made by POST /api/v1/checkpoint, of rocksdb alone
    directory: ...              on the file system of the store's; default: DIRECTORY.checkpoints
    keep: 3                     at most; the oldest goes
  rocksdb:
    directory: ...              required; the write-ahead log lies in its folder wal
    cache: 64MiB                blocks of the store kept in memory
    write_buffer: 32MiB         per kind of data; a quarter of it for the index
    scrub: 7d                   what a pass over all files takes that looks for damage; off: none
  cassandra:                    instead of rocksdb, for several machines
    directory: ...              required; of this instance alone: the write-ahead log lies there
    contact_points: [host:9042] required; one node or more, from which the others are learnt
    keyspace: observability     made where it is not there
    datacenter: datacenter1     as the nodes call it; no node of another is asked
    replication_factor: 3       copies in it, 1 to 9
    lease: 60s                  after so long without a sign of life of this instance others take
                                over what it has open; 3s to 1h, longer than a restart takes
    gather: 10m                 so long closed chunks wait here for others of their metric, so that
                                rows are fewer and larger; 0s to 30m, 0s: not at all
    speculative_after: 500ms    where a node has not answered for so long, a second one is asked
                                the same; 100ms to 5s, 0s: never
    peers: [https://b:9096]     all instances on the keyspace, this one may be among them: each
                                asks the others for what they have open. None: answers of a
                                second instance's keyspace say that they may be incomplete
    peers_tls: {ca_file, cert_file, key_file}   of https; absent: the system's authorities
    user: ...                   with password; absent: no log-in
    tls: {ca_file, cert_file, key_file}   absent: plain; cert_file and key_file only where nodes ask
memory_max: 1GiB                of the process, 256MiB at least: buffers, requests under way, late
                                samples, answers, open series (3/8; 0.6 KiB each) and known ones
                                (1/16) take their shares of it; above it whoever holds most is
                                refused, retryably
log: {bytes_max: 10GiB}         write-ahead log: at the cap writes are refused, retryably
exemplars_per_minute: 1000      of a customer; others are counted and not kept; 0: none are kept
metadata_max: 20000             metrics of a customer of which type, unit and help are kept; 0: none
late_max: 0                     samples older than that are refused as too_old, the rest of their
                                request is stored; 0: none are. Above what senders may keep while
                                they cannot reach the store
heal:                           absent: off. What a hot Prometheus makes itself (up, ALERTS,
                                recorded names) and is missing here is fetched from it
  prometheus: http://...        required
  tls: {ca_file, cert_file, key_file}   of https; absent: the system's authorities
  interval: 1h                  which stretches are compared, 1s to 24h
  settle: 10m                   how long one must be over: until then Prometheus sends by itself
  back: 7d                      where a first start begins; who comes later begins then
retention:                      0 keeps for ever
  raw: 400d
  rollup_5m: 2y                 roll-ups, made of each day once it is over; off: none are stored,
  rollup_1h: 2y                 and what there is goes at the first sweeps where it is older than
  rollup_1d: 5y                 30 days
  traces: 30d
  logs: 30d
  interval: 10m                 how often what is too old is looked for, never at the start
retention_classes:              of customers who are kept longer or shorter, by name; what a class
  long: {raw: 2y, logs: 90d}    does not name is as retention says
retention_customers_file: ...   who has which: `customers: [{id: cliente-a, class: long}]`; others
                                are kept as retention says. Looked at each second. Longer counts
                                at once, shorter after an hour, or when a person confirms it
)";
}

Result<Settings> read_settings(const service::ConfigFile& file) {
  Settings settings;
  const service::ConfigNode root = file.root();
  settings.listen = service::read_listen(root.child("listen"), settings.listen);
  settings.tls = service::read_server_tls(root.child("tls"));
  settings.metrics_listen =
      service::read_listen(root.child("metrics").child("listen"), settings.metrics_listen);
  settings.internal_token = service::read_bearer_token(root.child("internal_token"), true);
  const service::ConfigNode memory = root.child("memory_max");
  settings.memory_max = memory.bytes(settings.memory_max);
  if (settings.memory_max < kMemoryMin) memory.note_error("at least 256MiB");
  settings.exemplars_per_minute = static_cast<std::uint64_t>(
      root.child("exemplars_per_minute").integer(kExemplarsPerMinute, 0, kExemplarsPerMinuteMax));
  settings.metadata_max = static_cast<std::uint64_t>(
      root.child("metadata_max").integer(kMetadataMax, 0, kMetadataMaxMax));
  settings.late_max = read_late_max(root.child("late_max"));
  const service::ConfigNode store = root.child("store");
  settings.store = read_store(store, settings.memory_max);
  const std::string& directory = (*find_store_kind(settings.store.kind))->directory(settings.store);
  settings.guard = identity::read_store_guard(store, directory);
  settings.checkpoints = keep::read_checkpoints(store.child("checkpoints"), directory);
  settings.ingest = ingest::read_ingester(root.child("log"));
  settings.heal = healing::read_heal(root.child("heal"));
  const service::ConfigNode retention = root.child("retention");
  settings.retention = retention::read_retention(retention);
  settings.classes = retention::read_classes(root, settings.retention);
  if (settings.store.kind == "cassandra") {
    settings.peers = peers::read_peers(store.child("cassandra"));
    store::cassandra::use_retention(settings.store.cassandra,
                                    kept_for(retention::keeps_of(settings.retention)), retention);
    for (const auto& [name, keeps] : settings.classes.classes) {
      store::cassandra::use_class(settings.store.cassandra, name, kept_for(keeps),
                                  root.child("retention_classes").child(name));
    }
  }
  if (auto finished = file.finish(); !finished) return forward(finished);
  return settings;
}

}  // namespace vigia::storage
