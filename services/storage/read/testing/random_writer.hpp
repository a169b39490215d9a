// Writes samples as chance brings them, for tests.
#pragma once

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "libs/rollup/testing/random_samples.hpp"
#include "services/storage/read/testing/naive_windows.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::read {

/// Writes a series as it may come: in order, late, closed meanwhile, over a restart. Thread
/// contract: one thread.
class RandomWriter {
 public:
  /// `between`: now and then, with the store as it is; `restart`: instead of the store's own.
  RandomWriter(StorageFixture& storage, std::uint32_t seed, std::function<void()> between,
               std::function<void()> restart)
      : storage_(storage),
        random_(seed),
        between_(std::move(between)),
        restart_(std::move(restart)) {}

  Values write(const std::string& metric) {
    std::vector<Sample> in_order;
    std::vector<Sample> late;
    Values all;
    for (const Sample& sample : rollup::random_samples(random_())) {
      (one_in(6) ? late : in_order).push_back(sample);
      all.emplace(sample.timestamp_ms, sample.value);
    }
    std::shuffle(late.begin(), late.end(), random_);
    write_some(metric, in_order);
    write_some(metric, late);
    return all;
  }

 private:
  void write_some(const std::string& metric, const std::vector<Sample>& samples) {
    for (std::size_t at = 0; at < samples.size();) {
      const std::size_t count = std::min<std::size_t>(1 + random_() % 100, samples.size() - at);
      const auto from = samples.begin() + static_cast<std::ptrdiff_t>(at);
      storage_.write("cliente-a", metric, {from, from + static_cast<std::ptrdiff_t>(count)});
      at += count;
      if (one_in(12)) storage_.advance(std::chrono::hours(one_in(3) ? 30 : 3));
      if (one_in(6)) between_();
      if (one_in(40)) restart_();
    }
  }
  bool one_in(std::size_t times) { return random_() % times == 0; }

  StorageFixture& storage_;
  std::mt19937 random_;
  const std::function<void()> between_;
  const std::function<void()> restart_;
};

}  // namespace vigia::storage::read
