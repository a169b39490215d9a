#include "services/storage/store/rocksdb/events/damaged_items.hpp"

#include "libs/service/log.hpp"

namespace vigia::storage::store::rocksdb::events {

Result<bool> DamagedItems::left_out(const Error& error) {
  if (error.code != ErrorCode::kCorrupt) return tl::unexpected<Error>(error);
  if (count_++ == 0) {
    service::log_error(
        "a span or log record cannot be read and is left out (further ones are only counted)",
        {{"why", error.message}});
  }
  return true;
}

}  // namespace vigia::storage::store::rocksdb::events
