// The chunk that ChunkWriter writes, kept in blocks of a pool that many share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/chunk/block_pool.hpp"
#include "libs/chunk/sample_encoder.hpp"

namespace vigia::chunk {

/// Its pool is given with each call, always the same, as millions of these exist. Thread contract:
/// one thread at a time for all of a pool.
class OpenChunk {
 public:
  OpenChunk() = default;
  OpenChunk(const OpenChunk&) = delete;
  OpenChunk& operator=(const OpenChunk&) = delete;
  /// What has samples ends together with its pool, or is cleared first.
  ~OpenChunk() = default;

  /// As ChunkWriter::append.
  void append(BlockPool& pool, const Sample& sample);
  /// The chunk so far, complete; no bytes where it has no samples.
  std::string bytes(const BlockPool& pool) const;
  std::size_t samples() const { return encoder_.samples(); }
  TimestampMs first_ms() const { return encoder_.first_ms(); }  ///< REQUIRES: samples() > 0
  TimestampMs last_ms() const { return encoder_.last_ms(); }    ///< REQUIRES: samples() > 0
  /// An append comes soon: where it writes is fetched meanwhile.
  void expect(const BlockPool& pool) const;
  /// Of its blocks.
  std::size_t memory_bytes() const;
  /// Empty again, its blocks given back.
  void clear(BlockPool& pool);

 private:
  void put(BlockPool& pool, std::string_view bytes);

  SampleEncoder encoder_;
  BlockPool::Number first_ = BlockPool::kNone;
  BlockPool::Number last_ = BlockPool::kNone;
  std::uint32_t size_ = 0;  // bytes in the blocks: all but the count of samples
  std::uint8_t free_bits_ = 0;
};

}  // namespace vigia::chunk
