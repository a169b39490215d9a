// An open chunk's bytes are a ChunkWriter's; its pool keeps no more than it needs.
#include "libs/chunk/open_chunk.hpp"

#include <bit>
#include <limits>
#include <memory>
#include <new>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "libs/base/testing/failing_allocations.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"

namespace vigia::chunk {
namespace {

constexpr TimestampMs kStart = 1'764'000'000'000;

std::string pack(const std::vector<Sample>& samples) {
  ChunkWriter writer;
  for (const Sample& sample : samples) writer.append(sample);
  return std::string(writer.bytes());
}

// Still, counting and random values; steps in time of every length.
std::vector<Sample> make_samples(const std::vector<std::uint64_t>& raw) {
  std::vector<Sample> samples;
  TimestampMs time_ms = kStart;
  double value = 42;
  for (const std::uint64_t one : raw) {
    time_ms += one % 3 == 0 ? static_cast<TimestampMs>(one % (1ULL << (one % 40))) : 15'000;
    if (one % 5 == 1) value += static_cast<double>(one % 1000);
    if (one % 5 == 2) value = std::bit_cast<double>(one * 0x9e3779b97f4a7c15ULL);
    samples.push_back({time_ms, value});
  }
  return samples;
}

RC_GTEST_PROP(OpenChunkTest, ManyThatGrowInTurnHaveTheBytesOfAWriterAndOfNoOther,
              (const std::vector<std::vector<std::uint64_t>>& raw)) {
  BlockPool pool;
  std::vector<std::unique_ptr<OpenChunk>> chunks;
  std::vector<std::vector<Sample>> samples;
  std::size_t longest = 0;
  for (const auto& one : raw) {
    samples.push_back(make_samples(one));
    chunks.push_back(std::make_unique<OpenChunk>());
    longest = std::max(longest, one.size());
  }
  for (std::size_t i = 0; i < longest; ++i) {
    for (std::size_t c = 0; c < chunks.size(); ++c) {
      if (i < samples[c].size()) chunks[c]->append(pool, samples[c][i]);
    }
  }
  for (std::size_t c = 0; c < chunks.size(); c += 2) chunks[c]->clear(pool);
  for (std::size_t c = 0; c < chunks.size(); c += 2) {
    for (const Sample& sample : samples[c]) chunks[c]->append(pool, sample);
  }
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    RC_ASSERT(chunks[c]->bytes(pool) == pack(samples[c]));
    RC_ASSERT(chunks[c]->samples() == samples[c].size());
  }
}

TEST(OpenChunkTest, WithoutSamplesItHasNoBytesAndHoldsNothing) {
  BlockPool pool;
  OpenChunk chunk;
  EXPECT_EQ(chunk.bytes(pool), "");
  EXPECT_EQ(chunk.memory_bytes(), 0U);
  chunk.expect(pool);
  chunk.clear(pool);
  EXPECT_EQ(pool.memory_bytes(), 0U);
}

// The longest form of each part, at every place of a block's end.
TEST(OpenChunkTest, ALongSampleMayLieInTwoBlocks) {
  BlockPool pool;
  OpenChunk chunk;
  std::vector<Sample> samples;
  for (int i = 0; i < 300; ++i) {
    const TimestampMs time_ms = i % 2 == 0 ? i : std::numeric_limits<TimestampMs>::max() - i;
    samples.push_back({time_ms, i % 4 < 2 ? 1.0 : std::bit_cast<double>(~std::uint64_t{0} - 2)});
    chunk.append(pool, samples.back());
    ASSERT_EQ(chunk.bytes(pool), pack(samples)) << i;
  }
}

TEST(OpenChunkTest, AnAppendThatThrowsLeavesTheChunkAsItWas) {
  std::vector<Sample> samples;
  for (int i = 0; i < 2000; ++i) {
    samples.push_back({kStart + i * 15'000, std::bit_cast<double>(i * 0x9e3779b97f4a7c15ULL)});
  }
  const std::string whole = pack(samples);
  bool is_failed = true;
  int failures = 0;
  for (; is_failed; ++failures) {
    is_failed = false;
    BlockPool pool;
    OpenChunk chunk;
    fail_allocation(failures);
    for (const Sample& sample : samples) {
      try {
        chunk.append(pool, sample);
      } catch (const std::bad_alloc&) {
        is_failed = true;
        ASSERT_EQ(read_samples(chunk.bytes(pool))->size(), chunk.samples());
        chunk.append(pool, sample);
      }
    }
    fail_allocation(-1);
    EXPECT_TRUE(chunk.bytes(pool) == whole) << failures;
  }
  EXPECT_GT(failures, 4);  // pages, and the room for their list
}

TEST(OpenChunkTest, WhatIsClearedIsUsedAgainAndWholePagesGoBack) {
  constexpr int kChunks = 1000;
  BlockPool pool;
  const auto chunks = std::make_unique<OpenChunk[]>(kChunks);
  const auto fill = [&](int begin, int step) {
    for (int i = begin; i < kChunks; i += step) {
      for (int s = 0; s < 100; ++s) {
        chunks[i].append(pool,
                         {kStart + s * 15'000, std::bit_cast<double>((s + i) * 0x9e3779b9ULL)});
      }
    }
  };
  fill(0, 1);
  std::size_t held = 0;
  for (int i = 0; i < kChunks; ++i) held += chunks[i].memory_bytes();
  const std::size_t full = pool.memory_bytes();
  EXPECT_GE(full, held);
  EXPECT_LT(full, held + held / 16);  // the last page, and the list of pages
  for (int i = 0; i < kChunks; i += 2) chunks[i].clear(pool);
  fill(0, 2);
  EXPECT_EQ(pool.memory_bytes(), full);
  for (int i = 0; i < kChunks; ++i) chunks[i].clear(pool);
  EXPECT_LT(pool.memory_bytes(), full / 16);
}

}  // namespace
}  // namespace vigia::chunk
