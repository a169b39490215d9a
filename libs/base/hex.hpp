// Hexadecimal and SHA-256, as ids and token hashes are written.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia {

/// Lower-case hex of the bytes.
std::string to_hex(std::string_view bytes);

/// The bytes of a hex text in either case. Nothing on an odd length or another character.
std::optional<std::string> from_hex(std::string_view text);

std::array<std::uint8_t, 32> sha256(std::string_view bytes);

/// SHA-256 of the bytes in lower-case hex: the form in which tokens are kept.
std::string sha256_hex(std::string_view bytes);

/// Compares in a time that does not depend on where the texts differ.
bool equal_constant_time(std::string_view left, std::string_view right);

}  // namespace vigia
