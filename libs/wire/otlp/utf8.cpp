#include "libs/wire/otlp/utf8.hpp"

#include <cstdint>
#include <cstring>

#include <simdjson.h>

namespace vigia::wire::otlp {
namespace {

// Most texts here are short and ASCII: eight bytes a step beats the call into simdjson.
constexpr std::size_t kShort = 64;
constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

bool is_ascii(std::string_view text) {
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t seen = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    seen |= word;
  }
  std::uint64_t tail = 0;
  std::memcpy(&tail, at, left);
  return ((seen | tail) & kHighBits) == 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() <= kShort && is_ascii(text)) return true;
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace vigia::wire::otlp
