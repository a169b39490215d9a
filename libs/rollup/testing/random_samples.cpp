#include "libs/rollup/testing/random_samples.hpp"

#include <array>
#include <random>

namespace vigia::rollup {
namespace {

constexpr TimestampMs kStart = 1'764'028'800'000;  // a whole day
constexpr TimestampMs kFiveMinutesMs = 300'000;
constexpr TimestampMs kHourMs = 12 * kFiveMinutesMs;

class RandomSeries {
 public:
  explicit RandomSeries(std::uint64_t seed) : random_(seed) {}

  std::vector<Sample> make() {
    constexpr auto kSteps = std::to_array<TimestampMs>(
        {1'000, 15'000, 60'000, kFiveMinutesMs, 420'000, kHourMs, 7 * kHourMs});
    const TimestampMs step = kSteps[pick(kSteps.size())];
    const bool is_jittered = one_in(2);
    const std::size_t count = 1 + pick(400);
    TimestampMs at = kStart - static_cast<TimestampMs>(pick(3)) * kHourMs;
    kind_ = pick(4);
    std::vector<Sample> samples;
    while (samples.size() < count) {
      samples.push_back({at, value_at(at)});
      at += is_jittered ? 1 + static_cast<TimestampMs>(pick(static_cast<std::size_t>(2 * step)))
                        : step;
      // A node that was away, by less than a window or by many.
      if (one_in(40)) at += static_cast<TimestampMs>(pick(200)) * step;
    }
    return samples;
  }

 private:
  // A counter, one that begins anew with every window, a gauge with decimals, one that stands.
  double value_at(TimestampMs at) {
    if (one_in(50)) return stale_mark();
    if (one_in(150)) return normalized(-std::numeric_limits<double>::quiet_NaN());
    if (kind_ == 2) return static_cast<double>(pick(100'000)) / 100 - 300;
    if (kind_ == 3) return one_in(30) ? value_ += 1 : value_;
    const bool is_new_window = at / kFiveMinutesMs != window_;
    window_ = at / kFiveMinutesMs;
    if (kind_ == 1 ? is_new_window : one_in(25)) value_ = static_cast<double>(pick(20));
    return value_ += static_cast<double>(pick(1000)) / 10;
  }
  std::size_t pick(std::size_t below) { return random_() % below; }
  bool one_in(std::size_t times) { return pick(times) == 0; }

  std::mt19937_64 random_;
  std::size_t kind_ = 0;
  TimestampMs window_ = 0;
  double value_ = 0;
};

}  // namespace

std::vector<Sample> random_samples(std::uint64_t seed) { return RandomSeries(seed).make(); }

}  // namespace vigia::rollup
