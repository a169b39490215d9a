#include "services/collector/marks/heartbeat_state.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace vigia::collector::marks {
namespace {

HeartbeatState example() {
  HeartbeatState state{29'933'334, 7, 29'933'339, {}};
  state.losses.emplace(*CustomerId::parse("cliente-a"), 29'933'340);
  state.losses.emplace(*CustomerId::parse("cliente-b"), 29'933'341);
  return state;
}

void expect_example(const std::optional<HeartbeatState>& state) {
  ASSERT_TRUE(state);
  EXPECT_EQ(state->last_minute, 29'933'334);
  EXPECT_EQ(state->lost, 7U);
  EXPECT_EQ(state->hole_until, 29'933'339);
  EXPECT_EQ(state->losses, example().losses);
}

/// The bytes on disk, docs/formats/heartbeat.md.
TEST(HeartbeatStateTest, ReadsWhatWasWritten) {
  std::ifstream file("tests/golden/heartbeat/v1", std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(write_heartbeat_state(example()), golden);
  expect_example(read_heartbeat_state(golden));
}

TEST(HeartbeatStateTest, WhatIsCutIsNothing) {
  const std::string whole = write_heartbeat_state(example());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_heartbeat_state(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(read_heartbeat_state(whole + "29933350 cliente-c\n"));
}

TEST(HeartbeatStateTest, WhatIsFlippedIsNothing) {
  const std::string whole = write_heartbeat_state(example());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_FALSE(read_heartbeat_state(flipped)) << bit;
  }
}

TEST(HeartbeatStateTest, AnotherVersionIsNothing) {
  std::string later = write_heartbeat_state(example());
  later[later.find(" 1 ") + 1] = '2';
  EXPECT_FALSE(read_heartbeat_state(later));
}

TEST(HeartbeatStateTest, FilesWithoutAHeadAreReadWhereTheyAreWhole) {
  expect_example(
      read_heartbeat_state("29933334 7 29933339\n29933340 cliente-a\n29933341 cliente-b\n"));
  const auto first = read_heartbeat_state("29933334\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->hole_until, 29'933'334);
  EXPECT_TRUE(read_heartbeat_state("29933334 7\n"));
  for (const std::string_view text :
       {"2993", "29933334 7 29933339", "29933334 7 29933339\n299333", "29933334 7 2x\n",
        "29933334 7 29933339\n29933340\n", "29933334 7 29933339 1\n", "29933334  7\n"}) {
    EXPECT_FALSE(read_heartbeat_state(text)) << text;
  }
}

}  // namespace
}  // namespace vigia::collector::marks
