#include "services/collector/processors/sampler/threshold.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::processors::sampler {
namespace {

TEST(Threshold, IsWrittenWithTheDigitsThatItNeeds) {
  EXPECT_EQ(threshold_text(threshold_of(1, 4)), "0");
  EXPECT_EQ(threshold_text(threshold_of(0.5, 4)), "8");
  EXPECT_EQ(threshold_text(threshold_of(0.25, 4)), "c");
  EXPECT_EQ(threshold_text(threshold_of(0.1, 4)), "e666");
  EXPECT_EQ(threshold_text(threshold_of(0.01, 4)), "fd70a")
      << "a leading f is no digit of precision";
  EXPECT_EQ(threshold_text(threshold_of(1.0 / 3, 14)).size(), 14U);
  EXPECT_NEAR(probability_of(threshold_of(0.1, 14)), 0.1, 1e-15);
}

TEST(Threshold, TextsAreReadAsTheyAreWritten) {
  EXPECT_EQ(read_threshold("8"), kRandomnessEnd / 2);
  EXPECT_EQ(read_threshold("0"), 0U);
  EXPECT_EQ(read_threshold("FD7"), read_threshold("fd7")) << "as others read them";
  for (const char* text : {"", "G", "8 ", "123456789abcdef", "+1"})
    EXPECT_EQ(read_threshold(text), std::nullopt) << text;
  EXPECT_EQ(read_randomness("9b8233f7e3a151"), 0x9b8233f7e3a151U);
  EXPECT_EQ(read_randomness("9b8233f7e3a15"), std::nullopt);
  EXPECT_EQ(randomness_text(0x0b), "0000000000000b");
}

TEST(Threshold, ATraceIdsLastSevenBytesAreItsRandomness) {
  const std::string id("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x9b\x82\x33\xf7\xe3\xa1\x51", 16);
  EXPECT_EQ(randomness_of_trace(id), 0x9b8233f7e3a151U);
  EXPECT_EQ(randomness_of_trace(std::string(16, '\0')), std::nullopt);
  EXPECT_EQ(randomness_of_trace("short"), std::nullopt);
}

// FNV-1a of four zero bytes, and of "a" behind them, worked out apart.
TEST(Threshold, AHashIsFnvWithTheSeedInFront) {
  EXPECT_EQ(randomness_of_bytes("", 0) & 0x3fffU, 0x4b95f515U & 0x3fffU);
  EXPECT_EQ(randomness_of_bytes("a", 0) & 0x3fffU, 0x7111659cU & 0x3fffU);
  EXPECT_EQ(randomness_of_bytes("a", 0) >> 42U, 0x3fffU - (0x7111659cU & 0x3fffU));
  EXPECT_NE(randomness_of_bytes("a", 0), randomness_of_bytes("a", 1));
  EXPECT_LT(randomness_of_bytes("a", 0xffffffffU), kRandomnessEnd);
}

}  // namespace
}  // namespace vigia::collector::processors::sampler
