#include "libs/pipeline/lz4_block.hpp"

#include <memory>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <lz4.h>

namespace vigia::pipeline {
namespace {

/// Packs into exactly the room asked for, so that the sanitizer sees a byte too many.
std::string pack(const std::string& plain) {
  // A copy without a terminating byte behind it, for the same reason.
  const auto input = std::make_unique<char[]>(plain.size());
  plain.copy(input.get(), plain.size());
  const auto room = std::make_unique<char[]>(lz4_room(plain.size()));
  return {room.get(), pack_lz4({input.get(), plain.size()}, room.get())};
}

std::string unpack(const std::string& block, std::size_t plain_bytes) {
  std::string plain(plain_bytes + 1, '\0');  // one more, to see a block that holds too much
  const int bytes = LZ4_decompress_safe(block.data(), plain.data(), static_cast<int>(block.size()),
                                        static_cast<int>(plain.size()));
  if (bytes < 0) return "no LZ4 block";
  plain.resize(static_cast<std::size_t>(bytes));
  return plain;
}

std::string random_text(std::mt19937& random, std::size_t bytes, int letters) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i)
    text.push_back(static_cast<char>(random() % static_cast<unsigned>(letters)));
  return text;
}

TEST(Lz4Block, EverySizeComesBack) {
  std::mt19937 random(1);
  for (std::size_t bytes = 0; bytes < 400; ++bytes) {
    for (const int letters : {1, 2, 256}) {
      const std::string plain = random_text(random, bytes, letters);
      ASSERT_EQ(unpack(pack(plain), bytes), plain) << bytes << " of " << letters;
    }
  }
}

TEST(Lz4Block, EveryPeriodComesBackSmaller) {
  std::mt19937 random(2);
  for (std::size_t period = 1; period < 3000; period += 1 + period / 7) {
    const std::string unit = random_text(random, period, 256);
    std::string plain;
    while (plain.size() < 20'000) plain += unit;
    const std::string block = pack(plain);
    ASSERT_EQ(unpack(block, plain.size()), plain) << period;
    EXPECT_LT(block.size(), period + 600) << period;
  }
}

TEST(Lz4Block, DistancesBeyondTheFormatAreNotUsed) {
  std::mt19937 random(3);
  for (const std::size_t period : {65'534U, 65'535U, 65'536U, 65'537U, 131'072U}) {
    const std::string unit = random_text(random, period, 256);
    const std::string plain = unit + unit + unit;
    ASSERT_EQ(unpack(pack(plain), plain.size()), plain) << period;
  }
}

TEST(Lz4Block, WhatDoesNotRepeatFitsTheRoom) {
  std::mt19937 random(4);
  const std::string plain = random_text(random, 1'000'000, 256);
  const std::string block = pack(plain);
  EXPECT_LE(block.size(), lz4_room(plain.size()));
  EXPECT_EQ(unpack(block, plain.size()), plain);
}

/// Messages that resemble the one before, whose lengths change now and then.
std::string messages(std::mt19937& random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += fmt::format("\x0a\x10load.attribute.1\x12\x0evalue-{:06}", i);
    text += fmt::format("state-{}-of-{}", random() % 1000, i / 40);
    if (random() % 8 == 0) text += random_text(random, random() % 40, 256);
    text += fmt::format("\x19{:08}\x21", random() % 100'000'000);
  }
  return text;
}

TEST(Lz4Block, MessagesOfChangingLengthTakeLittleMoreThanByTheLibrary) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const std::string plain = messages(random, 50 + static_cast<int>(random() % 2000));
    const std::string block = pack(plain);
    ASSERT_EQ(unpack(block, plain.size()), plain) << "seed " << seed;
    std::string room(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(plain.size()))),
                     '\0');
    const int others = LZ4_compress_default(
        plain.data(), room.data(), static_cast<int>(plain.size()), static_cast<int>(room.size()));
    EXPECT_LT(static_cast<double>(block.size()), 1.4 * others) << "seed " << seed;
  }
}

}  // namespace
}  // namespace vigia::pipeline
