// Bytes on their way out of a connection.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace vigia::net::internal {

/// A queue of bytes. Large strings are taken over, small ones gathered.
class Output {
 public:
  void append(std::string_view bytes);
  void append(std::string&& bytes);
  /// The piece to write first; empty where nothing waits.
  std::string_view front() const;
  /// The first `count` waiting bytes are written.
  void pop(std::size_t count);
  std::size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }

 private:
  std::deque<std::string> pieces_;
  std::size_t offset_ = 0;  // what is written of the first piece
  std::size_t size_ = 0;
};

}  // namespace vigia::net::internal
