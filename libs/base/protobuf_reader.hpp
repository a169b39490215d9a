// protozero's reader, strict where it reads another message than the one that was sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <protozero/pbf_reader.hpp>

namespace vigia {

/// Damage of which the reader says where it lies.
class ProtobufDamage : public protozero::exception {
 public:
  ProtobufDamage(const char* what, const char* at) noexcept : what_(what), at_(at) {}
  const char* what() const noexcept override { return what_; }
  /// In the bytes that were read.
  const char* at() const noexcept { return at_; }

 private:
  const char* what_;  // of static storage
  const char* at_;
};

/// protozero keeps the lowest 32 bits of a tag and of a length, so a length of 2^32 is one of 0
/// there: what follows is read as other fields, and whoever sent it is told that all is well. Here
/// such a message is damaged, as every other parser has it. The only reader of protobuf that the
/// house uses. Throws protozero::exception; views live as long as the bytes. Fields are told apart
/// by tag_and_type(), for a stranger chooses the wire type, too.
class ProtobufReader : private protozero::pbf_reader {
 public:
  ProtobufReader(const char* data, std::size_t size) noexcept : pbf_reader(data, size) {}
  explicit ProtobufReader(std::string_view bytes) noexcept
      : pbf_reader(bytes.data(), bytes.size()) {}

  using pbf_reader::length;  ///< bytes that are left
  using pbf_reader::tag;
  using pbf_reader::tag_and_type;
  using pbf_reader::wire_type;
  /// The first byte that is not read yet.
  const char* position() const { return data().data(); }

  bool next() {
    expect_32_bits("a field's tag has more than 32 bits");
    return pbf_reader::next();
  }
  /// To the next field of that number, of whatever wire type.
  bool next(protozero::pbf_tag_type number) {
    while (next()) {
      if (tag() == number) return true;
      skip();
    }
    return false;
  }
  /// To the next field of that number and wire type.
  bool next(protozero::pbf_tag_type number, protozero::pbf_wire_type type) {
    while (next()) {
      if (tag() == number && wire_type() == type) return true;
      skip();
    }
    return false;
  }
  void skip() {
    if (wire_type() == protozero::pbf_wire_type::length_delimited) expect_length();
    pbf_reader::skip();
  }

  using pbf_reader::get_double;
  using pbf_reader::get_enum;
  using pbf_reader::get_fixed32;
  using pbf_reader::get_fixed64;
  using pbf_reader::get_int64;
  using pbf_reader::get_sfixed64;
  using pbf_reader::get_sint32;
  using pbf_reader::get_sint64;
  using pbf_reader::get_uint32;
  using pbf_reader::get_uint64;

  protozero::data_view get_view() {
    expect_length();
    return pbf_reader::get_view();
  }
  std::string get_string() { return std::string(get_view()); }
  ProtobufReader get_message() {
    const protozero::data_view view = get_view();
    return {view.data(), view.size()};
  }
  auto get_packed_double() {
    expect_length();
    return pbf_reader::get_packed_double();
  }
  auto get_packed_enum() {
    expect_length();
    return pbf_reader::get_packed_enum();
  }
  auto get_packed_sint64() {
    expect_length();
    return pbf_reader::get_packed_sint64();
  }
  auto get_packed_uint32() {
    expect_length();
    return pbf_reader::get_packed_uint32();
  }

 private:
  void expect_length() const { expect_32_bits("a field's length has more than 32 bits"); }

  // What is next is a number of at most 32 bits, however many bytes it has. One that does not end
  // is left to protozero.
  void expect_32_bits(const char* what) const {
    const protozero::data_view rest = data();
    if (rest.size() == 0 || byte(rest, 0) < kMore) [[likely]]
      return;
    constexpr std::size_t kFifth = 4;  // has bits 29 to 35
    constexpr unsigned kOfFifth = 0x0f;
    for (std::size_t i = 1; i < rest.size() && i < protozero::max_varint_length; ++i) {
      const unsigned low = byte(rest, i) & (kMore - 1);
      if (i > kFifth ? low != 0 : i == kFifth && low > kOfFifth)
        throw ProtobufDamage(what, rest.data());
      if (byte(rest, i) < kMore) return;
    }
  }
  static unsigned byte(protozero::data_view bytes, std::size_t i) {
    return static_cast<unsigned char>(bytes.data()[i]);
  }

  static constexpr unsigned kMore = 0x80;  // the number goes on
};

/// The fields of one message, to tell one that a newer sender added from one that is garbled.
class KnownFields {
 public:
  constexpr KnownFields() = default;
  constexpr KnownFields(std::initializer_list<std::uint32_t> tags_and_types) {
    for (const std::uint32_t one : tags_and_types) add(one);
  }
  /// A number may have several wire types. Numbers above 31 are taken for unknown ones.
  constexpr void add(std::uint32_t tag_and_type) {
    const std::uint32_t number = tag_and_type >> kNumberShift;
    if (number < types_.size())
      types_[number] |= static_cast<std::uint8_t>(1U << (tag_and_type & kTypeBits));
  }
  /// True for a number that the message has, in a wire type that it does not have it in.
  constexpr bool contradict(std::uint32_t tag_and_type) const {
    const std::uint32_t number = tag_and_type >> kNumberShift;
    return number < types_.size() && types_[number] != 0 &&
           (types_[number] & (1U << (tag_and_type & kTypeBits))) == 0;
  }

 private:
  static constexpr std::uint32_t kTypeBits = 7;
  static constexpr std::uint32_t kNumberShift = 3;
  std::array<std::uint8_t, 32> types_{};  // by number: the wire types that it may have, a bit each
};

/// Passes over a field that is not read here. Throws where the message has that number in another
/// wire type: to take it for unknown would lose what stands in it without a word.
inline void pass_over(ProtobufReader& reader, const KnownFields& fields) {
  if (fields.contradict(reader.tag_and_type()))
    throw ProtobufDamage("a known field has another wire type", reader.position());
  reader.skip();
}

}  // namespace vigia
