// The bytes of what lies aside, docs/formats/side-queue.md, whole and damaged.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/net/compression.hpp"
#include "services/collector/side/testing/side_queue_fixture.hpp"

namespace vigia::collector::side {
namespace {

/// The bytes on disk, docs/formats/side-queue.md. Where this fails old entries can't be read any
/// more: make a new version instead.
std::string golden(const std::string& name) {
  std::ifstream file("tests/golden/side_queue/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

const std::string kLongBody(200, 'l');

TEST(SideEntry, GoldenFilesAreReadAndWritten) {
  using Names = std::vector<std::string>;
  const auto same_as = [](SideEntry entry, const std::string& name, const Names& before) {
    std::string bytes;
    for (const std::string_view part : encode_side_entry(entry).parts) bytes += part;
    if (std::getenv("VIGIA_WRITE_GOLDEN") != nullptr)
      std::ofstream("tests/golden/side_queue/" + name, std::ios::binary) << bytes;
    EXPECT_EQ(bytes, golden(name));
    Names versions = before;
    versions.push_back(name);
    for (const std::string& version : versions) {
      auto decoded = decode_side_entry(golden(version));
      ASSERT_TRUE(decoded) << decoded.error().message;
      EXPECT_EQ(decoded->head.customer, entry.head.customer);
      EXPECT_EQ(decoded->head.items, entry.head.items);
      EXPECT_EQ(decoded->parcel.message, entry.parcel.message);
      ASSERT_EQ(decoded->records.size(), entry.records.size());
      for (SideRecord& record : decoded->records) {
        ASSERT_TRUE(record.open());
        EXPECT_EQ(record.plain(), name == "records-lz4-v4.side" ? kLongBody : "a body");
        EXPECT_EQ(record.verdicts, "verdicts");
        EXPECT_EQ(record.from, (delivery::Place{2, 1}));
      }
    }
  };
  same_as(units_of("cliente-a", "xyz", delivery::Parcel::SearchStage::kSuspect), "units-v4.side",
          {"units-v1.side", "units-v3.side"});
  same_as(records_of("cliente-b", "a body"), "records-v4.side",
          {"records-v1.side", "records-v3.side"});
  same_as(records_of("cliente-b", *net::compress("gzip", "a body"), disk_log::BodyEncoding::kGzip),
          "records-gzip-v4.side", {});
  same_as(records_of("cliente-b", kLongBody), "records-lz4-v4.side", {});
  SideEntry packed =
      units_of("cliente-a", std::string(60, 'x'), delivery::Parcel::SearchStage::kSuspect);
  packed.head.is_packed = true;
  same_as(std::move(packed), "packed-v4.side", {"packed-v2.side", "packed-v3.side"});
}

// What the log holds of a customer is a bound for what may lie aside of it.
TEST(SideEntry, ABodyLiesAsideAsTheLogPacksIt) {
  const std::string plain(1U << 20U, 'y');
  const auto bytes_of = [](SideEntry& entry) {
    std::string bytes;
    for (const std::string_view part : encode_side_entry(entry).parts) bytes += part;
    return bytes;
  };
  SideEntry entry = records_of("a", plain);
  auto decoded = decode_side_entry(bytes_of(entry));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_LT(decoded->head.content_bytes, 8192U);
  ASSERT_TRUE(decoded->records[0].open());
  EXPECT_EQ(decoded->records[0].view().body, plain);
  decoded->records[0].from = {1, 0};  // what is left of it once a part was sent
  EXPECT_LT(bytes_of(*decoded).size(), 8192U);
}

TEST(SideEntry, ABodyThatCannotBeUnpackedIsDamage) {
  EXPECT_FALSE(records_of("a", "no gzip", disk_log::BodyEncoding::kGzip).records.front().open());
  EXPECT_FALSE(records_of("a", "odd", disk_log::BodyEncoding::kSnappy).records.front().open());
  SideRecord record = records_of("a", kLongBody).records.front();
  ++record.lz4_bytes;
  EXPECT_FALSE(record.open());
}

// A start that ends at a version must end at a real one alone.
TEST(SideEntry, ABitThatFlipsInAnyVersionIsDamage) {
  for (const std::string name :
       {"units-v1.side", "packed-v2.side", "packed-v3.side", "records-gzip-v4.side"}) {
    for (std::size_t bit = 0; bit < 32; ++bit) {
      std::string bytes = golden(name);
      bytes[4 + bit / 8] = static_cast<char>(bytes[4 + bit / 8] ^ (1U << (bit % 8)));
      const auto head = decode_side_head(bytes);
      const auto entry = decode_side_entry(bytes);
      const bool was_covered = name.ends_with("v3.side") || name.ends_with("v4.side");
      const bool is_other_version = !was_covered && bytes[4] <= 2 && head;
      if (is_other_version) continue;  // versions 1 and 2 differ in one bit, which nothing covers
      ASSERT_FALSE(head) << name << " " << bit;
      EXPECT_EQ(head.error().code, ErrorCode::kCorrupt) << name << " " << bit;
    }
  }
}

class SideEntryDamage : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(PlainAndPacked, SideEntryDamage, testing::Bool());

TEST_P(SideEntryDamage, ALaterVersionIsRefusedAndAnyDamageIsSeen) {
  SideEntry entry = units_of("a", std::string(40, 'x'));
  entry.head.is_packed = GetParam();
  std::string bytes;
  for (const std::string_view part : encode_side_entry(entry).parts) bytes += part;
  std::string later = bytes;
  later[4] = static_cast<char>(kSideVersion + 1);
  const std::size_t head_bytes = static_cast<unsigned char>(bytes[12]);
  std::string checksum;
  append_u32(checksum, crc32c(later.substr(16, head_bytes), crc32c(later.substr(4, 4))));
  later.replace(8, 4, checksum);
  EXPECT_EQ(decode_side_entry(later).error().code, ErrorCode::kInvalid);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(decode_side_entry(bad)) << i;
    EXPECT_FALSE(decode_side_entry(bytes.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace vigia::collector::side
