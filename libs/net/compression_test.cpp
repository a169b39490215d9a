#include "libs/net/compression.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "libs/net/internal/zstd_blocks.hpp"

namespace vigia::net {
namespace {

std::string varied(std::size_t bytes) {
  std::string text;
  std::uint32_t state = 7;
  while (text.size() < bytes) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>('a' + (state >> 28U));
  }
  return text;
}

class Encodings : public testing::TestWithParam<const char*> {};

TEST_P(Encodings, RoundTripsEverySize) {
  for (const std::size_t size : {0UL, 1UL, 100UL, 16384UL, 16385UL, 5'000'000UL}) {
    const std::string text = varied(size);
    const auto packed = compress(GetParam(), text);
    ASSERT_TRUE(packed.has_value());
    const auto plain = decompress(GetParam(), *packed, size);  // the limit is exactly met
    ASSERT_TRUE(plain.has_value()) << size << ": " << plain.error().message;
    EXPECT_EQ(*plain, text);
  }
}

TEST_P(Encodings, RefusesOneByteTooMany) {
  const auto packed = compress(GetParam(), varied(100'001));
  const auto plain = decompress(GetParam(), *packed, 100'000);
  ASSERT_FALSE(plain.has_value());
  EXPECT_EQ(plain.error().code, ErrorCode::kTooLarge);
}

INSTANTIATE_TEST_SUITE_P(All, Encodings,
                         testing::Values("", "identity", "gzip", "deflate", "zstd"));

class Compressed : public testing::TestWithParam<const char*> {};

// R-SEC-1.
TEST_P(Compressed, ABombIsRefused) {
  const auto packed = compress(GetParam(), std::string(300U << 20U, '\0'));
  ASSERT_LT(packed->size(), 2U << 20U);
  const auto plain = decompress(GetParam(), *packed, 1U << 20U);
  ASSERT_FALSE(plain.has_value());
  EXPECT_EQ(plain.error().code, ErrorCode::kTooLarge);
}

// What is dense is counted before it is kept, and is all there.
TEST_P(Compressed, ADenseBodyWithinTheLimitIsTaken) {
  for (const std::size_t size : {1UL << 18U, 1UL << 20U, 5'000'001UL}) {
    const std::string text(size, 'z');
    const auto packed = compress(GetParam(), text);
    ASSERT_TRUE(packed.has_value());
    const auto plain = decompress(GetParam(), *packed, size);
    ASSERT_TRUE(plain.has_value()) << size << ": " << plain.error().message;
    EXPECT_EQ(*plain, text);
    const auto over = decompress(GetParam(), *packed, size - 1);
    ASSERT_FALSE(over.has_value());
    EXPECT_EQ(over.error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(decompress(GetParam(), packed->substr(0, packed->size() / 2), 2 * size).error().code,
              ErrorCode::kInvalid);
  }
}

TEST_P(Compressed, ATruncatedBodyIsInvalidAtEveryLength) {
  const auto packed = compress(GetParam(), varied(400));
  for (std::size_t size = 1; size < packed->size(); ++size) {
    const auto plain = decompress(GetParam(), packed->substr(0, size), 1000);
    ASSERT_FALSE(plain.has_value()) << size;
    // A cut gzip trailer may look like a large declared length; it is refused either way.
    if (plain.error().code != ErrorCode::kTooLarge) {
      EXPECT_EQ(plain.error().code, ErrorCode::kInvalid);
    }
  }
}

TEST_P(Compressed, TrailingRubbishIsInvalid) {
  const auto packed = compress(GetParam(), varied(400));
  EXPECT_FALSE(decompress(GetParam(), *packed + "rubbish", 10'000).has_value());
}

INSTANTIATE_TEST_SUITE_P(All, Compressed, testing::Values("gzip", "deflate", "zstd"));

// D08.
TEST(Decompress, SeveralMembersAreOneBody) {
  for (const auto* encoding : {"gzip", "zstd"}) {
    const auto first = compress(encoding, varied(30'000));
    const auto second = compress(encoding, "tail");
    const auto plain = decompress(encoding, *first + *second, 30'004);
    ASSERT_TRUE(plain.has_value()) << encoding << plain.error().message;
    EXPECT_EQ(*plain, varied(30'000) + "tail");
    EXPECT_FALSE(decompress(encoding, *first + *second, 30'003).has_value());
  }
}

TEST(Decompress, ABodyThatIsCutOffIsDamagedAndNotTooLarge) {
  const std::string text = "a body whose last four bytes happen to look like a length";
  const std::string packed = *compress("gzip", text);
  for (std::size_t kept = 1; kept < packed.size(); ++kept) {
    const auto body = decompress("gzip", std::string_view(packed).substr(0, kept), 1U << 20U);
    ASSERT_FALSE(body.has_value()) << kept;
    EXPECT_EQ(body.error().code, ErrorCode::kInvalid) << kept << ": " << body.error().message;
  }
}

TEST(Decompress, RefusesAnUnknownEncoding) {
  const auto plain = decompress("br", "x", 10);
  ASSERT_FALSE(plain.has_value());
  EXPECT_EQ(plain.error().code, ErrorCode::kInvalid);
}

TEST(Decompress, TakesRawDeflate) {
  // A stored block: 01, length 2, its complement, "hi".
  const std::string raw("\x01\x02\x00\xfd\xffhi", 7);
  EXPECT_EQ(decompress("deflate", raw, 10).value(), "hi");
}

// R-SEC-1.
TEST(Decompress, RefusesAZstdFrameThatDeclaresMoreThanTheLimit) {
  // Magic, single segment with an 8-byte content size of 4 GiB, and nothing after it.
  const std::string frame("\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x01\x00\x00\x00", 13);
  const auto plain = decompress("zstd", frame, 64U << 20U);
  ASSERT_FALSE(plain.has_value());
  EXPECT_EQ(plain.error().code, ErrorCode::kTooLarge);
}

/// A frame that does not say its size, of so many blocks of 128 KiB of one letter.
std::string zstd_of_repeats(std::uint32_t blocks) {
  std::string frame("\x28\xb5\x2f\xfd\x00\x58", 6);  // a window of 2 MiB
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const std::uint32_t head = (i + 1 == blocks ? 1U : 0U) | 1U << 1U | (128U << 10U) << 3U;
    for (const unsigned shift : {0U, 8U, 16U}) frame += static_cast<char>(head >> shift);
    frame += 'r';
  }
  return frame;
}

// C21: by the heads of its blocks, before anything is unpacked.
TEST(Decompress, ZstdThatDoesNotSayItsSizeIsCountedByItsBlocks) {
  const std::string frame = zstd_of_repeats(100);
  EXPECT_EQ(internal::zstd_bytes_at_least(frame), 100U * (128U << 10U));
  EXPECT_EQ(internal::zstd_bytes_at_least(frame + frame), 200U * (128U << 10U));
  EXPECT_EQ(internal::zstd_bytes_at_least(frame.substr(0, 14)), 2U * (128U << 10U));
  EXPECT_EQ(internal::zstd_bytes_at_least("rubbish"), 0U);
  EXPECT_EQ(decompress("zstd", frame, 100U * (128U << 10U)).value(),
            std::string(100U * (128U << 10U), 'r'));
  EXPECT_EQ(decompress("zstd", frame, 100U * (128U << 10U) - 1).error().code, ErrorCode::kTooLarge);
  // One that it would be too large to unpack.
  EXPECT_EQ(decompress("zstd", zstd_of_repeats(100'000), 64U << 20U).error().code,
            ErrorCode::kTooLarge);
}

// Never more than there is, whatever it is made of.
TEST(Decompress, WhatBlocksSayIsNeverMoreThanThereIs) {
  for (const std::size_t size : {0UL, 1UL, 300UL, 70'000UL, 300'000UL, 2'000'000UL}) {
    for (const std::string& text : {varied(size), std::string(size, 'x')})
      EXPECT_LE(internal::zstd_bytes_at_least(*compress("zstd", text)), size);
  }
}

}  // namespace
}  // namespace vigia::net
