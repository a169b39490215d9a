#include "services/storage/store/cassandra/cassandra_cold_store.hpp"

#include "services/storage/store/cassandra/schema.hpp"

namespace vigia::storage::store::cassandra {

CassandraColdStore::CassandraColdStore(Key /*key*/, vigia::cassandra::Session& session,
                                       const ColdStoreSettings& settings, const Clock& clock)
    : keeps_(settings.classes, settings.event_retention, clock),
      kept_(session, clock, keeps_),
      catalog_(session, kept_, clock, settings.index_memory_max, settings.event_part_bytes),
      chunks_(session, kept_, keeps_, clock, settings.writer),
      events_(session, kept_, keeps_, clock, settings.event_part_bytes),
      exemplars_(session, kept_, keeps_),
      metadata_(session, kept_, catalog_) {}

Result<std::unique_ptr<CassandraColdStore>> CassandraColdStore::open(
    vigia::cassandra::Session& session, const ColdStoreSettings& settings, const Clock& clock) {
  auto store = std::make_unique<CassandraColdStore>(Key{}, session, settings, clock);
  Preparation preparation(session, settings.keyspace);
  if (auto prepared = store->kept_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->catalog_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->chunks_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->events_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->exemplars_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->metadata_.prepare(preparation); !prepared) return forward(prepared);
  const auto from = events_whole_from(session, settings.keyspace, kSpanIndexStep);
  if (!from) return forward(from);
  store->events_.use_indexed_from(*from);
  const auto until = events_whole_from(session, settings.keyspace, kLogPartsStep);
  if (!until) return forward(until);
  store->events_.use_undivided_until(*until);
  return store;
}

}  // namespace vigia::storage::store::cassandra
