#include "libs/base/utf8.hpp"

#include <cstring>

namespace vigia {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// What may follow a first byte (RFC 3629 §4).
struct SequenceForm {
  std::size_t length = 0;
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xbf;
};

SequenceForm form_of(unsigned char first) {
  if (first < 0x80) return {1};
  if (first < 0xc2) return {};
  if (first < 0xe0) return {2};
  if (first == 0xe0) return {3, 0xa0};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3};
  if (first == 0xf0) return {4, 0x90};
  if (first < 0xf4) return {4};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {};
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const SequenceForm form = form_of(byte(0));
  if (form.length <= 1) return form.length;
  if (text.size() < form.length || byte(1) < form.second_min || byte(1) > form.second_max) return 0;
  for (std::size_t i = 2; i < form.length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
  }
  return form.length;
}

namespace {

// How many bytes from the first on are ASCII, by eights: nearly all text is, and is looked through
// at once.
std::size_t ascii_beginning(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t length = 0;
  for (std::uint64_t word = 0; text.size() - length >= sizeof(word); length += sizeof(word)) {
    std::memcpy(&word, text.data() + length, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(ascii_beginning(text));
    if (text.empty()) break;
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view utf8_beginning(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  constexpr std::size_t kFollowingMax = 3;
  for (std::size_t cut = bytes_max; cut + kFollowingMax >= bytes_max; --cut) {
    const bool is_within = (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U;
    if (!is_within) return text.substr(0, cut);
    if (cut == 0) break;
  }
  return text.substr(0, bytes_max);
}

std::string utf8_of(std::uint32_t point) {
  constexpr std::uint32_t kSurrogatesBegin = 0xd800;
  constexpr std::uint32_t kSurrogatesEnd = 0xe000;
  if (point > 0x10ffff || (point >= kSurrogatesBegin && point < kSurrogatesEnd)) return {};
  if (point < 0x80) return {static_cast<char>(point)};
  const auto following = [point](unsigned shift) {
    return static_cast<char>(0x80U | ((point >> shift) & 0x3fU));
  };
  if (point < 0x800) return {static_cast<char>(0xc0U | (point >> 6U)), following(0)};
  if (point < 0x10000)
    return {static_cast<char>(0xe0U | (point >> 12U)), following(6), following(0)};
  return {static_cast<char>(0xf0U | (point >> 18U)), following(12), following(6), following(0)};
}

std::string to_utf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    repaired += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return repaired;
}

}  // namespace vigia
