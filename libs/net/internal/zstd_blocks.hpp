// What the blocks of a zstd body say of its size, without any of it being unpacked.
#pragma once

#include <cstdint>
#include <string_view>

namespace vigia::net::internal {

/// No more than the body becomes: the sum of its raw blocks and of those that repeat one byte,
/// whose heads have their size (RFC 8878 §3.1.1.2). Of damaged bytes, up to the damage.
std::uint64_t zstd_bytes_at_least(std::string_view bytes);

}  // namespace vigia::net::internal
