#include "services/collector/tail_sampling/verdict_log.hpp"

#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "services/collector/tail_sampling/testing/spans.hpp"

namespace vigia::collector::tail_sampling {
namespace {

VerdictBatch batch_of(std::uint64_t first, std::size_t count) {
  VerdictBatch batch{"cliente-a"};
  for (std::uint64_t i = first; i < first + count; ++i)
    batch.verdicts.push_back({trace(i), i % 2 == 0});
  return batch;
}

TEST(VerdictBatches, AreReadAsTheyWereWritten) {
  VerdictBatch batch = batch_of(0, 3);
  batch.levels = {0, 1.5, 1e9};
  const auto read = decode_batch("cliente-a", encode_batch(batch));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->verdicts, batch.verdicts);
  EXPECT_EQ(read->levels, batch.levels);
}

// docs/formats/tail-sampling.md
TEST(VerdictBatches, TheFormIsPinned) {
  VerdictBatch batch{"cliente-a", {{trace_id_of("0123456789abcdef"), true}}, {1.5}};
  batch.verdicts.push_back({trace_id_of("ABCDEFGHIJKLMNOP"), false});
  const std::string level("\0\0\0\0\0\0\xf8\x3f", 8);
  EXPECT_EQ(encode_batch(batch),
            "\1\1" + level + "0123456789abcdef" + "\1" + "ABCDEFGHIJKLMNOP" + std::string(1, '\0'));
}

TEST(VerdictBatches, WhatIsCutOrStrangeIsNone) {
  VerdictBatch batch = batch_of(0, 3);
  batch.levels = {7};
  const std::string body = encode_batch(batch);
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
    // Cut between two verdicts it is a shorter batch; the log's checksum tells that.
    const bool is_between = bytes >= 10 && (bytes - 10) % 17 == 0;
    EXPECT_EQ(decode_batch("a", body.substr(0, bytes)).has_value(), is_between) << bytes;
  }
  EXPECT_FALSE(decode_batch("a", "\2" + body.substr(1)));
  EXPECT_FALSE(decode_batch("a", body.substr(0, body.size() - 1) + "\2"));
  EXPECT_FALSE(decode_batch("a", "\1\xff\xff\xff\xff\x0f"));
}

TEST(VerdictLog, GivesAllOfItBackAndBeginsAnewWhenItIsLong) {
  disk_log::MemoryFiles files;
  ManualClock clock{1'800'000'000'000'000'000};
  const auto settings = keep_all();
  const auto restored = [&](VerdictLog& log) {
    Traces traces(settings);
    EXPECT_TRUE(log.restore(traces, 0, clock.steady()));
    return traces.in_memory();
  };
  {
    auto log = *VerdictLog::open("/verdicts", clock, files);
    EXPECT_EQ(restored(*log), 0U);
    // Ids that do not compress, as they are.
    for (std::uint64_t i = 0; i < 60; ++i) {
      VerdictBatch batch{"cliente-a"};
      for (std::uint64_t j = 0; j < 10'000; ++j)
        batch.verdicts.push_back(
            {{(i * 10'000 + j) * 0x9e3779b97f4a7c15ULL, ~j * 0xbf58476d1ce4e5b9ULL}, true});
      ASSERT_TRUE(log->append({batch}));
    }
    EXPECT_TRUE(log->is_long(1'000));
    EXPECT_FALSE(log->is_long(600'000));
    const auto end = log->end();
    ASSERT_TRUE(log->append({batch_of(0, 1'000)}));
    log->drop_before(end);
    EXPECT_FALSE(log->is_long(1'000));
  }
  files.cut_power();
  auto log = *VerdictLog::open("/verdicts", clock, files);
  EXPECT_EQ(restored(*log), 1'000U);
}

}  // namespace
}  // namespace vigia::collector::tail_sampling
