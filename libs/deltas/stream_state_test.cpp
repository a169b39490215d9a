#include "libs/deltas/stream_state.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"

namespace vigia::deltas {
namespace {

StreamState some_state() {
  StreamState state;
  state.start_ns = 90'000'000'000;
  state.written_ns = 130'000'000'000;
  for (std::uint64_t time = 1; time < 30; ++time) state.known.add(time * 10'000'000'000);
  state.is_double = true;
  state.real = 0.1;
  state.whole = -7;
  state.count = 300;
  state.buckets = {1, 0, 299};
  state.bounds = std::string("\0\xff", 2);
  return state;
}

TEST(StreamStateTest, ReadsWhatItWrites) {
  for (const bool is_exponential : {false, true}) {
    StreamState state = some_state();
    state.is_exponential = is_exponential;
    if (is_exponential) {
      wire::otlp::ExponentialPoint point;
      point.scale = -2;
      point.zero_count = 3;
      point.zero_threshold = 1e-9;
      point.positive = {-5, {1, 2, 3}, false};
      point.negative = {7, {9}, false};
      EXPECT_TRUE(state.exponential.add(point));
    }
    std::string bytes;
    state.encode(bytes);
    ByteReader reader(bytes);
    EXPECT_EQ(StreamState::decode(reader), state);
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE(reader.rest().empty());
    // Cut anywhere it is no state.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ByteReader cut(std::string_view(bytes).substr(0, size));
      StreamState::decode(cut);
      EXPECT_FALSE(cut.ok()) << size;
    }
  }
}

// Golden: docs/formats/delta-states.md.
TEST(StreamStateTest, LiesOnDiskAsItIsWritten) {
  StreamState state;
  state.start_ns = 1;
  state.written_ns = 300;
  state.known.add(2);
  state.known.add(300);
  state.whole = 5;
  std::string bytes;
  append_change(bytes, {{0x0102030405060708, 0x1112131415161718}, &state});
  append_change(bytes, {{1, 2}, nullptr});
  EXPECT_EQ(to_hex(bytes),
            "0807060504030201181716151413121101"
            "01ac02"
            "000202aa02"
            "00"
            "05000000000000000000000000000000"
            "000000"
            "0100000000000000020000000000000000");
}

TEST(KnownTimesTest, WhatIsOlderThanAllThatIsRememberedIsNotNew) {
  KnownTimes known;
  for (std::uint64_t time = 100; time > 50; --time) known.add(time);
  EXPECT_EQ(known.latest(), 100U);
  EXPECT_FALSE(known.is_new(100));
  EXPECT_FALSE(known.is_new(85));
  EXPECT_TRUE(known.is_new(101));
  known.add(101);
  EXPECT_FALSE(known.is_new(84));
}

}  // namespace
}  // namespace vigia::deltas
