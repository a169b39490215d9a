// What roll-ups cost: nanoseconds and bytes, each by the raw sample that they were made of. A day
// of a series, a sample each 15 s.
#include <cmath>
#include <random>

#include <benchmark/benchmark.h>

#include "libs/rollup/window_record.hpp"

namespace vigia::rollup {
namespace {

constexpr TimestampMs kDay = 1'764'028'800'000;
constexpr int kSamples = 5760;
enum Shape : std::int64_t { kConstant, kCounter, kIdleCounter, kPercent, kMemory, kRandom };

std::vector<Sample> make_samples(std::int64_t shape) {
  std::mt19937_64 random(7);  // NOLINT: the same series each time
  std::vector<Sample> samples;
  double counter = 1'000'000;
  double memory = 400'000;
  for (int i = 1; i <= kSamples; ++i) {
    counter += static_cast<double>(random() % 2000);
    if (random() % 10 == 0) memory += static_cast<double>(random() % 100) - 50;
    double value = 42;
    if (shape == kCounter) value = counter;
    if (shape == kIdleCounter) value = std::round(counter / 1e5) / 100;
    if (shape == kPercent) value = std::round(static_cast<double>(random() % 10'000)) / 100;
    if (shape == kMemory) value = memory * 4096;
    if (shape == kRandom) value = static_cast<double>(random()) / 1e19;
    samples.push_back({kDay + i * 15'000, value});
  }
  return samples;
}

std::size_t bytes_of(const std::vector<Window>& windows, Resolution resolution) {
  return write_windows(windows, width_ms(resolution)).size();
}

// All three resolutions; the coarse ones by what a window takes among others of its row.
void make_a_day(benchmark::State& state) {
  const auto samples = make_samples(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto fine = windows_of(samples, width_ms(Resolution::kFiveMinutes));
    const auto hours = widened(fine, width_ms(Resolution::kHour));
    const auto days = widened(hours, width_ms(Resolution::kDay));
    bytes = bytes_of(fine, Resolution::kFiveMinutes) + bytes_of(hours, Resolution::kHour) +
            bytes_of(days, Resolution::kDay);
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
  state.counters["bytes_per_sample"] = static_cast<double>(bytes) / kSamples;
}

void read_a_day(benchmark::State& state) {
  const TimestampMs width = width_ms(Resolution::kFiveMinutes);
  const auto windows = windows_of(make_samples(state.range(0)), width);
  const std::string bytes = write_windows(windows, width);
  for (auto _ : state) benchmark::DoNotOptimize(read_windows(bytes, width));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(windows.size()));
}

void read_sums_of_a_day(benchmark::State& state) {
  const TimestampMs width = width_ms(Resolution::kFiveMinutes);
  const auto windows = windows_of(make_samples(state.range(0)), width);
  const std::string bytes = write_windows(windows, width);
  PartReader reader(width, Part::kSum);
  std::vector<PartOfWindow> parts;
  for (auto _ : state) {
    parts.clear();
    benchmark::DoNotOptimize(reader.read(bytes, parts));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(windows.size()));
}

BENCHMARK(make_a_day)->DenseRange(kConstant, kRandom);
BENCHMARK(read_a_day)->DenseRange(kConstant, kRandom);
BENCHMARK(read_sums_of_a_day)->DenseRange(kConstant, kRandom);

}  // namespace
}  // namespace vigia::rollup
