// What a file says of the store on Cassandra.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libs/cassandra/connection_settings.hpp"
#include "libs/service/config.hpp"
#include "services/storage/store/cassandra/chunk_places.hpp"
#include "services/storage/store/cassandra/events.hpp"
#include "services/storage/store/cassandra/schema_text.hpp"

namespace vigia::storage::store::cassandra {

/// By Resolution, and of events; 0: for ever.
struct KeptFor {
  std::array<Duration, kResolutions> chunks{};
  EventRetention events;
};

struct CassandraSettings {
  /// Of this instance alone: write-ahead log, customers' numbers, quarantine.
  std::string directory;
  vigia::cassandra::ConnectionSettings connection;
  SchemaSettings schema;
  ChunkClasses classes{};
  EventRetention events;
  std::map<std::string, KeptFor> kept_by_class;  ///< as of use_class
  /// After so long without a sign of life of this instance others take over what it has open.
  Duration lease = std::chrono::seconds(60);
  /// So long closed chunks wait here for others of their metric; 0: not at all.
  Duration gather = std::chrono::minutes(10);
  /// After so long a second node is asked the same; 0: never.
  Duration speculative_after = std::chrono::milliseconds(500);
};

/// Of the key `store.cassandra`; what cannot be is noted at its key. kept: `use_retention` is next.
CassandraSettings read_cassandra(const service::ConfigNode& node);
/// In which classes what is kept so long goes. Notes at `retention` what no class keeps.
void use_retention(CassandraSettings& settings, const KeptFor& kept,
                   const service::ConfigNode& retention);
/// The same of some customers, whose class is called so: `node` is its key.
void use_class(CassandraSettings& settings, const std::string& name, const KeptFor& kept,
               const service::ConfigNode& node);
/// kInvalid, with the date, where something that is written now would end later than Cassandra can
/// say.
Result<void> check_expiries(const CassandraSettings& settings, std::int64_t now_s);

}  // namespace vigia::storage::store::cassandra
