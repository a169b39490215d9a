#include "libs/wire/remote_read/read_frames.hpp"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"

namespace vigia::wire::remote_read {
namespace {

Labels labels_of(const std::string& number) {
  return Labels::from({{"__name__", "up"}, {"customer_id", "a"}, {"n", number}});
}

// Two series, one of which is of the second query.
std::string whole_stream() {
  ChunksResponse response;
  response.add_series(0, labels_of("1"), {{1'000, 2'000, 1, "first"}, {3'000, 4'000, 3, "second"}});
  response.add_series(1, labels_of("2"), {});
  return response.take();
}

std::string frame_of(const std::string& message) {
  std::string stream;
  append_varint(stream, message.size());
  const std::uint32_t sum = crc32c(message);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    stream.push_back(static_cast<char>((sum >> shift) & 0xffU));
  }
  return stream + message;
}

// How many frames were read before the error, and which it was.
std::pair<std::size_t, std::optional<ErrorCode>> read_all(std::string_view stream,
                                                          FrameLimits limits = {}) {
  FrameReader reader(stream, limits);
  std::size_t frames = 0;
  while (reader.has_next()) {
    const auto frame = reader.next();
    if (!frame.has_value()) {
      EXPECT_FALSE(reader.has_next()) << "nothing comes after an error";
      return {frames, frame.error().code};
    }
    ++frames;
  }
  return {frames, std::nullopt};
}

// R-RR-3
TEST(FrameReaderTest, GivesWhatTheWriterWrote) {
  const std::string stream = whole_stream();
  FrameReader reader(stream);
  const auto first = reader.next();
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(first->query_index, 0U);
  ASSERT_EQ(first->series.size(), 1U);
  EXPECT_EQ(first->series[0].labels, labels_of("1"));
  ASSERT_EQ(first->series[0].chunks.size(), 2U);
  EXPECT_EQ(first->series[0].chunks[0].min_ms, 1'000);
  EXPECT_EQ(first->series[0].chunks[0].max_ms, 2'000);
  EXPECT_EQ(first->series[0].chunks[0].encoding, 1);
  EXPECT_EQ(first->series[0].chunks[0].data, "first");
  EXPECT_EQ(first->series[0].chunks[1].encoding, 3);
  ASSERT_TRUE(reader.has_next());
  const auto second = reader.next();
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(second->query_index, 1U);
  ASSERT_EQ(second->series.size(), 1U);
  EXPECT_EQ(second->series[0].labels, labels_of("2"));
  EXPECT_FALSE(reader.has_next());
}

// R-RR-3
TEST(FrameReaderTest, EveryFlippedBitIsFound) {
  const std::string whole = whole_stream();
  ASSERT_EQ(read_all(whole), std::pair(std::size_t{2}, std::optional<ErrorCode>()));
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1U << bit % 8));
    const auto [frames, error] = read_all(damaged);
    EXPECT_TRUE(error.has_value()) << "bit " << bit;
    EXPECT_LT(frames, 2U) << "bit " << bit;
  }
}

TEST(FrameReaderTest, EveryCutThatIsNotBetweenFramesIsFound) {
  const std::string whole = whole_stream();
  ChunksResponse alone;
  alone.add_series(0, labels_of("1"), {{1'000, 2'000, 1, "first"}, {3'000, 4'000, 3, "second"}});
  const std::size_t border = alone.bytes();
  for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
    if (bytes == border) continue;
    const auto [frames, error] = read_all(std::string_view(whole).substr(0, bytes));
    EXPECT_EQ(error, ErrorCode::kCorrupt) << bytes;
    EXPECT_EQ(frames, bytes < border ? 0U : 1U) << bytes;
  }
}

// A server that fails behind its first frames can say so in no other way.
TEST(FrameReaderTest, WordsBehindTheFramesAreDamage) {
  const auto [frames, error] = read_all(whole_stream() + "expanding series: out of memory\n");
  EXPECT_EQ(frames, 2U);
  EXPECT_EQ(error, ErrorCode::kCorrupt);
}

// R-RR-3: before the checksum is looked at, and whatever is there of the frame.
TEST(FrameReaderTest, AFrameIsBoundedByTheLengthThatItDeclares) {
  FrameLimits limits;
  std::string huge;
  append_varint(huge, limits.frame_bytes_max + 1);
  EXPECT_EQ(read_all(huge).second, ErrorCode::kTooLarge);
  std::string largest;
  append_varint(largest, UINT64_MAX);
  EXPECT_EQ(read_all(largest).second, ErrorCode::kTooLarge);
  // One more than 64 bits hold.
  EXPECT_EQ(read_all(std::string(9, '\xff') + "\x02").second, ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(std::string(20, '\xff')).second, ErrorCode::kCorrupt);
  limits.frame_bytes_max = whole_stream().size();
  EXPECT_EQ(read_all(whole_stream(), limits).first, 2U);
  limits.frame_bytes_max = 8;
  EXPECT_EQ(read_all(whole_stream(), limits).second, ErrorCode::kTooLarge);
}

TEST(FrameReaderTest, WhatAFrameBecomesIsBounded) {
  FrameLimits limits;
  limits.series_max = 3;
  limits.labels_max = 3;
  limits.chunks_max = 4;
  limits.label_bytes_max = 100;
  const auto frame_with = [](int series, int labels, int chunks, const std::string& value = "v") {
    std::string message;
    for (int i = 0; i < series; ++i) {
      protozero::pbf_writer frame(message);
      protozero::pbf_writer one(frame, 1);
      for (int j = 0; j < labels; ++j) {
        protozero::pbf_writer label(one, 1);
        label.add_string(1, "l" + std::to_string(j));
        label.add_string(2, value);
      }
      for (int j = 0; j < chunks; ++j) one.add_message(2, "", 0);
    }
    return frame_of(message);
  };
  EXPECT_EQ(read_all(frame_with(3, 3, 1), limits).second, std::nullopt);
  EXPECT_EQ(read_all(frame_with(4, 0, 1), limits).second, ErrorCode::kTooLarge);
  EXPECT_EQ(read_all(frame_with(1, 4, 0), limits).second, ErrorCode::kTooLarge);
  EXPECT_EQ(read_all(frame_with(2, 0, 2), limits).second, std::nullopt);
  EXPECT_EQ(read_all(frame_with(1, 0, 5), limits).second, ErrorCode::kTooLarge);
  EXPECT_EQ(read_all(frame_with(2, 0, 3), limits).second, ErrorCode::kTooLarge) << "of the frame";
  EXPECT_EQ(read_all(frame_with(1, 3, 0, std::string(40, 'v')), limits).second,
            ErrorCode::kTooLarge);
}

TEST(FrameReaderTest, WhatIsNoMessageIsDamageThoughItsSumIsRight) {
  EXPECT_EQ(read_all(frame_of("\x0a\x7f")).second, ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(frame_of("\x0a\x02\x0a\x09")).second, ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(frame_of("\x0b\x0c")).second, ErrorCode::kCorrupt) << "a group";
  EXPECT_EQ(read_all(frame_of("")), std::pair(std::size_t{1}, std::optional<ErrorCode>()));
  std::string message;
  {
    protozero::pbf_writer frame(message);
    protozero::pbf_writer series(frame, 1);
    protozero::pbf_writer chunk(series, 2);
    chunk.add_enum(3, 256);
  }
  EXPECT_EQ(read_all(frame_of(message)).second, ErrorCode::kCorrupt) << "it would become another";
}

TEST(FrameReaderTest, AFieldOfAnotherWireTypeIsDamage) {
  const std::string number = "\x08\x01";  // 1, as a varint
  EXPECT_EQ(read_all(frame_of(number)).second, ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(frame_of("\x0a\x02" + number)).second, ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(frame_of("\x0a\x04\x0a\x02" + number)).second, ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(frame_of("\x0a\x05\x12\x03\x0a\x01x")).second, ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(frame_of("\x12\x01x")).second, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace vigia::wire::remote_read
