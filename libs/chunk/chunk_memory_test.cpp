// Where memory is short an append is whole or did not happen.
#include <new>
#include <random>

#include <gtest/gtest.h>

#include "libs/base/testing/failing_allocations.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"

namespace vigia::chunk {
namespace {

// All forms of times and values.
std::vector<Sample> make_samples() {
  std::mt19937_64 random(7);  // NOLINT: the same series each time
  std::vector<Sample> samples;
  TimestampMs time_ms = 1'764'000'000'000;
  for (int i = 0; i < 400; ++i) {
    const auto form = static_cast<unsigned>(random() % 5);
    time_ms += form == 0 ? 15'000 : static_cast<TimestampMs>(random() % (1ULL << (form * 10)));
    double value = 42;
    if (form > 1) value = static_cast<double>(random() % 10'000) / 100;
    if (form > 3) value = static_cast<double>(random()) / 1e19;
    samples.push_back({time_ms, value});
  }
  return samples;
}

std::string pack(const std::vector<Sample>& samples, std::size_t count) {
  ChunkWriter writer;
  for (std::size_t i = 0; i < count; ++i) writer.append(samples[i]);
  return std::string(writer.bytes());
}

struct Outcome {
  std::size_t failed_at = SIZE_MAX;  // which sample; none
  std::string bytes_then;
  std::string bytes;
  std::size_t samples = 0;
  TimestampMs last_ms = 0;
};

/// Appends all; the allocation of that number fails, and its sample is appended again.
Outcome append_all(const std::vector<Sample>& samples, int failing) {
  Outcome outcome;
  ChunkWriter writer;
  fail_allocation(failing);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    try {
      writer.append(samples[i]);
    } catch (const std::bad_alloc&) {
      outcome.failed_at = i;
      outcome.bytes_then = writer.bytes();
      writer.append(samples[i]);
    }
  }
  fail_allocation(-1);
  outcome.bytes = writer.bytes();
  outcome.samples = writer.samples();
  outcome.last_ms = writer.last_ms();
  return outcome;
}

TEST(ChunkMemoryTest, AnAppendThatThrowsLeavesTheChunkAsItWas) {
  const std::vector<Sample> samples = make_samples();
  const std::string whole = pack(samples, samples.size());
  int failures = 0;
  for (;; ++failures) {
    const Outcome outcome = append_all(samples, failures);
    ASSERT_TRUE(outcome.bytes == whole) << failures;
    EXPECT_EQ(outcome.samples, samples.size());
    EXPECT_EQ(outcome.last_ms, samples.back().timestamp_ms);
    if (outcome.failed_at == SIZE_MAX) break;
    EXPECT_TRUE(outcome.bytes_then == pack(samples, outcome.failed_at)) << outcome.failed_at;
    EXPECT_EQ(read_samples(outcome.bytes_then)->size(), outcome.failed_at);
  }
  EXPECT_GT(failures, 10);  // it grew so often
}

}  // namespace
}  // namespace vigia::chunk
