#include "libs/base/protobuf_reader.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"

namespace vigia {
namespace {

using std::string_literals::operator""s;

constexpr char kTag = '\x0a';  // field 1, with a length

std::string number(std::uint64_t value) {
  std::string bytes;
  append_varint(bytes, value);
  return bytes;
}

/// The field's text; "damaged" where the reader says so.
std::string text_of(const std::string& bytes) {
  try {
    ProtobufReader reader(bytes);
    std::string text;
    while (reader.next(1, protozero::pbf_wire_type::length_delimited)) text = reader.get_string();
    return text;
  } catch (const protozero::exception&) {
    return "damaged";
  }
}

bool can_skip(const std::string& bytes) {
  try {
    ProtobufReader reader(bytes);
    while (reader.next()) reader.skip();
    return true;
  } catch (const protozero::exception&) {
    return false;
  }
}

// R-OTLP-7: a length of 2^32 was read as one of 0.
TEST(ProtobufReader, ALengthOfMoreThan32BitsIsDamage) {
  EXPECT_EQ(text_of(kTag + "\x03"s + "abc"), "abc");
  for (const std::uint64_t length :
       {1ULL << 32U, (1ULL << 32U) + 3, 1ULL << 35U, 1ULL << 63U, ~0ULL, 1ULL << 31U, 4ULL}) {
    const std::string bytes = kTag + number(length) + "abc";
    EXPECT_EQ(text_of(bytes), "damaged") << length;
    EXPECT_FALSE(can_skip(bytes)) << length;
  }
}

TEST(ProtobufReader, ALengthWhoseBitsFallOffTheEndIsDamage) {
  // Ten bytes, of which the last holds bits 63 to 69: no number of 64 bits.
  EXPECT_EQ(text_of(kTag + "\x83\x80\x80\x80\x80\x80\x80\x80\x80\x02"s + "abc"), "damaged");
  EXPECT_EQ(text_of(kTag + "\x83\x80\x80\x80\x80\x80\x80\x80\x80\x7e"s + "abc"), "damaged");
  EXPECT_EQ(text_of(kTag + "\x83\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"s + "abc"), "damaged");
  EXPECT_EQ(text_of(kTag + "\xff\xff\xff\xff\x1f"s + "abc"), "damaged");
}

// Longer than it had to be, as parsers let it be.
TEST(ProtobufReader, ALengthMayHaveNeedlessBytes) {
  EXPECT_EQ(text_of(kTag + "\x83\x00"s + "abc"), "abc");
  EXPECT_EQ(text_of(kTag + "\x83\x80\x80\x80\x80\x80\x80\x80\x80\x00"s + "abc"), "abc");
}

TEST(ProtobufReader, ATagOfMoreThan32BitsIsDamage) {
  // 2^35 + 10: its lowest 32 bits are the tag of field 1.
  EXPECT_EQ(text_of(number((1ULL << 35U) + 10) + "\x03" + "abc"), "damaged");
  EXPECT_FALSE(can_skip(number((1ULL << 35U) + 10) + "\x03" + "abc"));
  EXPECT_TRUE(can_skip(number((0x1fffffffULL << 3U) + 2) + "\x03" + "abc"));  // the largest number
}

TEST(ProtobufReader, SaysWhereALengthIsTooLong) {
  const std::string bytes = kTag + number(1ULL << 32U);
  ProtobufReader reader(bytes);
  ASSERT_TRUE(reader.next());
  try {
    reader.skip();
    FAIL();
  } catch (const ProtobufDamage& damage) {
    EXPECT_EQ(damage.at(), bytes.data() + 1);
  }
}

TEST(ProtobufReader, PackedNumbersHaveALengthToo) {
  const std::string bytes = kTag + number(1ULL << 32U) + "\x01\x01";
  const auto damaged = [&](auto read) {
    ProtobufReader reader(bytes);
    EXPECT_TRUE(reader.next());
    EXPECT_THROW(read(reader), ProtobufDamage);
  };
  damaged([](ProtobufReader& reader) { (void)reader.get_packed_uint32(); });
  damaged([](ProtobufReader& reader) { (void)reader.get_packed_sint64(); });
  damaged([](ProtobufReader& reader) { (void)reader.get_packed_double(); });
  damaged([](ProtobufReader& reader) { (void)reader.get_packed_enum(); });
  damaged([](ProtobufReader& reader) { (void)reader.get_message(); });
}

}  // namespace
}  // namespace vigia
