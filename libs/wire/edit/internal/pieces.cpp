#include "libs/wire/edit/internal/pieces.hpp"

#include "libs/base/check.hpp"

namespace vigia::wire::edit::internal {
namespace {

// A shorter passage between two that are written anew is copied to them: a list of pieces must not
// become larger than the body of which it tells.
constexpr std::size_t kPassageMin = 32;

}  // namespace

void Pieces::take_back(const Mark& mark) {
  pieces_.resize(mark.pieces);
  made_.resize(mark.made);
  bytes_ = mark.bytes;
}

void Pieces::append(std::size_t at, std::size_t size, bool is_made) {
  bytes_ += size;
  if (!pieces_.empty()) {
    Piece& last = pieces_.back();
    if (last.size > 0 && last.is_made == static_cast<std::uint32_t>(is_made) &&
        last.at + last.size == at) {
      last.size += static_cast<std::uint32_t>(size) & 0x7fffffffU;
      return;
    }
  }
  pieces_.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size) & 0x7fffffffU,
                     is_made ? 1U : 0U});
}

void Pieces::append_source(std::string_view passage) {
  if (passage.empty()) return;
  const bool follows_made =
      !pieces_.empty() && pieces_.back().size > 0 && pieces_.back().is_made != 0;
  if (passage.size() < kPassageMin && follows_made) {
    append_made(passage);
    return;
  }
  append(static_cast<std::size_t>(passage.data() - source_.data()), passage.size(), false);
}

void Pieces::append_made(std::string_view text) {
  if (text.empty()) return;
  const std::size_t at = made_.size();
  made_ += text;
  append(at, text.size(), true);
}

std::size_t Pieces::append_gap() {
  pieces_.push_back({0, 0, 1});
  return pieces_.size() - 1;
}

void Pieces::fill(std::size_t gap, std::string_view text) {
  CHECK(pieces_[gap].size == 0);
  pieces_[gap] = {static_cast<std::uint32_t>(made_.size()),
                  static_cast<std::uint32_t>(text.size()) & 0x7fffffffU, 1};
  made_ += text;
  bytes_ += text.size();
}

std::string Pieces::text() const {
  std::string text;
  text.reserve(bytes_);
  for (const Piece& piece : pieces_)
    text += (piece.is_made != 0 ? std::string_view(made_) : source_).substr(piece.at, piece.size);
  return text;
}

}  // namespace vigia::wire::edit::internal
