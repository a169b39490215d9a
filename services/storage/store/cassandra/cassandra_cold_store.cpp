#include "services/storage/store/cassandra/cassandra_cold_store.hpp"

namespace vigia::storage::store::cassandra {

CassandraColdStore::CassandraColdStore(Key /*key*/, vigia::cassandra::Session& session,
                                       const ColdStoreSettings& settings, const Clock& clock)
    : kept_(session, clock),
      catalog_(session, kept_, clock, settings.index_memory_max),
      chunks_(session, kept_, clock, settings.classes, settings.writer),
      events_(session, kept_, clock, settings.event_retention) {}

Result<std::unique_ptr<CassandraColdStore>> CassandraColdStore::open(
    vigia::cassandra::Session& session, const ColdStoreSettings& settings, const Clock& clock) {
  auto store = std::make_unique<CassandraColdStore>(Key{}, session, settings, clock);
  Preparation preparation(session, settings.keyspace);
  if (auto prepared = store->kept_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->catalog_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->chunks_.prepare(preparation); !prepared) return forward(prepared);
  if (auto prepared = store->events_.prepare(preparation); !prepared) return forward(prepared);
  return store;
}

}  // namespace vigia::storage::store::cassandra
