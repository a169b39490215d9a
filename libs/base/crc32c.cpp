#include "libs/base/crc32c.hpp"

#include <array>
#include <cstring>

namespace vigia {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected, RFC 3720 appendix B.4

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? kPolynomial : 0);
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

// For processors without the instruction: slow, but the same sum, so that files may be carried
// from one machine to another.
std::uint32_t update_by_table(std::uint32_t state, std::string_view bytes) {
  for (const char c : bytes)
    state = kTable[(state ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (state >> 8U);
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t update_by_processor(std::uint32_t state,
                                                                    std::string_view bytes) {
  std::uint64_t wide = state;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    wide = __builtin_ia32_crc32di(wide, word);
    bytes.remove_prefix(8);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (const char c : bytes) narrow = __builtin_ia32_crc32qi(narrow, static_cast<unsigned char>(c));
  return narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous) {
#if defined(__x86_64__)
  // Asked of the processor at run time: the program is built for any x86-64.
  static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
  if (kHasInstruction) return ~update_by_processor(~previous, bytes);
#endif
  return ~update_by_table(~previous, bytes);
}

}  // namespace vigia
