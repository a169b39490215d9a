#include "services/collector/processors/sampler/threshold.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace vigia::collector::processors::sampler {
namespace {

constexpr int kDigits = 14;
constexpr int kBitsOfDigit = 4;

std::optional<std::uint64_t> read_hex(std::string_view text) {
  const auto is_digit = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (text.empty() || text.size() > kDigits || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

std::uint32_t fnv1a(std::uint32_t hash, std::string_view bytes) {
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 16'777'619U;
  }
  return hash;
}

}  // namespace

std::uint64_t threshold_of(double probability, int precision) {
  if (probability >= 1) return 0;
  // Next to either end more digits are needed for the same relative error: one for each leading 0
  // or f.
  int exponent = 0;
  int rest_exponent = 0;
  std::frexp(probability, &exponent);
  std::frexp(1 - probability, &rest_exponent);
  precision = std::min(
      kDigits, precision + std::max(exponent / -kBitsOfDigit, rest_exponent / -kBitsOfDigit));
  std::uint64_t threshold =
      kRandomnessEnd -
      static_cast<std::uint64_t>(std::llround(probability * static_cast<double>(kRandomnessEnd)));
  const auto shift = static_cast<unsigned>(kBitsOfDigit * (kDigits - precision));
  if (shift > 0) threshold = ((threshold + (1ULL << (shift - 1U))) >> shift) << shift;
  return threshold;
}

double probability_of(std::uint64_t threshold) {
  return static_cast<double>(kRandomnessEnd - threshold) / static_cast<double>(kRandomnessEnd);
}

std::optional<std::uint64_t> randomness_of_trace(std::string_view trace_id) {
  constexpr std::size_t kTraceIdBytes = 16;
  constexpr std::size_t kRandomBytes = 7;
  if (trace_id.size() != kTraceIdBytes ||
      std::all_of(trace_id.begin(), trace_id.end(), [](char byte) { return byte == 0; }))
    return std::nullopt;
  std::uint64_t randomness = 0;
  for (const char byte : trace_id.substr(kTraceIdBytes - kRandomBytes))
    randomness = (randomness << 8U) | static_cast<unsigned char>(byte);
  return randomness;
}

/// The fourteen bits that decide are its highest, turned round so that what upstream keeps (a hash
/// below a bound) is what lies above the threshold; the rest is filled with what else the hash has.
std::uint64_t randomness_of_bytes(std::string_view bytes, std::uint32_t seed) {
  constexpr std::uint32_t kOffset = 2'166'136'261U;
  constexpr std::uint64_t kBucketMask = 0x3fff;
  std::string prefix;
  for (unsigned byte = 0; byte < 4; ++byte)
    prefix += static_cast<char>((seed >> (8 * byte)) & 0xffU);
  const std::uint64_t hash = fnv1a(fnv1a(kOffset, prefix), bytes);
  const std::uint64_t bucket = hash & kBucketMask;
  const std::uint64_t unused = hash >> 18U;
  const std::uint64_t mixed = unused ^ (unused << 10U);
  return ((kBucketMask - bucket) << 42U) | (mixed << 14U) | bucket;
}

std::string threshold_text(std::uint64_t threshold) {
  std::string text = fmt::format("{:014x}", threshold);
  text.erase(std::max<std::size_t>(text.find_last_not_of('0') + 1, 1));
  return text;
}

std::optional<std::uint64_t> read_threshold(std::string_view text) {
  const auto number = read_hex(text);
  if (!number) return std::nullopt;
  return *number << static_cast<unsigned>(kBitsOfDigit * (kDigits - static_cast<int>(text.size())));
}

std::string randomness_text(std::uint64_t randomness) { return fmt::format("{:014x}", randomness); }

std::optional<std::uint64_t> read_randomness(std::string_view text) {
  if (text.size() != kDigits) return std::nullopt;
  return read_hex(text);
}

}  // namespace vigia::collector::processors::sampler
