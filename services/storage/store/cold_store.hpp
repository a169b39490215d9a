// A cold store: what RocksDB on one disk, an in-memory store of tests and, later, a Cassandra
// cluster have in common. One suite holds all of them to it (testing/contract_test.cpp).
#pragma once

#include "services/storage/store/catalog.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/exemplars.hpp"
#include "services/storage/store/metadata.hpp"
#include "services/storage/store/span_days.hpp"

namespace vigia::storage::store {

/// Whoever reads or writes names the customer first, and sees that customer's data alone. Thread
/// contract: any thread; the destructor after everybody else is done.
class ColdStore {
 public:
  virtual ~ColdStore() = default;
  virtual Catalog& catalog() = 0;
  virtual ChunkStore& chunks() = 0;
  virtual EventStore& events() = 0;
  /// Null: this store keeps none.
  virtual ExemplarStore* exemplars() { return nullptr; }
  /// Null: this store keeps none of metrics.
  virtual MetadataStore* metadata() { return nullptr; }
  /// Null: this store finds spans by their traces alone.
  virtual SpanDays* span_days() { return nullptr; }
};

}  // namespace vigia::storage::store
