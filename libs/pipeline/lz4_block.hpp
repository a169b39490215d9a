// Writes LZ4 blocks for bodies whose messages resemble each other.
#pragma once

#include <cstddef>
#include <string_view>

namespace vigia::pipeline {

/// Room that pack_lz4 may need for so many bytes.
constexpr std::size_t lz4_room(std::size_t plain_bytes) {
  constexpr std::size_t kSlack = 64;  // copies are rounded up
  return plain_bytes + plain_bytes / 255 + kSlack;
}

/// Writes `plain` as one block of the LZ4 format, which any LZ4 reader takes, and returns its size.
/// REQUIRES: `room` has lz4_room(plain.size()) bytes; plain is below 2 GiB.
///
/// An OTLP body is one message after the other, each like the one before but for some digits. So
/// the distance at which something repeated is tried again and again, 64 bytes a look, and searched
/// anew only where it no longer pays: less than half the time of a search at every position, and
/// fewer matches to read back.
std::size_t pack_lz4(std::string_view plain, char* room);

}  // namespace vigia::pipeline
