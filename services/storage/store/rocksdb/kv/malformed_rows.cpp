#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

#include "libs/service/log.hpp"

namespace vigia::storage::store::rocksdb::kv {

void MalformedRows::add(KeyValue row) {
  rows_.push_back(std::move(row));
  if (rows_.size() >= rows_max_) set_aside();
}

void MalformedRows::set_aside() {
  if (rows_.empty()) return;
  const auto done = store_.set_aside(rows_, reason_);
  if (!done) {
    service::log_warn("malformed rows stay in the store for now",
                      {{"what", reason_}, {"why", done.error().message}});
  }
  rows_.clear();
}

}  // namespace vigia::storage::store::rocksdb::kv
