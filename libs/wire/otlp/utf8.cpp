#include "libs/wire/otlp/utf8.hpp"

#include <cstdint>
#include <cstring>

#include <simdjson.h>

namespace vigia::wire::otlp {
namespace {

// Most texts here are short and ASCII: eight bytes a step beats the call into simdjson.
constexpr std::size_t kShort = 64;
constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

template <typename Word>
std::uint64_t load(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The last step overlaps the one before, so that no length needs a loop over single bytes.
bool is_ascii(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t seen = 0;
  if (text.size() >= 8) {
    for (; end - at > 8; at += 8) seen |= load<std::uint64_t>(at);
    seen |= load<std::uint64_t>(end - 8);
  } else if (text.size() >= 4) {
    seen = load<std::uint32_t>(at) | load<std::uint32_t>(end - 4);
  } else {
    for (; at != end; ++at) seen |= static_cast<unsigned char>(*at);
  }
  return (seen & kHighBits) == 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() <= kShort && is_ascii(text)) return true;
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace vigia::wire::otlp
