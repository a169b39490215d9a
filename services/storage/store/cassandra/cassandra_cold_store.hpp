// ColdStore on a Cassandra cluster that several instances share.
#pragma once

#include <memory>
#include <string>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/catalog.hpp"
#include "services/storage/store/cassandra/chunks.hpp"
#include "services/storage/store/cassandra/events.hpp"
#include "services/storage/store/cassandra/exemplars.hpp"
#include "services/storage/store/cassandra/kept_from.hpp"
#include "services/storage/store/cassandra/metadata.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::store::cassandra {

struct ColdStoreSettings {
  std::string keyspace;
  ChunkClasses classes;  ///< until use_retention
  EventRetention event_retention;
  std::uint64_t writer = 0;  ///< this instance's number, another at each start
  std::size_t index_memory_max = 64U << 20U;
  std::size_t event_part_bytes = kEventPartBytes;  ///< smaller in tests
};

/// As ColdStore. Customers are named, nothing is counted: what one instance has written every other
/// finds.
class CassandraColdStore final : public ColdStore {
  struct Key {};  // only open makes one

 public:
  /// Session and clock must outlive it. REQUIRES: the keyspace is migrated (schema.hpp).
  static Result<std::unique_ptr<CassandraColdStore>> open(vigia::cassandra::Session& session,
                                                          const ColdStoreSettings& settings,
                                                          const Clock& clock);
  CassandraColdStore(Key key, vigia::cassandra::Session& session, const ColdStoreSettings& settings,
                     const Clock& clock);

  Catalog& catalog() override { return catalog_; }
  ChunkStore& chunks() override { return chunks_; }
  EventStore& events() override { return events_; }
  ExemplarStore* exemplars() override { return &exemplars_; }
  MetadataStore* metadata() override { return &metadata_; }
  SpanDays* span_days() override { return &events_; }

  /// Must outlive it. Before the first write: how long each customer's data are kept, if not all
  /// are kept alike, as the settings say.
  void use_retention(const CustomerRetention& retention) { keeps_.use(&retention); }
  const KeepTimes& keeps() const { return keeps_; }
  /// What other instances keep longer than this one it does not remove from now on.
  void use_shared(const SharedRetention* shared) { kept_.use_shared(shared); }

  /// What is of this store alone: its memory.
  CassandraCatalog& own_catalog() { return catalog_; }
  const CassandraCatalog& own_catalog() const { return catalog_; }
  CassandraEvents& own_events() { return events_; }

 private:
  KeepTimes keeps_;
  KeptDays kept_;
  CassandraCatalog catalog_;
  CassandraChunks chunks_;
  CassandraEvents events_;
  CassandraExemplars exemplars_;
  CassandraMetadata metadata_;
};

}  // namespace vigia::storage::store::cassandra
