#include "libs/wire/remote_write/field_stream.hpp"

#include <algorithm>
#include <cstring>

namespace vigia::wire::remote_write {
namespace {

// Two numbers of ten bytes each: a tag and what it is the tag of, or its length.
constexpr std::size_t kHeadBytesMax = 2 * protozero::max_varint_length;
constexpr std::size_t kKeptPieceBytes = 64U << 10U;

struct Length {
  std::size_t head_bytes = 0;  // that it takes itself
  std::size_t bytes = 0;
};

/// Of a field that reader.next() has found, as ProtobufReader reads it. What follows need not be
/// there.
Length length_ahead(const ProtobufReader& reader) {
  const std::string_view rest(reader.position(), reader.length());
  constexpr std::size_t kBits = 7;
  constexpr unsigned kMore = 0x80;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < rest.size() && i < protozero::max_varint_length; ++i) {
    const unsigned byte = static_cast<unsigned char>(rest[i]);
    const std::uint64_t low = byte & (kMore - 1);
    // Behind the fifth byte all bits are above the 32nd.
    if (low != 0 && (i * kBits >= 35 || (low << (i * kBits)) > UINT32_MAX))
      throw ProtobufDamage("a field's length has more than 32 bits", rest.data());
    bytes |= i * kBits < 35 ? low << (i * kBits) : 0;
    if (byte < kMore) return {i + 1, static_cast<std::size_t>(bytes)};
  }
  if (rest.size() < protozero::max_varint_length) throw protozero::end_of_buffer_exception{};
  throw protozero::varint_too_long_exception{};
}

}  // namespace

void FieldStream::pass_over(const KnownFields& fields) const {
  if (fields.contradict(tag_and_type_))
    throw ProtobufDamage("a known field has another wire type", nullptr);
}

bool FieldStream::next() {
  block_->pass(block_->left() - field_end_left_);
  if (block_->left() == end_left_) return false;
  const std::size_t within = block_->left() - end_left_;
  ProtobufReader reader(
      block_->ahead(std::min(within, kHeadBytesMax)).substr(0, std::min(within, kHeadBytesMax)));
  const char* const begin = reader.position();
  reader.next();
  tag_and_type_ = reader.tag_and_type();
  head_bytes_ = static_cast<std::size_t>(reader.position() - begin);
  if (reader.wire_type() == protozero::pbf_wire_type::length_delimited) {
    const Length length = length_ahead(reader);
    head_bytes_ += length.head_bytes;
    content_bytes_ = length.bytes;
    if (content_bytes_ > within - head_bytes_) throw protozero::end_of_buffer_exception{};
  } else {
    reader.skip();
    content_bytes_ = static_cast<std::size_t>(reader.position() - begin) - head_bytes_;
  }
  field_end_left_ = block_->left() - field_bytes();
  return true;
}

std::string_view FieldStream::bytes() {
  return block_->ahead(field_bytes()).substr(0, field_bytes());
}

ProtobufReader FieldStream::field() {
  ProtobufReader reader(bytes());
  reader.next();
  return reader;
}

FieldStream FieldStream::inside() {
  block_->pass(head_bytes_);
  return {*block_, content_bytes_};
}

void FieldStream::append_to(std::string& out) { append(out, field_bytes()); }

void FieldStream::append_content_to(std::string& out, std::size_t bytes_max) {
  block_->pass(head_bytes_);
  append(out, std::min(bytes_max, content_bytes_));
}

void FieldStream::append(std::string& out, std::size_t bytes) {
  while (bytes > 0) {
    const std::string_view some = block_->ahead(1).substr(0, bytes);
    out += some;
    block_->pass(some.size());
    bytes -= some.size();
  }
}

std::string_view KeptBytes::keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (bytes.size() > left_) {
    const std::size_t size = std::max(bytes.size(), kKeptPieceBytes);
    count(size);
    pieces_.push_back(std::make_unique_for_overwrite<char[]>(size));
    next_ = pieces_.back().get();
    left_ = size;
  }
  std::memcpy(next_, bytes.data(), bytes.size());
  const std::string_view kept(next_, bytes.size());
  next_ += bytes.size();
  left_ -= bytes.size();
  return kept;
}

void KeptBytes::clear() {
  pieces_.clear();
  next_ = nullptr;
  left_ = 0;
  holds_.remove(held_);
  held_ = 0;
}

}  // namespace vigia::wire::remote_write
