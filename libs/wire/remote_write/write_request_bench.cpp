#include <benchmark/benchmark.h>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::wire::remote_write {
namespace {

constexpr std::size_t kSeries = 4000;

std::vector<std::string> label_sets() {
  std::vector<std::string> sets;
  for (std::size_t i = 0; i < kSeries; ++i) {
    sets.push_back(encode_labels(Labels::from({{"__name__", "system_network_io_bytes_total"},
                                               {"customer_id", "cliente-a"},
                                               {"device", "eth" + std::to_string(i % 10)},
                                               {"environment", "production"},
                                               {"instance", "node-" + std::to_string(i / 10)},
                                               {"job", "vigia-agent"},
                                               {"node_id", "node-" + std::to_string(i / 10)},
                                               {"node_region", "us-east-1"}})));
  }
  return sets;
}

void encode(benchmark::State& state) {
  const std::vector<std::string> sets = label_sets();
  std::string message;
  std::size_t bytes = 0;
  TimestampMs now = 1'700'000'000'000;
  for (auto _ : state) {
    message.clear();
    now += 15'000;
    double value = 0;
    for (const std::string& labels : sets) append_sample(message, labels, {now, value += 1.5});
    bytes = compress_request(message).size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kSeries));
  state.counters["bytes_a_point"] = static_cast<double>(bytes) / kSeries;
}
BENCHMARK(encode);

class Counting final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override { samples += series.samples.size(); }
  std::size_t samples = 0;
};

void decode(benchmark::State& state) {
  std::string message;
  for (const std::string& labels : label_sets()) append_sample(message, labels, {1, 1.5});
  const std::string body = compress_request(message);
  Counting counting;
  for (auto _ : state) {
    if (!decode_request(body, {}, counting)) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(counting.samples));
}
BENCHMARK(decode);

}  // namespace
}  // namespace vigia::wire::remote_write
