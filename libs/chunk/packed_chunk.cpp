#include "libs/chunk/packed_chunk.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "libs/base/check.hpp"
#include "libs/chunk/limits.hpp"
#include "libs/chunk/residual_code.hpp"

namespace vigia::chunk {
namespace {

// All exact as doubles, so that a division by one rounds once, as the text of the number would.
constexpr std::array<double, 7> kPowersOfTen = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
constexpr double kWholeMax = 9007199254740992.0;  // 2^53
constexpr unsigned kDecimalsBits = 3;
constexpr unsigned kShiftBits = 6;
constexpr unsigned kOrderBits = 2;
constexpr unsigned kOrderMax = 2;

using Numbers = std::vector<std::uint64_t>;  // two's complement: sums wrap, and wrap back

// The values times 10^decimals, where that loses nothing.
bool scale(const std::vector<Sample>& samples, unsigned decimals, Numbers& whole) {
  const double power = kPowersOfTen[decimals];
  whole.clear();
  for (const Sample& sample : samples) {
    // Tried, not proved: the division at reading is done here already, and where it does not give
    // back the very bits the chunk stays as it is.
    const double scaled = std::nearbyint(sample.value * power);
    if (!(std::abs(scaled) <= kWholeMax) || !is_same_value(scaled / power, sample.value)) {
      return false;
    }
    const auto number = static_cast<std::int64_t>(scaled);
    // -0 is equal to 0 and would come back as 0.
    if (number == 0 && std::signbit(sample.value)) return false;
    whole.push_back(static_cast<std::uint64_t>(number));
  }
  return true;
}

// Steps from the first value without the zero bits at their end that all have: pages, sectors.
unsigned shift_steps(Numbers& whole) {
  const std::uint64_t first = whole[0];
  std::uint64_t all = 0;
  for (std::uint64_t& number : whole) {
    number -= first;
    all |= number;
  }
  const unsigned shift = all == 0 ? 0 : static_cast<unsigned>(std::countr_zero(all));
  for (std::uint64_t& number : whole) {
    number = static_cast<std::uint64_t>(static_cast<std::int64_t>(number) >> shift);
  }
  return shift;
}

// Each number becomes the difference to the one before; before the first stands 0.
void differentiate(Numbers& numbers) {
  std::uint64_t previous = 0;
  for (std::uint64_t& number : numbers) {
    const std::uint64_t current = number;
    number -= previous;
    previous = current;
  }
}

Numbers zigzagged(const Numbers& numbers) {
  Numbers codes(numbers.size());
  std::transform(numbers.begin(), numbers.end(), codes.begin(), zigzag);
  return codes;
}

std::uint64_t width_sum(const Numbers& numbers) {
  std::uint64_t sum = 0;
  for (const std::uint64_t number : numbers) {
    sum += static_cast<unsigned>(std::bit_width(zigzag(number)));
  }
  return sum;
}

// Of the numbers themselves, their differences and the differences of those, the smallest.
unsigned choose_order(Numbers& numbers) {
  unsigned order = 0;
  std::uint64_t least = width_sum(numbers);
  Numbers best = numbers;
  for (unsigned i = 1; i <= kOrderMax; ++i) {
    differentiate(numbers);
    const std::uint64_t widths = width_sum(numbers);
    if (widths >= least) continue;
    least = widths;
    order = i;
    best = numbers;
  }
  numbers = std::move(best);
  return order;
}

void write_numbers(BitWriter& bits, const Numbers& numbers) {
  const Numbers codes = zigzagged(numbers);
  const ResidualCode code = choose_code(codes).code;
  write_code(bits, code);
  for (const std::uint64_t number : codes) write_number(bits, code, number);
}

// Changes of the step; none where the samples stand on a grid.
void write_times(BitWriter& bits, const std::vector<Sample>& samples) {
  if (samples.size() < 2) return;
  Numbers steps;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    steps.push_back(static_cast<std::uint64_t>(samples[i].timestamp_ms) -
                    static_cast<std::uint64_t>(samples[i - 1].timestamp_ms));
  }
  // Unsigned sums wrap and wrap back, so time stamps at the ends of the range need no special case.
  bits.write_signed_varint(static_cast<std::int64_t>(steps[0]));
  differentiate(steps);
  steps.erase(steps.begin());
  const bool is_grid =
      std::all_of(steps.begin(), steps.end(), [](std::uint64_t step) { return step == 0; });
  bits.write_bit(is_grid);
  if (!is_grid) write_numbers(bits, steps);
}

void write_values(BitWriter& bits, Numbers& whole, unsigned decimals) {
  const std::uint64_t first = whole[0];
  const unsigned shift = shift_steps(whole);
  whole.erase(whole.begin());
  const unsigned order = choose_order(whole);
  bits.write_bits(decimals, kDecimalsBits);
  bits.write_bits(shift, kShiftBits);
  bits.write_bits(order, kOrderBits);
  bits.write_signed_varint(static_cast<std::int64_t>(first));
  const bool is_constant =
      std::all_of(whole.begin(), whole.end(), [](std::uint64_t step) { return step == 0; });
  bits.write_bit(is_constant);
  if (!is_constant) write_numbers(bits, whole);
}

bool read_numbers(BitReader& bits, Numbers& numbers) {
  bool is_zero = false;
  ResidualCode code;
  if (!bits.read_bit(is_zero)) return false;
  if (is_zero) return true;
  if (!read_code(bits, code)) return false;
  for (std::uint64_t& number : numbers) {
    if (!read_number(bits, code, number)) return false;
    number = unzigzag(number);
  }
  return true;
}

void integrate(Numbers& numbers) {
  std::uint64_t sum = 0;
  for (std::uint64_t& number : numbers) number = sum += number;
}

bool read_times(BitReader& bits, std::vector<Sample>& samples) {
  if (samples.size() < 2) return true;
  std::uint64_t step = 0;
  Numbers changes(samples.size() - 2);
  if (!bits.read_signed_varint(step) || !read_numbers(bits, changes)) return false;
  auto time = static_cast<std::uint64_t>(samples[0].timestamp_ms);
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (i > 1) step += changes[i - 2];
    time += step;
    samples[i].timestamp_ms = static_cast<TimestampMs>(time);
  }
  return true;
}

bool read_values(BitReader& bits, std::vector<Sample>& samples) {
  std::uint64_t decimals = 0;
  std::uint64_t shift = 0;
  std::uint64_t order = 0;
  std::uint64_t first = 0;
  Numbers steps(samples.size() - 1);
  if (!bits.read_bits(kDecimalsBits, decimals) || !bits.read_bits(kShiftBits, shift) ||
      !bits.read_bits(kOrderBits, order) || !bits.read_signed_varint(first) ||
      decimals >= kPowersOfTen.size() || order > kOrderMax || !read_numbers(bits, steps)) {
    return false;
  }
  for (std::uint64_t i = 0; i < order; ++i) integrate(steps);
  const auto value_of = [&](std::uint64_t number) {
    return static_cast<double>(static_cast<std::int64_t>(number)) / kPowersOfTen[decimals];
  };
  samples[0].value = value_of(first);
  for (std::size_t i = 1; i < samples.size(); ++i) {
    samples[i].value = value_of(first + (steps[i - 1] << shift));
  }
  return true;
}

}  // namespace

std::optional<std::string> pack_samples(const std::vector<Sample>& samples) {
  CHECK(samples.size() <= kSamplesMax);
  if (samples.empty()) return std::nullopt;
  Numbers whole;
  whole.reserve(samples.size());
  unsigned decimals = 0;
  while (!scale(samples, decimals, whole)) {
    if (++decimals == kPowersOfTen.size()) return std::nullopt;
  }
  BitWriter bits;
  bits.write_varint(samples.size());
  write_times(bits, samples);
  write_values(bits, whole, decimals);
  return std::string(bits.bytes().begin(), bits.bytes().end());
}

Result<std::vector<Sample>> unpack_samples(std::string_view bytes, TimestampMs first_ms) {
  BitReader bits(bytes);
  std::uint64_t count = 0;
  // Bounded before memory is taken for it.
  const bool has_count = bits.read_varint(count) && count > 0 && count <= kSamplesMax;
  std::vector<Sample> samples(has_count ? count : 1);
  samples[0].timestamp_ms = first_ms;
  if (!has_count || !read_times(bits, samples) || !read_values(bits, samples)) {
    return fail(ErrorCode::kCorrupt, "a packed chunk ends before its last sample");
  }
  return samples;
}

}  // namespace vigia::chunk
