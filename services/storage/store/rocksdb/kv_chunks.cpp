#include "services/storage/store/rocksdb/kv_chunks.hpp"

namespace vigia::storage::store::rocksdb {

Result<std::unique_ptr<KvChunks>> KvChunks::open(kv::OrderedStore& store) {
  auto chunks = std::make_unique<KvChunks>(Key{}, store);
  for (std::size_t i = 0; i < kResolutions; ++i) {
    auto opened = KvChunkStore::open(store, static_cast<Resolution>(i));
    if (!opened) return forward(opened);
    chunks->stores_.at(i) = std::move(*opened);
  }
  return chunks;
}

Result<void> KvChunks::put(customers::CustomerNumber customer,
                           std::span<const ClosedChunk> chunks) {
  std::vector<kv::KeyValue> writes;
  writes.reserve(2 * chunks.size());
  for (const ClosedChunk& chunk : chunks) {
    if (auto sound = check_row(chunk.row, chunk.resolution); !sound) return sound;
    writes.push_back(of(chunk.resolution).row_of(customer, chunk.row));
    if (chunk.resolution == Resolution::kRaw) due_days_.add_marks(customer, chunk.row, writes);
  }
  auto written = store_.put(writes, kv::Durability::kLater);
  // Whatever became of it: a mark that is told of and not there costs a look.
  for (const ClosedChunk& chunk : chunks) {
    if (chunk.resolution == Resolution::kRaw) due_days_.note_marked(customer, chunk.row);
  }
  return written;
}

std::uint64_t KvChunks::disk_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& chunks : stores_) bytes += chunks->disk_bytes();
  return bytes;
}

}  // namespace vigia::storage::store::rocksdb
