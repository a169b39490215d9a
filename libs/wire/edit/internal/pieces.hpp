// A body that is put together of passages of another one and of what was written anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::wire::edit::internal {

/// Passages that follow one another are one piece, so a body of which nothing was changed is one.
/// Of memory it takes what is written anew, and 8 bytes a piece. Thread contract: one thread.
class Pieces {
 public:
  /// `source` is the other body, below 2 GiB.
  explicit Pieces(std::string_view source) : source_(source) {}

  /// A place to which `take_back` returns.
  struct Mark {
    std::size_t pieces = 0;
    std::size_t made = 0;
    std::size_t bytes = 0;
  };
  Mark mark() const { return {pieces_.size(), made_.size(), bytes_}; }
  /// Forgets all that came after the mark. REQUIRES: a gap is the first thing that came after it,
  /// or nothing did: else a passage before it may have grown since.
  void take_back(const Mark& mark);

  /// Appends a passage of the source.
  void append_source(std::string_view passage);
  /// Appends what was written anew.
  void append_made(std::string_view text);
  /// Appends a place that is filled later, or stays empty; the number names it.
  std::size_t append_gap();
  void fill(std::size_t gap, std::string_view text);

  std::size_t bytes() const { return bytes_; }
  std::size_t made_bytes() const { return made_.size(); }
  /// Whether it is the source, whole.
  bool is_source() const {
    return bytes_ == source_.size() && pieces_.size() <= 1 && made_.empty();
  }
  std::string text() const;

 private:
  struct Piece {
    std::uint32_t at;
    std::uint32_t size : 31;
    std::uint32_t is_made : 1;
  };
  static_assert(sizeof(Piece) == 8);

  void append(std::size_t at, std::size_t size, bool is_made);

  std::string_view source_;
  std::string made_;
  std::vector<Piece> pieces_;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::wire::edit::internal
