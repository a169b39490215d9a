#include "services/storage/store/chunk_store.hpp"

namespace vigia::storage::store {
namespace {

constexpr std::size_t kReadBytesMax = 128U << 20U;

}  // namespace

Result<std::vector<ChunkRow>> ChunkStore::read(CustomerNumber customer, SeriesId series,
                                               TimestampMs from_ms, TimestampMs to_ms) {
  std::vector<ChunkRow> rows;
  std::size_t bytes = 0;
  const auto walked = visit(customer, series, from_ms, to_ms, [&](ChunkRow row) -> Result<bool> {
    bytes += sizeof(row) + row.data.size();
    if (bytes > kReadBytesMax) {
      return fail(ErrorCode::kOverLimit,
                  "a series holds more than 128 MiB in this range; ask for less time");
    }
    rows.push_back(std::move(row));
    return true;
  });
  if (!walked) return tl::unexpected<Error>(walked.error());
  return rows;
}

}  // namespace vigia::storage::store
