// The fields of a message that is unpacked piece by piece, and bytes of it that are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/protobuf_reader.hpp"
#include "libs/wire/remote_write/snappy_reader.hpp"

namespace vigia::wire::remote_write {

/// Goes over one message field by field, as ProtobufReader does over bytes that are all there.
/// Throws protozero::exception for what that one throws it, and OverShare. Views live until next().
class FieldStream {
 public:
  /// Of the block's next `bytes`, which are there. The block outlives the stream.
  FieldStream(SnappyReader& block, std::size_t bytes)
      : block_(&block), end_left_(block.left() - bytes), field_end_left_(block.left()) {}

  /// Passes over what is left of the field before.
  bool next();
  std::uint32_t tag_and_type() const { return tag_and_type_; }
  std::size_t content_bytes() const { return content_bytes_; }
  /// With its tag and length.
  std::size_t field_bytes() const { return head_bytes_ + content_bytes_; }
  /// More than can be seen at once.
  bool is_long() const { return field_bytes() > block_->piece_bytes(); }

  /// The whole field with its head. REQUIRES: !is_long().
  std::string_view bytes();
  /// The same, for whoever reads it with next() called. REQUIRES: !is_long().
  ProtobufReader field();
  /// REQUIRES: !is_long(), a field with a length.
  std::string_view content() { return bytes().substr(head_bytes_); }
  /// The fields of a field with a length. To be read to its end before this one goes on, or not.
  FieldStream inside();
  /// The whole field behind `out`, or of its content the first bytes.
  void append_to(std::string& out);
  void append_content_to(std::string& out, std::size_t bytes_max);
  /// Throws where the message has that number in another wire type.
  void pass_over(const KnownFields& fields) const;

 private:
  void append(std::string& out, std::size_t bytes);

  SnappyReader* block_;
  std::size_t end_left_;        // of the block where this message ends
  std::size_t field_end_left_;  // and where the field does
  std::uint32_t tag_and_type_ = 0;
  std::size_t head_bytes_ = 0;
  std::size_t content_bytes_ = 0;
};

/// Bytes that stay where they are until clear().
class KeptBytes {
 public:
  explicit KeptBytes(Holds& holds) : holds_(holds) {}
  KeptBytes(const KeptBytes&) = delete;
  KeptBytes& operator=(const KeptBytes&) = delete;
  ~KeptBytes() { clear(); }

  /// Throws OverShare.
  std::string_view keep(std::string_view bytes);
  /// What else is held for as long.
  void count(std::size_t bytes) {
    holds_.add(bytes);
    held_ += bytes;
  }
  void clear();

 private:
  Holds& holds_;
  std::vector<std::unique_ptr<char[]>> pieces_;
  std::size_t left_ = 0;  // of the last piece
  char* next_ = nullptr;
  std::size_t held_ = 0;
};

}  // namespace vigia::wire::remote_write
