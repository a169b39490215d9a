// The store on Cassandra for the suites of the contract, on a real node.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/base/random.hpp"
#include "services/storage/store/cassandra/cassandra_cold_store.hpp"
#include "services/storage/store/cassandra/testing/node_fixture.hpp"

namespace vigia::storage::store::cassandra {

struct OnCassandra {
  ColdStore& cold() { return *store; }
  static ColdStoreSettings settings_of(const SharedKeyspace& shared) {
    ColdStoreSettings settings;
    settings.keyspace = shared.settings.keyspace;
    settings.classes.fill(class_of("chunks", Duration()).value());
    settings.writer = random_u64() >> 1U;
    settings.index_memory_max = 1U << 20U;
    return settings;
  }
  SharedKeyspace& shared = empty_keyspace();
  ManualClock clock{20'000 * kDayMs * 1'000'000};  // kStart
  std::unique_ptr<CassandraColdStore> store =
      CassandraColdStore::open(*shared.session, settings_of(shared), clock).value();
};

using StoresOnANode = ::testing::Types<OnCassandra>;

}  // namespace vigia::storage::store::cassandra
