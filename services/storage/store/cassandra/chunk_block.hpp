// A block: chunks of several series of one metric and period in one row of Cassandra, since the
// size of rows counts there for more than anything else. Layout: docs/formats/cassandra-store.md.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::store::cassandra {

/// A block is closed once it has so many bytes, and before a chunk with which it would have more
/// than kChunkBlockBytesMax: only a single chunk is larger.
inline constexpr std::size_t kChunkBlockBytes = 48U << 10U;
inline constexpr std::size_t kChunkBlockBytesMax = 64U << 10U;

/// A block to be written, and the columns that tell what is in it.
struct ChunkBlock {
  SeriesId first_series;
  SeriesId last_series;
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;
  std::string data;
};

/// Rows in blocks, by series, first_ms, version and encoding, whichever order they come in; none
/// for none. All of them are of one customer, metric, resolution and period.
std::vector<ChunkBlock> make_blocks(std::span<const ChunkRow* const> rows);

/// A row of a block; `data` points into the block.
struct BlockedChunk {
  SeriesId series;
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;
  std::uint64_t version = 0;
  Encoding encoding = Encoding::kFloats;
  std::string_view data;
};

/// The rows of a block, in their order. kCorrupt where its checksum is wrong or it is none: then
/// nothing of it is given.
Result<std::vector<BlockedChunk>> read_block(std::string_view block);

}  // namespace vigia::storage::store::cassandra
