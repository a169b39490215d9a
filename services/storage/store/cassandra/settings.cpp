#include "services/storage/store/cassandra/settings.hpp"

#include "libs/cassandra/driver.hpp"
#include "libs/service/doors.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::array<std::string_view, kResolutions> kKeys{"raw", "rollup_5m", "rollup_1h",
                                                           "rollup_1d"};

// Signs are given six times in it. An hour is what a person may need to bring a machine back.
constexpr Duration kLeaseMin = std::chrono::seconds(3);
constexpr Duration kLeaseMax = std::chrono::hours(1);
// The write-ahead log has what waits, and its copies end after twelve hours.
constexpr Duration kGatherMax = std::chrono::minutes(30);
// Below it a healthy cluster has answers that come later (p99 20 to 66 ms on shared cores), above
// it too little of a request's deadline is left.
constexpr Duration kSpeculativeMin = std::chrono::milliseconds(100);
constexpr Duration kSpeculativeMax = std::chrono::seconds(5);

std::vector<std::string> read_points(const service::ConfigNode& node) {
  std::vector<std::string> points = node.text_list();
  if (points.empty()) node.note_error("is required: host:port of one node or more");
  for (const std::string& point : points) {
    const std::size_t colon = point.rfind(':');
    const bool is_point = colon != std::string::npos && colon > 0 && colon + 1 < point.size() &&
                          point.find_first_not_of("0123456789", colon + 1) == std::string::npos;
    if (!is_point) node.note_error("\"" + point + "\" is not host:port");
  }
  return points;
}

std::optional<vigia::cassandra::TlsFiles> read_tls(const service::ConfigNode& node) {
  const auto read = service::read_client_tls(node);
  if (!read) return std::nullopt;
  return vigia::cassandra::TlsFiles{read->ca_file, read->cert_file, read->key_file};
}

void read_login(const service::ConfigNode& node, vigia::cassandra::ConnectionSettings& settings) {
  settings.user = node.child("user").text();
  settings.password = node.child("password").text();
  if (settings.user.empty() == settings.password.empty()) return;
  node.child(settings.user.empty() ? "user" : "password")
      .note_error("is required: user and password belong together");
}

// `whose`: before what it is of, in an error.
Result<void> check_expiries_of(const std::string& whose, const ChunkClasses& classes,
                               const EventRetention& events, std::int64_t now_s) {
  for (std::size_t i = 0; i < kResolutions; ++i) {
    auto checked = check_expiry(whose + std::string(kKeys[i]), classes[i], now_s);
    if (!checked) return checked;
  }
  const std::pair<std::string_view, Duration> all[] = {{"traces", events.traces},
                                                       {"logs", events.logs}};
  for (const auto& [what, keep] : all) {
    const RetentionClass one{"of its own", keep,
                             keep == Duration() ? Duration() : keep + kLongerThanKept};
    if (auto checked = check_expiry(whose + std::string(what), one, now_s); !checked) {
      return checked;
    }
  }
  return {};
}

Duration read_speculative(const service::ConfigNode& node) {
  const Duration after = node.duration(CassandraSettings().speculative_after);
  if (after != Duration(0) && (after < kSpeculativeMin || after > kSpeculativeMax)) {
    node.note_error("0s (never), or 100ms to 5s");
  }
  return after;
}

}  // namespace

CassandraSettings read_cassandra(const service::ConfigNode& node) {
  CassandraSettings settings;
  if (!vigia::cassandra::has_driver()) {
    // One error about it, not one for each key beneath.
    node.accept_all();
    node.note_error(
        "this program was built without Cassandra's driver: build it with -DWITH_CASSANDRA=ON, or "
        "use store.rocksdb");
    return settings;
  }
  settings.directory = node.child("directory").required_text();
  settings.connection.contact_points = read_points(node.child("contact_points"));
  settings.schema.keyspace = node.child("keyspace").text(settings.schema.keyspace);
  settings.schema.datacenter = node.child("datacenter").text(settings.schema.datacenter);
  settings.connection.datacenter = settings.schema.datacenter;
  settings.schema.replication_factor = static_cast<std::uint32_t>(
      node.child("replication_factor").integer(settings.schema.replication_factor, 1, 9));
  read_login(node, settings.connection);
  settings.lease = node.child("lease").duration(settings.lease);
  if (settings.lease < kLeaseMin || settings.lease > kLeaseMax) {
    node.child("lease").note_error("3s to 1h");
  }
  settings.gather = node.child("gather").duration(settings.gather);
  if (settings.gather < Duration(0) || settings.gather > kGatherMax) {
    node.child("gather").note_error("0s to 30m");
  }
  settings.speculative_after = read_speculative(node.child("speculative_after"));
  settings.connection.tls = read_tls(node.child("tls"));
  if (auto checked = check_schema_settings(settings.schema); !checked) {
    node.note_error(checked.error().message);
  }
  return settings;
}

void use_retention(CassandraSettings& settings, const KeptFor& kept,
                   const service::ConfigNode& retention) {
  for (std::size_t i = 0; i < kResolutions; ++i) {
    auto found = class_of(kKeys[i], kept.chunks[i]);
    if (found) {
      settings.classes[i] = *found;
    } else {
      retention.note_error(found.error().message);
    }
  }
  settings.events = kept.events;
}

void use_class(CassandraSettings& settings, const std::string& name, const KeptFor& kept,
               const service::ConfigNode& node) {
  for (std::size_t i = 0; i < kResolutions; ++i) {
    const auto found = class_of(kKeys[i], kept.chunks[i]);
    if (!found) node.note_error(found.error().message);
  }
  settings.kept_by_class[name] = kept;
}

Result<void> check_expiries(const CassandraSettings& settings, std::int64_t now_s) {
  if (auto checked = check_expiries_of("", settings.classes, settings.events, now_s); !checked) {
    return checked;
  }
  for (const auto& [name, kept] : settings.kept_by_class) {
    ChunkClasses classes;
    for (std::size_t i = 0; i < kResolutions; ++i) {
      const auto found = class_of(kKeys[i], kept.chunks[i]);
      if (!found) return forward(found);
      classes[i] = *found;
    }
    auto checked = check_expiries_of("class " + name + ", ", classes, kept.events, now_s);
    if (!checked) return checked;
  }
  return {};
}

}  // namespace vigia::storage::store::cassandra
