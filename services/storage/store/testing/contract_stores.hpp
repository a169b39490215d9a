// The stores that need no more than a folder. A new one is one name in `StoresInFolders` and a
// struct that opens it.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store {

struct InMemory {
  ColdStore& cold() { return store; }
  MemoryColdStore store;
};

struct OnRocksDb {
  ColdStore& cold() { return *store; }
  TemporaryFolder folder;
  ManualClock clock{20'000 * kDayMs * 1'000'000};  // kStart
  std::unique_ptr<rocksdb::kv::OrderedStore> kv =
      rocksdb::kv::open_rocksdb({folder.path()}).value();
  std::unique_ptr<rocksdb::RocksDbColdStore> store =
      rocksdb::RocksDbColdStore::open(*kv, clock, 1U << 20U).value();
};

using StoresInFolders = ::testing::Types<InMemory, OnRocksDb>;

}  // namespace vigia::storage::store
