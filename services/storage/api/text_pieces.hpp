// A long text that is put together once: while it grows, no part of it is copied.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace vigia::storage::api {

/// Thread contract: one thread.
class TextPieces {
 public:
  /// Appends what `write(std::string&)` appends, which is `bytes_max` at most and reckoned before:
  /// more would be copied. Where it throws, nothing is appended.
  template <typename Write>
  void append(std::size_t bytes_max, Write&& write) {
    std::string& piece = room_for(bytes_max);
    const std::size_t before = piece.size();
    try {
      write(piece);
    } catch (...) {
      piece.resize(before);
      throw;
    }
    bytes_ += piece.size() - before;
  }
  std::size_t bytes() const { return bytes_; }
  /// Appends all of it to `text`, each piece gone once it is there.
  void move_to(std::string& text) {
    for (std::string& piece : pieces_) {
      text += piece;
      std::string().swap(piece);
    }
    pieces_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr std::size_t kPieceBytes = 256U << 10U;

  std::string& room_for(std::size_t bytes) {
    if (pieces_.empty() || pieces_.back().capacity() - pieces_.back().size() < bytes) {
      pieces_.emplace_back().reserve(std::max(bytes, kPieceBytes));
    }
    return pieces_.back();
  }

  std::vector<std::string> pieces_;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::storage::api
