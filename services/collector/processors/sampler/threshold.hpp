// The numbers of consistent probability sampling (OpenTelemetry, "TraceState: Probability
// Sampling"): 56 bits of randomness, and a threshold below which an item goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::collector::processors::sampler {

/// Randomness is one of so many numbers, from 0.
inline constexpr std::uint64_t kRandomnessEnd = 1ULL << 56U;
/// An item with this threshold is never kept; with 0 it always is.
inline constexpr std::uint64_t kNever = kRandomnessEnd;

/// Kept is what has at least this randomness: a part of all that is `probability`, from 2^-56 to 1.
/// `precision`: hexadecimal digits, 1 to 14; more where the probability is next to 0 or 1.
std::uint64_t threshold_of(double probability, int precision);
double probability_of(std::uint64_t threshold);

/// The last seven bytes of a trace id of sixteen; nothing where it is none or all zero.
std::optional<std::uint64_t> randomness_of_trace(std::string_view trace_id);
/// Of a hash of any bytes, as upstream's mode hash_seed has it: 14 bits of FNV-1a decide.
std::uint64_t randomness_of_bytes(std::string_view bytes, std::uint32_t seed);

/// "8" for half: hexadecimal digits without the zeros at the end, "0" for 0.
std::string threshold_text(std::uint64_t threshold);
/// Nothing where it is no such text.
std::optional<std::uint64_t> read_threshold(std::string_view text);
/// Fourteen hexadecimal digits.
std::string randomness_text(std::uint64_t randomness);
std::optional<std::uint64_t> read_randomness(std::string_view text);

}  // namespace vigia::collector::processors::sampler
