// What a block is, read piece by piece.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/wire/remote_write/snappy_reader.hpp"

namespace vigia::wire::remote_write::testing {

/// Asks for so many bytes at a time, 1 to `piece_bytes`, in turns of a few sizes. Nothing for a
/// block that is damaged.
inline std::optional<std::string> read_block(std::string_view block, std::size_t piece_bytes,
                                             Holds& holds) {
  auto reader = SnappyReader::open(block, piece_bytes, holds);
  if (!reader) return std::nullopt;
  std::string message;
  for (std::size_t turn = 0; reader->left() > 0; ++turn) {
    const std::size_t bytes = std::min(1 + turn * 7919 % piece_bytes, reader->left());
    const std::string_view some = reader->ahead(bytes).substr(0, bytes);
    if (some.size() != bytes) return std::nullopt;
    message += some;
    reader->pass(bytes);
  }
  return message;
}

inline std::optional<std::string> read_block(std::string_view block, std::size_t piece_bytes) {
  Holds holds({});
  return read_block(block, piece_bytes, holds);
}

}  // namespace vigia::wire::remote_write::testing
