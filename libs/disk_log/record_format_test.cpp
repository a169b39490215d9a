#include "libs/disk_log/record_format.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/disk_log/segment_reader.hpp"
#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::string_view kGoldenSegment = "tests/golden/disk_log/segment-v1.log";
constexpr std::string_view kGoldenHeader = "tests/golden/disk_log/segment-v1-header";
constexpr std::string_view kGoldenCursors = "tests/golden/disk_log/cursors-v3";
constexpr std::string_view kGoldenCursorsV2 = "tests/golden/disk_log/cursors-v2";
constexpr std::string_view kGoldenCursorsV1 = "tests/golden/disk_log/cursors-v1";
constexpr std::uint64_t kMarker = 0x1122334455667788;

std::string file_content(std::string_view path) {
  std::ifstream file{std::string(path), std::ios::binary};
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

RecordHeader first_header() {
  return {.tag = {.owner = "cliente-a", .kind = 1, .route = "hot-0", .note = "\x05\x01"},
          .encoding = BodyEncoding::kPlain,
          .items = 5,
          .rejected = 1,
          .received_ms = 1'700'000'000'123,
          .sequence = 41};
}

std::string build_segment() {
  std::string bytes = encode_segment_header({7, kMarker});
  const StoredBody plain = pack_body(std::string(300, 'm'), BodyEncoding::kPlain);
  bytes += encode_record_head(first_header(), plain, kMarker) + plain.bytes;
  RecordHeader second{
      .tag = {.owner = "_provider", .kind = 3}, .encoding = BodyEncoding::kZstd, .sequence = 42};
  const StoredBody zstd = pack_body("not looked into", BodyEncoding::kZstd);
  return bytes + encode_record_head(second, zstd, kMarker) + zstd.bytes;
}

CursorFile cursor_file() {
  return {
      .next_sequence = 43,
      .cursors = {{"otlphttp/cold", {{7, 64}, 0}}, {"prometheusremotewrite/hot-0", {{6, 4096}, 5}}},
      .newest_end = {7, 8192}};
}

// Where the segment before it ended is told since a later program of the same version.
SegmentHeader header_after_another() { return {8, kMarker, 16'777'300}; }

std::string longest_owner() { return std::string(kOwnerBytesMax, 'b'); }

TEST(RecordFormat, GoldenSegmentReadsAsWritten) {
  MemoryFiles files;
  files.set_content("/s", file_content(kGoldenSegment));
  auto reader = SegmentReader::open(*files.open_to_read("/s"), 7, ReadDepth::kWhole);
  ASSERT_TRUE(reader);
  auto first = reader->next(~std::uint64_t{0});
  ASSERT_TRUE(first && first->has_value());
  const RecordHeader& header = (*first)->header;
  EXPECT_EQ(header.tag.owner, "cliente-a");
  EXPECT_EQ(header.tag.kind, 1);
  EXPECT_EQ(header.items, 5U);
  EXPECT_EQ(header.rejected, 1U);
  EXPECT_EQ(header.received_ms, 1'700'000'000'123);
  EXPECT_EQ(header.tag.route, "hot-0");
  EXPECT_EQ(header.tag.note, "\x05\x01");
  EXPECT_EQ(header.sequence, 41U);
  EXPECT_EQ((*first)->body, std::string(300, 'm'));
  auto second = reader->next(~std::uint64_t{0});
  ASSERT_TRUE(second && second->has_value());
  EXPECT_EQ((*second)->header.tag.owner, "_provider");
  EXPECT_EQ((*second)->header.encoding, BodyEncoding::kZstd);
  EXPECT_EQ((*second)->body, "not looked into");
  EXPECT_EQ(reader->damaged(), 0U);
}

TEST(RecordFormat, WritesTheGoldenBytes) {
  if (std::getenv("VIGIA_WRITE_GOLDEN") != nullptr) {
    std::ofstream(std::string(kGoldenSegment), std::ios::binary) << build_segment();
    std::ofstream(std::string(kGoldenCursors), std::ios::binary)
        << encode_cursor_file(cursor_file());
    std::ofstream(std::string(kGoldenHeader), std::ios::binary)
        << encode_segment_header(header_after_another());
  }
  EXPECT_EQ(encode_segment_header(header_after_another()), file_content(kGoldenHeader));
  EXPECT_EQ(build_segment(), file_content(kGoldenSegment));
  EXPECT_EQ(encode_cursor_file(cursor_file()), file_content(kGoldenCursors));
}

TEST(RecordFormat, GoldenCursorsReadAsWritten) {
  const auto file = decode_cursor_file(file_content(kGoldenCursors));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->next_sequence, 43U);
  EXPECT_EQ(file->cursors, cursor_file().cursors);
  EXPECT_EQ(file->newest_end, cursor_file().newest_end);
}

TEST(RecordFormat, ASegmentsHeaderSaysWhereTheOneBeforeEnded) {
  EXPECT_EQ(decode_segment_header(file_content(kGoldenHeader))->previous_end, 16'777'300U);
  EXPECT_EQ(decode_segment_header(file_content(kGoldenSegment))->previous_end, 0U);
}

TEST(RecordFormat, CursorsOfTheSecondVersionAreReadAndKnowNoEnd) {
  const auto file = decode_cursor_file(file_content(kGoldenCursorsV2));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->next_sequence, 43U);
  EXPECT_EQ(file->cursors, cursor_file().cursors);
  EXPECT_EQ(file->newest_end, LogPosition());
}

TEST(RecordFormat, CursorsOfTheFirstVersionAreReadAndHaveLostNothing) {
  const auto file = decode_cursor_file(file_content(kGoldenCursorsV1));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->next_sequence, 43U);
  CursorFile expected = cursor_file();
  for (auto& [name, place] : expected.cursors) place.lost = 0;
  EXPECT_EQ(file->cursors, expected.cursors);
}

TEST(RecordFormat, ALaterVersionIsRefusedRatherThanSkipped) {
  std::string copy = encode_segment_header({1, 2}).substr(0, kSegmentHeaderBytes / 2 - 4);
  copy[4] = 2;
  append_u32(copy, crc32c(copy));
  EXPECT_EQ(decode_segment_header(copy + copy).error().code, ErrorCode::kInvalid);
}

TEST(RecordFormat, OneDamagedCopyOfTheSegmentHeaderIsEnough) {
  std::string bytes = encode_segment_header({9, 10});
  bytes[0] ^= 1;
  EXPECT_EQ(decode_segment_header(bytes)->marker, 10U);
  bytes[kSegmentHeaderBytes / 2] ^= 1;
  EXPECT_EQ(decode_segment_header(bytes).error().code, ErrorCode::kCorrupt);
}

TEST(RecordFormat, BothCopiesDamagedTheFirstRecordTellsTheMarker) {
  std::string bytes = build_segment();
  bytes[1] ^= 1;
  bytes[kSegmentHeaderBytes / 2 + 1] ^= 1;
  MemoryFiles files;
  files.set_content("/s", bytes);
  auto reader = SegmentReader::open(*files.open_to_read("/s"), 7, ReadDepth::kHeads);
  ASSERT_TRUE(reader);
  EXPECT_TRUE(reader->next(bytes.size())->has_value());
  EXPECT_TRUE(reader->next(bytes.size())->has_value());
}

TEST(RecordFormat, BodiesThatDoNotShrinkAreKeptPlain) {
  const StoredBody body = pack_body("abc", BodyEncoding::kPlain);
  EXPECT_FALSE(body.is_lz4);
  EXPECT_EQ(*unpack_body(body), "abc");
  EXPECT_EQ(*unpack_body(pack_body("", BodyEncoding::kPlain)), "");
}

TEST(RecordFormat, AnLz4BlockOfAnotherSizeIsDamage) {
  StoredBody body = pack_body(std::string(1000, 'x'), BodyEncoding::kPlain);
  ASSERT_TRUE(body.is_lz4);
  body.plain_bytes = 999;
  EXPECT_FALSE(unpack_body(body));
  body.plain_bytes = 1001;
  EXPECT_FALSE(unpack_body(body));
}

// Whose it is, is not the log's to know: any bytes and any number come back as they were given.
TEST(RecordFormat, AnyTagComesBackByteForByte) {
  const std::vector<RecordTag> tags{
      {},
      {.owner = "cliente-a", .kind = 3, .route = "hot-0", .note = "n"},
      {.owner = longest_owner(), .kind = 255, .route = std::string(kRouteBytesMax, 'r')},
      {.owner = std::string("\0\xff_ \n", 5), .kind = 0, .note = std::string(70'000, '\0')}};
  for (const RecordTag& tag : tags) {
    RecordHeader header = first_header();
    header.tag = tag;
    const StoredBody body = pack_body("b", BodyEncoding::kPlain);
    const auto head = decode_record_head(encode_record_head(header, body, kMarker), kMarker);
    ASSERT_TRUE(head) << tag.owner;
    EXPECT_EQ(head->header.tag.owner, tag.owner);
    EXPECT_EQ(head->header.tag.kind, tag.kind);
    EXPECT_EQ(head->header.tag.route, tag.route);
    EXPECT_EQ(head->header.tag.note, tag.note);
  }
}

TEST(RecordFormat, ALongerOwnerIsDamage) {
  const StoredBody body = pack_body("b", BodyEncoding::kPlain);
  std::string prefix = encode_record_head(first_header(), body, kMarker);
  prefix[kRecordPrefixBytes - 1] = static_cast<char>(kOwnerBytesMax + 1);
  EXPECT_FALSE(head_size(prefix, kMarker));
}

}  // namespace
}  // namespace vigia::disk_log
