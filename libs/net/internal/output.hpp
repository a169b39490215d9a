// Bytes on their way out of a connection.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace vigia::net::internal {

/// A queue of bytes. Large strings are taken over, small ones gathered.
class OutputQueue {
 public:
  void append(std::string_view bytes);
  /// `held` is let go when the bytes are written.
  void append(std::string&& bytes, std::shared_ptr<void> held = nullptr);
  /// Bytes that others have as well: not copied.
  void append(std::shared_ptr<const std::string> bytes, std::shared_ptr<void> held = nullptr);
  /// The piece to write first; empty where nothing waits.
  std::string_view front() const;
  /// The first `count` waiting bytes are written.
  void pop(std::size_t count);
  std::size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }
  /// What it holds that nobody else does, of a piece that is partly written all.
  std::size_t own_bytes() const { return own_bytes_; }

 private:
  struct Piece {
    std::string own;
    std::shared_ptr<const std::string> shared;  // instead of `own`; with whoever else sends it
    std::shared_ptr<void> held;                 // shared with the answer's maker
    const std::string& bytes() const { return shared ? *shared : own; }
  };

  std::deque<Piece> pieces_;
  std::size_t offset_ = 0;  // what is written of the first piece
  std::size_t size_ = 0;
  std::size_t own_bytes_ = 0;
};

}  // namespace vigia::net::internal
