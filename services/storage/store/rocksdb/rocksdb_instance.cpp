#include "services/storage/store/rocksdb/rocksdb_instance.hpp"

#include "services/storage/store/patience.hpp"
#include "services/storage/store/rocksdb/row_check.hpp"

namespace vigia::storage::store::rocksdb {

// A folder that another process holds does not pass; a disk that is full does, and a damaged file
// that is being set aside.
Result<std::unique_ptr<instance::StoreInstance>> RocksDbInstance::open(
    const kv::RocksDbSettings& settings, const Clock& clock, std::size_t index_memory_max) {
  auto rows = kv::open_rocksdb(settings);
  if (!rows && rows.error().retry_after.has_value()) {
    rows = patiently("the cold store", [&] { return kv::open_rocksdb(settings); });
  }
  if (!rows) return forward(rows);
  return std::make_unique<RocksDbInstance>(*std::move(rows), clock, index_memory_max);
}

Result<CheckReport> RocksDbInstance::check(const kv::RocksDbSettings& settings,
                                           const kv::CheckProgress& progress) {
  static constexpr std::string_view kRollups = "rollup_";
  const auto check_row = [](std::string_view family, std::string_view key,
                            std::string_view value) -> Result<void> {
    if (family == "chunks") return check_chunk_row(key, value);
    if (family == "exemplars") return check_exemplar_row(key, value);
    if (family == "metadata") return check_metadata_row(key, value);
    if (family == "due") return check_due_row(key, value);
    for (const Resolution resolution :
         {Resolution::kFiveMinutes, Resolution::kHour, Resolution::kDay}) {
      if (family.starts_with(kRollups) && family.substr(kRollups.size()) == to_string(resolution)) {
        return check_rollup_row(resolution, key, value);
      }
    }
    if (family == "index") return check_index_row(kv::Family::kIndex, key, value);
    if (family == "identity") return check_index_row(kv::Family::kIdentity, key, value);
    if (family == "spans") return check_index_row(kv::Family::kSpans, key, value);
    if (family == "logs") return check_index_row(kv::Family::kLogs, key, value);
    return {};
  };
  return kv::check_folder(settings.directory, check_row, progress);
}

Result<void> RocksDbInstance::load() {
  auto cold = patiently("the chunks, the index, spans and logs", [this] {
    return RocksDbColdStore::open(*rows_, clock_, index_memory_max_);
  });
  if (!cold) return forward(cold);
  cold_ = *std::move(cold);
  return {};
}

void RocksDbInstance::use_oldest(Signal signal,
                                 std::function<TimestampMs(const CustomerId&)> oldest_ms) {
  cold_->use_oldest(signal, std::move(oldest_ms));
}

void RocksDbInstance::note_used(SeriesId series, customers::CustomerNumber customer) {
  cold_->index().note_used(series, customer);
}

void RocksDbInstance::start_upkeep() {
  healer_ = std::make_unique<index::IndexHealer>(cold_->index(), *rows_);
}

DamageStats RocksDbInstance::damage() const {
  DamageStats damage = rows_->damage();
  for (const std::string_view what : kv::kDamageKinds) {
    damage.found.try_emplace(std::string(what), 0);
  }
  return damage;
}

bool RocksDbInstance::lacks_rows_of(std::string_view customer) const {
  return cold_->index().lacks_rows_of(customer);
}

instance::CatalogStats RocksDbInstance::catalog_stats() const {
  const index::SeriesIndex& index = cold_->index();
  return {index.series_count(), index.memory_bytes(), index.rows_restored()};
}

}  // namespace vigia::storage::store::rocksdb
