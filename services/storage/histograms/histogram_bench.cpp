// Nanoseconds and bytes of a native histogram of some twenty buckets, 60 of them a row: as the
// messages in which they come, and as Prometheus' chunks.
#include <benchmark/benchmark.h>

#include "libs/chunk/histogram_record.hpp"
#include "services/storage/histograms/histogram_chunk.hpp"
#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/histograms/testing/random_histograms.hpp"

namespace vigia::storage::histograms {
namespace {

constexpr int kHistograms = 60;
constexpr std::int64_t kBuckets = 20;

// Latencies: most buckets grow a little each time.
std::vector<chunk::HistogramSample> make_samples(bool is_float) {
  std::mt19937 random(7);  // NOLINT: the same series each time
  std::vector<std::int64_t> counts(kBuckets, 1000);
  std::vector<chunk::HistogramSample> samples;
  NativeHistogram histogram;
  histogram.is_float = is_float;
  histogram.schema = 3;
  histogram.zero_threshold = 0x1p-128;
  histogram.positive.spans = {{-30, 12}, {2, 8}};
  for (int i = 0; i < kHistograms; ++i) {
    histogram.positive.deltas.clear();
    histogram.positive.counts.clear();
    histogram.count = 0;
    std::int64_t before = 0;
    for (std::int64_t& count : counts) {
      count += static_cast<std::int64_t>(random() % 30);
      histogram.sum += static_cast<double>(random() % 1000) / 1000;
      histogram.count += static_cast<std::uint64_t>(count);
      is_float ? histogram.positive.counts.push_back(static_cast<double>(count) / 15)
               : histogram.positive.deltas.push_back(count - std::exchange(before, count));
    }
    histogram.float_count = static_cast<double>(histogram.count) / 15;
    const TimestampMs time_ms = 1'764'000'000'000 + i * 15'000;
    samples.push_back({time_ms, encode_histogram(histogram, time_ms)});
  }
  return samples;
}

void note(benchmark::State& state, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * kHistograms);
  state.counters["bytes_per_histogram"] = static_cast<double>(bytes) / kHistograms;
}

void write_messages(benchmark::State& state) {
  const auto samples = make_samples(state.range(0) != 0);
  std::size_t bytes = 0;
  for (auto _ : state) bytes = chunk::write_histograms(samples).size();
  note(state, bytes);
}

void write_chunks(benchmark::State& state) {
  const auto samples = make_samples(state.range(0) != 0);
  std::size_t bytes = 0;
  for (auto _ : state) {
    std::uint64_t damaged = 0;
    bytes = 0;
    for (const WireChunk& chunk : wire_chunks({}, samples, damaged)) bytes += chunk.data.size();
  }
  note(state, bytes);
}

void read_messages(benchmark::State& state) {
  const std::string record = chunk::write_histograms(make_samples(state.range(0) != 0));
  for (auto _ : state) benchmark::DoNotOptimize(chunk::read_histograms(record)->size());
  note(state, record.size());
}

void read_chunks(benchmark::State& state) {
  std::uint64_t damaged = 0;
  const bool is_float = state.range(0) != 0;
  const auto chunks = wire_chunks({}, make_samples(is_float), damaged);
  for (auto _ : state) {
    for (const WireChunk& chunk : chunks) {
      benchmark::DoNotOptimize(unpack_histograms(is_float, chunk.data)->size());
    }
  }
  note(state, chunks.front().data.size());
}

BENCHMARK(write_messages)->Arg(0)->Arg(1);
BENCHMARK(write_chunks)->Arg(0)->Arg(1);
BENCHMARK(read_messages)->Arg(0)->Arg(1);
BENCHMARK(read_chunks)->Arg(0)->Arg(1);

}  // namespace
}  // namespace vigia::storage::histograms
