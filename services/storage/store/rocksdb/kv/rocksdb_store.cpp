#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <rocksdb/cache.h>

#include "services/storage/store/rocksdb/kv/rocksdb_database.hpp"

namespace vigia::storage::store::rocksdb::kv {

Result<std::unique_ptr<CopyableStore>> open_rocksdb(const RocksDbSettings& settings) {
  std::error_code error;
  std::filesystem::create_directories(settings.directory, error);
  if (error) {
    return fail(ErrorCode::kUnavailable, fmt::format("cold store: cannot make the folder {}: {}",
                                                     settings.directory, error.message()));
  }
  auto store = std::make_unique<RocksDbStore>(settings);
  auto opened = store->open();
  if (opened) return store;
  const bool is_held = opened.error().message.find(kHeldElsewhere) != std::string::npos;
  if (opened.error().code == ErrorCode::kUnavailable && !is_held) {
    opened.error().retry_after = std::chrono::seconds(1);
  }
  return forward(opened);
}

}  // namespace vigia::storage::store::rocksdb::kv
