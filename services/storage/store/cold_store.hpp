// A cold store: what RocksDB on one disk, an in-memory store of tests and, later, a Cassandra
// cluster have in common. One suite holds all of them to it (testing/contract_test.cpp).
#pragma once

#include "services/storage/store/catalog.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::store {

/// What a caller may count on beyond the contract.
struct Capabilities {
  bool is_shared = false;  ///< several instances may write into it at once
};

/// Whoever reads or writes names the customer first, and sees that customer's data alone. Thread
/// contract: any thread; the destructor after everybody else is done.
class ColdStore {
 public:
  virtual ~ColdStore() = default;
  virtual Capabilities capabilities() const { return {}; }
  virtual Catalog& catalog() = 0;
  virtual ChunkStore& chunks() = 0;
  virtual EventStore& events() = 0;
};

}  // namespace vigia::storage::store
