#include "libs/wire/remote_write/snappy_reader.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>
#include <snappy.h>

#include "libs/base/testing/dose.hpp"
#include "libs/wire/remote_write/testing/snappy_reading.hpp"

namespace vigia::wire::remote_write {
namespace {

using testing::read_block;

/// Runs of one byte, of a few that repeat, of what stood before, and of none of these.
std::string made_up(std::mt19937& random, std::size_t bytes_max) {
  const auto below = [&](std::size_t count) { return random() % count; };
  std::string text;
  const std::size_t bytes = below(bytes_max + 1);
  while (text.size() < bytes) {
    const std::size_t run = 1 + below(below(8) == 0 ? 100'000 : 300);
    switch (below(4)) {
      case 0:
        text.append(run, static_cast<char>(below(256)));
        break;
      case 1:
        for (std::size_t i = 0, back = 1 + below(20); i < run; ++i)
          text += text.size() < back ? 'x' : text[text.size() - back];
        break;
      case 2:
        if (!text.empty()) text += text.substr(below(text.size()), run);
        break;
      default:
        for (std::size_t i = 0; i < run; ++i) text += static_cast<char>(below(256));
    }
  }
  text.resize(bytes);
  return text;
}

std::string number(std::size_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8U) text += static_cast<char>(value & 0xffU);
  return text;
}
std::string length(std::size_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7U) text += static_cast<char>(value | 0x80U);
  return text + static_cast<char>(value);
}
std::string literal(std::string_view bytes) {
  return '\xf8' + number(bytes.size() - 1, 3) + std::string(bytes);
}
std::string copy(std::size_t bytes, std::size_t back) {
  return static_cast<char>((bytes - 1) << 2U | 3U) + number(back, 4);
}

TEST(SnappyReader, WhatLibsnappyWritesIsReadAsItWas) {
  std::mt19937 random(7);
  for (int round = 0; round < dose(150, 3000); ++round) {
    const std::string text = made_up(random, round % 3 == 0 ? 900'000 : 3'000);
    std::string block;
    snappy::Compress(text.data(), text.size(), &block);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::size_t{256} << 10U}) {
      if (piece == 1 && text.size() > 10'000) continue;
      ASSERT_EQ(read_block(block, piece), text) << "round " << round << ", pieces of " << piece;
    }
  }
}

// Some encoders (s2's for snappy, which klauspost/compress has behind snappy's name) look for what
// is alike in 4 MiB and more, and the format says nothing against it.
TEST(SnappyReader, ACopyMayReachBackToTheBeginning) {
  std::mt19937 random(8);
  std::string text;
  for (int i = 0; i < 3'000'000; ++i) text += static_cast<char>(random());
  std::string block = length(text.size() + 128) + literal(text) + copy(64, text.size());
  block += copy(64, text.size() + 64 - 1'000'000);
  const auto read = read_block(block, 4096);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, text + text.substr(0, 64) + text.substr(1'000'000, 64));
}

TEST(SnappyReader, EveryDistanceAndLengthOfACopyIsRight) {
  for (std::size_t back = 1; back <= 70; ++back) {
    for (std::size_t bytes = 1; bytes <= 64; ++bytes) {
      std::string text;
      for (std::size_t i = 0; i < back; ++i) text += static_cast<char>('!' + i);
      const std::string block = length(back + bytes) + literal(text) + copy(bytes, back);
      std::string expected;
      ASSERT_TRUE(snappy::Uncompress(block.data(), block.size(), &expected));
      ASSERT_EQ(read_block(block, 256), expected) << back << ' ' << bytes;
      ASSERT_EQ(read_block(block, 3), expected) << back << ' ' << bytes;
    }
  }
}

TEST(SnappyReader, WhatIsDamagedIsDamagedToLibsnappyToo) {
  std::mt19937 random(9);
  int damaged = 0;
  for (int round = 0; round < dose(3000, 100'000); ++round) {
    const std::string text = made_up(random, 2'000);
    std::string block;
    snappy::Compress(text.data(), text.size(), &block);
    for (unsigned i = 0; i <= random() % 3; ++i)
      block[random() % block.size()] = static_cast<char>(random());
    if (random() % 3 == 0) block.resize(random() % block.size());
    std::size_t declared = 0;
    std::string expected;
    const bool is_sound = snappy::GetUncompressedLength(block.data(), block.size(), &declared) &&
                          declared < 1'000'000 &&
                          snappy::Uncompress(block.data(), block.size(), &expected);
    damaged += is_sound ? 0 : 1;
    const auto read = read_block(block, 512);
    ASSERT_EQ(read.has_value(), is_sound) << "round " << round;
    ASSERT_EQ(read.value_or(""), is_sound ? expected : "") << "round " << round;
  }
  EXPECT_GT(damaged, 1000);
}

// Of a message of 16 MiB no more is there than a piece and what its copies reach back to.
TEST(SnappyReader, MemoryIsThatOfAPieceAndOfItsCopies) {
  const std::string text(16U << 20U, 'a');
  std::string block;
  snappy::Compress(text.data(), text.size(), &block);
  std::size_t most = 0;
  Holds holds([&](std::size_t bytes) {
    most = bytes;
    return true;
  });
  EXPECT_EQ(read_block(block, 256U << 10U, holds)->size(), text.size());
  EXPECT_GE(most, 256U << 10U);
  EXPECT_LE(most, 640U << 10U);
}

TEST(SnappyReader, MemoryOfFarCopiesIsAskedForAsItGrows) {
  const std::string text(1U << 20U, 'a');
  const std::string block = length(text.size() + 64) + literal(text) + copy(64, text.size());
  std::size_t asked = 0;
  std::size_t most = SIZE_MAX;
  const auto may = [&](std::size_t bytes) {
    asked = bytes;
    return bytes <= most;
  };
  Holds all(may);
  EXPECT_EQ(read_block(block, 64U << 10U, all)->size(), text.size() + 64);
  EXPECT_GE(asked, text.size());
  most = text.size() / 2;
  Holds half(may);
  EXPECT_THROW(read_block(block, 64U << 10U, half), OverShare);
}

TEST(SnappyReader, AMessageIsReadAgainFromItsBeginning) {
  std::mt19937 random(10);
  const std::string text = made_up(random, 900'000);
  std::string block;
  snappy::Compress(text.data(), text.size(), &block);
  Holds holds({});
  auto reader = SnappyReader::open(block, 4096, holds);
  ASSERT_TRUE(reader);
  reader->pass(text.size() / 2);
  reader->rewind();
  ASSERT_EQ(reader->left(), text.size());
  EXPECT_EQ(reader->ahead(4096).substr(0, 4096), text.substr(0, 4096));
  reader->pass(text.size());
  EXPECT_EQ(reader->left(), 0U);
}

}  // namespace
}  // namespace vigia::wire::remote_write
