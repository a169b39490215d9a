#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "libs/base/clock.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/duration.hpp"
#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/base/result.hpp"

namespace vigia {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsEveryUnitAndTheirSums) {
  EXPECT_EQ(parse_duration("15s"), 15s);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("300ms"), 300ms);
  EXPECT_EQ(parse_duration("400d"), 400 * 24h);
  EXPECT_EQ(parse_duration("2y"), 730 * 24h);
  EXPECT_EQ(parse_duration("0"), 0s);
}

TEST(Duration, RefusesWhatIsNotOne) {
  for (const auto* text :
       {"", "15", "s", "-5s", "1m1h", "1h1h", "5x", "9999999999y", "1.5h", " 1s"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Duration, FormatsWhatItReads) {
  for (const auto* text : {"15s", "1h30m", "300ms", "400d", "1d2h3m4s5ms"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
}

TEST(Crc32c, MatchesThePublishedVectors) {  // RFC 3720 appendix B.4
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), crc32c("123456789"));
}

TEST(Hex, GoesBothWaysAndRefusesTheRest) {
  EXPECT_EQ(to_hex("\x01\xAB"), "01ab");
  EXPECT_EQ(from_hex("01aB"), std::string("\x01\xAB"));
  EXPECT_FALSE(from_hex("0").has_value());
  EXPECT_FALSE(from_hex("zz").has_value());
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Bytes, ReadsBackWhatWasWritten) {
  std::string out;
  append_u32(out, 0xDEADBEEF);
  append_u64(out, 0x0123456789ABCDEF);
  append_varint(out, 300);
  append_sized(out, "abc");
  ByteReader reader(out);
  EXPECT_EQ(reader.read_u32(), 0xDEADBEEFU);
  EXPECT_EQ(reader.read_u64(), 0x0123456789ABCDEFU);
  EXPECT_EQ(reader.read_varint(), 300U);
  EXPECT_EQ(reader.read_sized(), "abc");
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.rest().empty());
}

TEST(Bytes, AShortOrEndlessInputFailsOnceAndStaysFailed) {
  ByteReader cut("\x01\x02");
  EXPECT_EQ(cut.read_u32(), 0U);
  EXPECT_FALSE(cut.ok());
  EXPECT_EQ(cut.read_u8(), 0U);
  ByteReader endless(std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 11));
  EXPECT_EQ(endless.read_varint(), 0U);
  EXPECT_FALSE(endless.ok());
  ByteReader lying("\x7F\x01");
  EXPECT_TRUE(lying.read_sized().empty());
  EXPECT_FALSE(lying.ok());
}

TEST(Error, OnlyPassingFaultsAreRetryable) {
  EXPECT_TRUE(is_retryable({ErrorCode::kUnavailable, "", {}}));
  EXPECT_TRUE(is_retryable({ErrorCode::kOverLimit, "", {}}));
  EXPECT_TRUE(is_retryable({ErrorCode::kDeadline, "", {}}));
  EXPECT_FALSE(is_retryable({ErrorCode::kInvalid, "", {}}));
  EXPECT_FALSE(is_retryable({ErrorCode::kInternal, "", {}}));
  EXPECT_EQ(with_context("reading x", {ErrorCode::kCorrupt, "torn", {}}).message,
            "reading x: torn");
}

TEST(Random, GivesOtherBytesEachTime) {
  EXPECT_EQ(random_bytes(16).size(), 16U);
  EXPECT_NE(random_bytes(16), random_bytes(16));
  EXPECT_LT(random_below(7), 7U);
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock(1'000'000'000);
  const TimePoint before = clock.steady();
  clock.advance(2s);
  EXPECT_EQ(clock.wall_ms(), 3000);
  EXPECT_EQ(clock.steady() - before, 2s);
  clock.set_wall_ns(0);
  EXPECT_EQ(clock.steady() - before, 2s);
}

}  // namespace
}  // namespace vigia
