#include "libs/chunk/packed_chunk.hpp"

#include <bit>

#include "libs/base/check.hpp"
#include "libs/chunk/decimal_form.hpp"
#include "libs/chunk/limits.hpp"
#include "libs/chunk/number_list.hpp"

namespace vigia::chunk {
namespace {

constexpr unsigned kShiftBits = 6;
// In the place of the decimals: a form follows in full.
constexpr std::uint64_t kFormFollows = 7;
constexpr unsigned kFormDecimalsBits = 4;
constexpr unsigned kMakingBits = 2;

void write_form(BitWriter& bits, const DecimalForm& form) {
  if (form.making == Making::kDivided && form.decimals <= kDecimalsMax) {
    bits.write_bits(form.decimals, kDecimalsBits);
    return;
  }
  bits.write_bits(kFormFollows, kDecimalsBits);
  bits.write_bits(form.decimals, kFormDecimalsBits);
  bits.write_bits(static_cast<std::uint64_t>(form.making), kMakingBits);
}

bool read_form(BitReader& bits, DecimalForm& form) {
  std::uint64_t decimals = 0;
  std::uint64_t making = 0;
  if (!bits.read_bits(kDecimalsBits, decimals)) return false;
  if (decimals == kFormFollows &&
      (!bits.read_bits(kFormDecimalsBits, decimals) || !bits.read_bits(kMakingBits, making))) {
    return false;
  }
  form = {static_cast<unsigned>(decimals), static_cast<Making>(making)};
  return form.decimals <= kFormDecimalsMax &&
         (form.making != Making::kDividedTwice || form.decimals >= kThousandDecimals);
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
  write_numbers(bits, steps);
}

void write_values(BitWriter& bits, Numbers& whole, const DecimalForm& form) {
  const std::uint64_t first = whole[0];
  const unsigned shift = shift_steps(whole);
  whole.erase(whole.begin());
  const unsigned order = choose_order(whole);
  write_form(bits, form);
  bits.write_bits(shift, kShiftBits);
  bits.write_bits(order, kOrderBits);
  bits.write_signed_varint(static_cast<std::int64_t>(first));
  write_numbers(bits, whole);
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
  DecimalForm form;
  std::uint64_t shift = 0;
  std::uint64_t order = 0;
  std::uint64_t first = 0;
  Numbers steps(samples.size() - 1);
  if (!read_form(bits, form) || !bits.read_bits(kShiftBits, shift) ||
      !bits.read_bits(kOrderBits, order) || !bits.read_signed_varint(first) || order > kOrderMax ||
      !read_numbers(bits, steps)) {
    return false;
  }
  for (std::uint64_t i = 0; i < order; ++i) integrate(steps);
  with_value_of(form, [&](auto value_of) {
    samples[0].value = value_of(static_cast<std::int64_t>(first));
    for (std::size_t i = 1; i < samples.size(); ++i) {
      samples[i].value = value_of(static_cast<std::int64_t>(first + (steps[i - 1] << shift)));
    }
  });
  return true;
}

}  // namespace

std::optional<std::string> pack_samples(const std::vector<Sample>& samples) {
  CHECK(samples.size() <= kSamplesMax);
  if (samples.empty()) return std::nullopt;
  auto form = find_form(samples);
  if (!form.has_value()) return std::nullopt;
  BitWriter bits;
  bits.write_varint(samples.size());
  write_times(bits, samples);
  write_values(bits, form->second, form->first);
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
  if (!bits.is_at_end()) {
    return fail(ErrorCode::kCorrupt, "a packed chunk does not end behind its last sample");
  }
  return samples;
}

}  // namespace vigia::chunk
