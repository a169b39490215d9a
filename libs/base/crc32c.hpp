// CRC-32C (Castagnoli), the checksum of the disk log and of remote-read frames.
#pragma once

#include <cstdint>
#include <string_view>

namespace vigia {

/// CRC-32C of `bytes`, or of what came before and `bytes` where `previous` is the sum so far. Uses
/// SSE 4.2 where the processor has it, a table elsewhere.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace vigia
