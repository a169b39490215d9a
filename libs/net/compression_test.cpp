#include "libs/net/compression.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace vigia::net
