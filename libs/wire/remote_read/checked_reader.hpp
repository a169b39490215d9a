// A thin step over ProtobufReader: a field is read as what it is, or not at all.
#pragma once

#include <cstdint>
#include <string_view>

#include "libs/base/protobuf_reader.hpp"

namespace vigia::wire::remote_read {

/// ProtobufReader asserts that a field has the wire type that it is read as, and strangers choose
/// the wire types: one byte of theirs ended the program. Here such a field is a damaged message, as
/// Prometheus' own parser has it ("wrong wireType"), and so a matcher is never passed over for it.
/// Throws protozero::exception. Views live as long as the bytes.
class CheckedReader {
 public:
  explicit CheckedReader(std::string_view bytes) : reader_(bytes.data(), bytes.size()) {}

  bool next() { return reader_.next(); }
  protozero::pbf_tag_type tag() const { return reader_.tag(); }
  protozero::pbf_wire_type wire_type() const { return reader_.wire_type(); }
  void skip() { reader_.skip(); }

  std::int64_t get_int64() { return as(protozero::pbf_wire_type::varint).get_int64(); }
  std::uint64_t get_uint64() { return as(protozero::pbf_wire_type::varint).get_uint64(); }
  std::int32_t get_enum() { return as(protozero::pbf_wire_type::varint).get_enum(); }
  auto get_packed_enum() {
    return as(protozero::pbf_wire_type::length_delimited).get_packed_enum();
  }
  std::string_view get_view() {
    const auto view = as(protozero::pbf_wire_type::length_delimited).get_view();
    return {view.data(), view.size()};
  }
  CheckedReader get_message() { return CheckedReader(get_view()); }

 private:
  ProtobufReader& as(protozero::pbf_wire_type type) {
    if (reader_.wire_type() != type) throw protozero::unknown_pbf_wire_type_exception();
    return reader_;
  }

  ProtobufReader reader_;
};

}  // namespace vigia::wire::remote_read
