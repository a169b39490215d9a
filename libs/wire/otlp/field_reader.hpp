// A thin step over ProtobufReader: std::string_view, and fields told apart by number and wire type
// together, so that a known number with a foreign wire type is never read wrongly. Whether it is
// passed over or damage is its reader's to say (fields.hpp: pass_over).
#pragma once

#include <cstdint>
#include <string_view>

#include "libs/base/protobuf_reader.hpp"

namespace vigia::wire::otlp {

using protozero::pbf_wire_type;

/// Number and wire type of a field, for switch labels.
constexpr std::uint32_t bytes_field(std::uint32_t number) {
  return protozero::tag_and_type(number, pbf_wire_type::length_delimited);
}
constexpr std::uint32_t varint_field(std::uint32_t number) {
  return protozero::tag_and_type(number, pbf_wire_type::varint);
}
constexpr std::uint32_t fixed64_field(std::uint32_t number) {
  return protozero::tag_and_type(number, pbf_wire_type::fixed64);
}

/// Throws protozero::exception on damaged bytes and on groups. Views live as long as the bytes.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes)
      : reader_(bytes.data(), bytes.size()), end_(bytes.data() + bytes.size()) {}

  /// Moves to the next field; false at the end.
  bool next() {
    field_begin_ = position();
    return reader_.next();
  }
  std::uint32_t tag_and_type() const { return reader_.tag_and_type(); }
  std::uint32_t number() const { return reader_.tag(); }
  std::string_view bytes() {
    const auto view = reader_.get_view();
    return {view.data(), view.size()};
  }
  std::uint64_t varint() { return reader_.get_uint64(); }
  std::int64_t sint32() { return reader_.get_sint32(); }
  std::uint64_t fixed64() { return reader_.get_fixed64(); }
  std::uint32_t fixed32() { return reader_.get_fixed32(); }
  std::int64_t sfixed64() { return reader_.get_sfixed64(); }
  double real() { return reader_.get_double(); }
  void skip() { reader_.skip(); }
  /// Passes over a field that is not read here, as vigia::pass_over has it.
  void pass_over(const KnownFields& fields) { vigia::pass_over(reader_, fields); }
  /// First byte of the current field's tag, and the first byte after what was read.
  const char* field_begin() const { return field_begin_; }
  const char* position() const { return end_ - reader_.length(); }

 private:
  ProtobufReader reader_;
  const char* end_;
  const char* field_begin_ = nullptr;
};

}  // namespace vigia::wire::otlp
