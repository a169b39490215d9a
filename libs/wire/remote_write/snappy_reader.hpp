// A snappy block unpacked piece by piece, so that what it becomes is looked at before it is there.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/wire/remote_write/holds.hpp"

namespace vigia::wire::remote_write {

/// Reads one block from its beginning to its end. What it keeps are the bytes that are asked for
/// ahead, and behind them as many as the block's copies reach back: 64 KiB as nearly all encoders
/// write them, the whole message where one reaches back to its beginning. These grow as the message
/// does, and are asked of `holds` before they are there. Thread contract: one thread.
class SnappyReader {
 public:
  /// kInvalid for what is no snappy block, or a damaged one: all of it is gone over first, which
  /// writes nothing. `piece_bytes`: the most that may be asked for ahead. Block and `holds` outlive
  /// the reader.
  static Result<SnappyReader> open(std::string_view block, std::size_t piece_bytes, Holds& holds);
  SnappyReader(SnappyReader&& other) noexcept;
  SnappyReader& operator=(SnappyReader&&) = delete;
  ~SnappyReader();

  /// Of the message, bytes that are not passed.
  std::size_t left() const { return left_; }
  std::size_t piece_bytes() const { return piece_bytes_; }
  /// The next bytes in one piece, so many at least, or all that are left; they stay until more is
  /// asked for or passed. REQUIRES: bytes <= piece_bytes(). Throws OverShare.
  std::string_view ahead(std::size_t bytes) {
    if (end_ - at_ < bytes && end_ - at_ < left_) fill(bytes);
    return {buffer_.get() + at_, end_ - at_};
  }
  /// REQUIRES: bytes <= left().
  void pass(std::size_t bytes);
  /// Back to the message's beginning, which is unpacked anew.
  void rewind();

 private:
  struct Shape;
  SnappyReader(std::string_view elements, const Shape& shape, std::size_t piece_bytes,
               Holds& holds);
  void fill(std::size_t bytes);
  void forget();
  void unpack(std::size_t until);
  void copy_back(std::size_t bytes);

  std::string_view elements_;  // all of them
  std::string_view unread_;
  std::size_t message_bytes_;
  std::size_t left_;
  std::size_t piece_bytes_;
  std::size_t reach_;  // of the block's copies
  std::size_t capacity_;
  Holds* holds_;
  std::size_t held_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t at_ = 0, end_ = 0;  // in buffer_: what is ahead
  // What is left of the element under way.
  std::size_t element_bytes_ = 0;
  std::size_t element_back_ = 0;  // 0: a literal
};

}  // namespace vigia::wire::remote_write
