// Nanoseconds and bytes per sample of the chunk writer and reader, 240 samples a chunk, 15 s apart.
#include <cmath>
#include <random>

#include <benchmark/benchmark.h>

#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "libs/chunk/packed_chunk.hpp"
#include "libs/chunk/whole_chunk.hpp"

namespace vigia::chunk {
namespace {

constexpr int kSamples = 240;
// kNanoseconds: as Go makes seconds of them.
enum Shape : std::int64_t { kConstant, kCounter, kPercent, kRandom, kDuration, kNanoseconds };

std::vector<Sample> make_samples(std::int64_t shape) {
  std::mt19937_64 random(7);  // NOLINT: the same series each time
  std::vector<Sample> samples;
  double counter = 1'000'000;
  for (int i = 0; i < kSamples; ++i) {
    counter += static_cast<double>(random() % 2000);
    double value = 42;
    if (shape == kCounter) value = counter;
    if (shape == kPercent) value = std::round(static_cast<double>(random() % 10'000)) / 100;
    if (shape == kDuration) value = static_cast<double>(random() % 100'000) / 1e9;
    if (shape == kNanoseconds) {
      const auto nanoseconds = static_cast<std::int64_t>(random() % 5'000'000'000);
      value = static_cast<double>(nanoseconds / 1'000'000'000) +
              static_cast<double>(nanoseconds % 1'000'000'000) / 1e9;
    }
    if (shape == kRandom) value = static_cast<double>(random()) / 1e19;
    samples.push_back({1'764'000'000'000 + i * 15'000, value});
  }
  return samples;
}

void append(benchmark::State& state) {
  const auto samples = make_samples(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) {
    ChunkWriter writer;
    for (const Sample& sample : samples) writer.append(sample);
    bytes = writer.bytes().size();
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
  state.counters["bytes_per_sample"] = static_cast<double>(bytes) / kSamples;
}

void iterate(benchmark::State& state) {
  ChunkWriter writer;
  for (const Sample& sample : make_samples(state.range(0))) writer.append(sample);
  for (auto _ : state) {
    ChunkReader reader(writer.bytes());
    double sum = 0;
    for (Sample sample; reader.next(sample);) sum += sample.value;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
}

// As the store packs a chunk that is closed.
void pack(benchmark::State& state) {
  const auto samples = make_samples(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes = pack_samples(samples)->size();
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
  state.counters["bytes_per_sample"] = static_cast<double>(bytes) / kSamples;
}

// As the store reads it: to an XOR chunk again.
void unpack(benchmark::State& state) {
  const auto samples = make_samples(state.range(0));
  const auto packed = pack_samples(samples);
  for (auto _ : state) {
    const auto read = unpack_samples(*packed, samples[0].timestamp_ms);
    benchmark::DoNotOptimize(write_chunk(*read).size());
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
}

BENCHMARK(append)->Arg(kConstant)->Arg(kCounter)->Arg(kPercent)->Arg(kRandom);
BENCHMARK(iterate)->Arg(kConstant)->Arg(kCounter)->Arg(kPercent)->Arg(kRandom);
BENCHMARK(pack)->Arg(kConstant)->Arg(kCounter)->Arg(kPercent)->Arg(kDuration);
BENCHMARK(unpack)->Arg(kConstant)->Arg(kCounter)->Arg(kPercent)->Arg(kDuration)->Arg(kNanoseconds);

}  // namespace
}  // namespace vigia::chunk
