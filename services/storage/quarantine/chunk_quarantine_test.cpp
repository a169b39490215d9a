#include "services/storage/quarantine/chunk_quarantine.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::storage::quarantine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNowNs = 1'764'043'260'000'000'000;
constexpr TimestampMs kStart = 1'764'043'200'000;

QuarantinedChunk chunk_of(std::uint32_t number, std::uint64_t series, std::size_t bytes = 10) {
  QuarantinedChunk chunk;
  chunk.number = {number};
  chunk.customer = CustomerId::parse("c-" + std::to_string(number)).value();
  chunk.row = {{series},
               kStart,
               kStart + 900,
               store::kInOrder,
               store::Encoding::kFloats,
               std::string(bytes, 'x')};
  return chunk;
}

void expect_equal(const QuarantinedChunk& left, const QuarantinedChunk& right) {
  EXPECT_EQ(left.number, right.number);
  EXPECT_EQ(left.customer, right.customer);
  EXPECT_EQ(left.taken_ns, right.taken_ns);
  EXPECT_EQ(left.resolution, right.resolution);
  EXPECT_EQ(left.row.series, right.row.series);
  EXPECT_EQ(left.row.first_ms, right.row.first_ms);
  EXPECT_EQ(left.row.last_ms, right.row.last_ms);
  EXPECT_EQ(left.row.version, right.row.version);
  EXPECT_EQ(left.row.encoding, right.row.encoding);
  EXPECT_EQ(left.row.data, right.row.data);
}

QuarantinedChunk golden_chunk() {
  QuarantinedChunk chunk = chunk_of(3, 71);
  chunk.customer = CustomerId::parse("cliente-a").value();
  chunk.taken_ns = kNowNs;
  chunk.row.version = 7;
  chunk.row.data = std::string("packed\0samples", 14);
  return chunk;
}

std::string golden_file() {
  std::ifstream file("tests/golden/quarantined_chunk/v1", std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

TEST(QuarantinedChunk, IsTheGoldenFile) {
  EXPECT_EQ(encode(golden_chunk()), golden_file());
  const auto read = decode(golden_file());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  expect_equal(*read, golden_chunk());
}

TEST(QuarantinedChunk, ComesBackAsItWas) {
  QuarantinedChunk nobodys = chunk_of(9, 1, 0);
  nobodys.customer.reset();
  nobodys.row.encoding = store::Encoding::kHistograms;
  QuarantinedChunk operators = chunk_of(1, 2, 100'000);
  operators.customer = CustomerId::provider();
  operators.row.first_ms = 0;
  operators.row.last_ms = store::kChunkSpanMs;
  operators.row.version = UINT64_MAX;
  for (const QuarantinedChunk& chunk : {nobodys, operators}) {
    const auto read = decode(encode(chunk));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    expect_equal(*read, chunk);
  }
}

TEST(QuarantinedChunk, EachBitAndEachByteCounts) {
  const std::string file = encode(golden_chunk());
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string other = file;
      other[i] = static_cast<char>(static_cast<unsigned char>(other[i]) ^ (1U << bit));
      const auto read = decode(other);
      ASSERT_FALSE(read.has_value()) << i << " " << bit;
      EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    }
    EXPECT_FALSE(decode(file.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(decode(file + "x").has_value());
}

// A right checksum says who wrote it and not that it is sound.
TEST(QuarantinedChunk, WhatIsNoChunkIsRefused) {
  struct Case {
    const char* what;
    void (*spoil)(QuarantinedChunk&);
  };
  constexpr Case kCases[] = {
      {"no series", [](QuarantinedChunk& chunk) { chunk.row.series = {}; }},
      {"before 1970", [](QuarantinedChunk& chunk) { chunk.row.first_ms = -1; }},
      {"ends before it begins", [](QuarantinedChunk& chunk) { chunk.row.last_ms = kStart - 1; }},
      {"spans too much",
       [](QuarantinedChunk& chunk) { chunk.row.last_ms = kStart + store::kChunkSpanMs + 1; }},
      {"an encoding", [](QuarantinedChunk& chunk) { chunk.row.encoding = store::Encoding{9}; }},
      {"a resolution", [](QuarantinedChunk& chunk) { chunk.resolution = Resolution{4}; }},
  };
  for (const Case& one : kCases) {
    QuarantinedChunk chunk = golden_chunk();
    one.spoil(chunk);
    const auto read = decode(encode(chunk));
    ASSERT_FALSE(read.has_value()) << one.what;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << one.what;
  }
}

TEST(QuarantinedChunk, ALaterVersionIsNoDamage) {
  std::string sealed;
  append_u32(sealed, 2);
  sealed += "whatever that is";
  std::string file = "VGQC";
  append_u32(file, crc32c(sealed));
  const auto read = decode(file + sealed);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
}

TEST(QuarantinedChunk, TheNameIsThatOfTheKeyAndTheData) {
  EXPECT_EQ(name_of(golden_chunk()).substr(0, 26), "c3-s71-1764043200000-e1-v7");
  QuarantinedChunk other = golden_chunk();
  other.taken_ns = 1;
  EXPECT_EQ(name_of(other), name_of(golden_chunk()));
  other.row.data += "x";
  EXPECT_NE(name_of(other), name_of(golden_chunk()));
}

class ChunkQuarantineTest : public testing::Test {
 protected:
  void open(std::uint64_t bytes_max = 1U << 20U) {
    quarantine_.emplace(QuarantineSettings{"/q", bytes_max}, files_, clock_);
  }
  std::string keep(std::uint32_t number, std::uint64_t series) {
    return quarantine_->keep(chunk_of(number, series)).value();
  }

  disk_log::MemoryFiles files_;
  ManualClock clock_{kNowNs};
  std::optional<ChunkQuarantine> quarantine_;
};

TEST_F(ChunkQuarantineTest, WhatIsKeptSurvivesThePowerAndIsReadAgain) {
  open();
  const std::string first = keep(1, 7);
  const std::string second = keep(2, 8);
  files_.cut_power();
  open();
  EXPECT_THAT(quarantine_->names(), ElementsAre(first, second));
  const auto read = quarantine_->read(second);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  QuarantinedChunk expected = chunk_of(2, 8);
  expected.taken_ns = kNowNs;
  expect_equal(*read, expected);
  EXPECT_EQ(quarantine_->stats().chunks, 2U);
  EXPECT_EQ(quarantine_->stats().bytes, 2U * 4'096);
}

TEST_F(ChunkQuarantineTest, TheSameChunkAgainIsTheSameFile) {
  open();
  const std::string name = keep(1, 7);
  EXPECT_EQ(keep(1, 7), name);
  open();
  EXPECT_EQ(keep(1, 7), name);
  EXPECT_EQ(quarantine_->stats().chunks, 1U);
  EXPECT_EQ(quarantine_->stats().bytes, 4'096U);
}

TEST_F(ChunkQuarantineTest, WhatIsRemovedStaysSo) {
  open();
  const std::string first = keep(1, 7);
  const std::string second = keep(1, 8);
  ASSERT_TRUE(quarantine_->remove({first}));
  files_.cut_power();
  open();
  EXPECT_THAT(quarantine_->names(), ElementsAre(second));
  EXPECT_EQ(quarantine_->stats().bytes, 4'096U);
}

// Whatever call fails: it is there whole or not at all, and the next try is a try.
TEST_F(ChunkQuarantineTest, WhereTheDiskRefusesNothingIsLeft) {
  for (const std::string_view failing : {"create", "write", "sync", "rename"}) {
    open();
    files_.fail_when([&](std::string_view call, const std::string&) { return call == failing; });
    const auto kept = quarantine_->keep(chunk_of(1, 7));
    ASSERT_FALSE(kept.has_value()) << failing;
    EXPECT_EQ(kept.error().code, ErrorCode::kUnavailable);
    files_.fail_when(nullptr);
    EXPECT_THAT(files_.names("/q"), IsEmpty()) << failing;
    EXPECT_EQ(quarantine_->stats().bytes, 0U);
    const std::string name = keep(1, 7);
    ASSERT_TRUE(quarantine_->remove({name}));
  }
}

TEST_F(ChunkQuarantineTest, AFullDiskRefusesUntilItHasRoom) {
  open();
  files_.set_capacity(20);
  EXPECT_FALSE(quarantine_->keep(chunk_of(1, 7)).has_value());
  EXPECT_EQ(files_.used_bytes(), 0U);
  files_.set_capacity(1U << 20U);
  keep(1, 7);
}

TEST_F(ChunkQuarantineTest, AWriteThatAKillEndedGoesAtTheNextStart) {
  files_.set_content("/q/c1-s7-5-e1-v0-00000000.chunk.new", "half of");
  files_.set_content("/q/readme", "of a person");
  open();
  EXPECT_THAT(quarantine_->names(), IsEmpty());
  EXPECT_THAT(files_.names("/q"), ElementsAre("readme"));
}

TEST_F(ChunkQuarantineTest, OneCustomerHasAQuarterPastHalf) {
  open(std::uint64_t{16} * 4'096);
  for (std::uint64_t series = 1; series <= 8; ++series) keep(1, series);
  const auto refused = quarantine_->keep(chunk_of(1, 9));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
  EXPECT_THAT(refused.error().message, HasSubstr("/q has no room for more chunks of c1"));
  for (std::uint64_t series = 1; series <= 4; ++series) keep(2, series);
  EXPECT_FALSE(quarantine_->keep(chunk_of(2, 9)).has_value());
  for (std::uint64_t series = 1; series <= 4; ++series) keep(3, series);
  EXPECT_FALSE(quarantine_->keep(chunk_of(4, 1)).has_value());  // all of it is taken
  open(std::uint64_t{16} * 4'096);                              // and is so after a start
  EXPECT_FALSE(quarantine_->keep(chunk_of(4, 1)).has_value());
  ASSERT_TRUE(quarantine_->remove({name_of(chunk_of(3, 1))}));
  keep(4, 1);
}

TEST_F(ChunkQuarantineTest, ADamagedFileIsOneFileAndStays) {
  open();
  const std::string name = keep(1, 7);
  const std::string good = keep(1, 8);
  std::string bytes = files_.content("/q/" + name);
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  files_.set_content("/q/" + name, bytes);
  const auto read = quarantine_->read(name);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  quarantine_->mark_damaged(name);
  for (int starts = 0; starts < 2; ++starts) {
    EXPECT_THAT(quarantine_->names(), ElementsAre(good));
    EXPECT_EQ(quarantine_->stats().damaged, 1U);
    EXPECT_EQ(quarantine_->stats().bytes, 2U * 4'096);
    open();
  }
  EXPECT_EQ(files_.content("/q/" + name + ".damaged"), bytes);
}

}  // namespace
}  // namespace vigia::storage::quarantine
