#include <gtest/gtest.h>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <snappy.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/hex.hpp"
#include "libs/wire/remote_read/read_request.hpp"
#include "libs/wire/remote_read/read_response.hpp"

namespace vigia::wire::remote_read {
namespace {

std::string compressed(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

TEST(ReadRequestTest, ReadsQueriesAndMatchers) {
  const std::string body = encode_read_request(
      {{1000, 2000, {{MatchType::kEqual, "__name__", "up"}, {MatchType::kNotRegex, "job", "a|b"}}},
       {-5, 5, {}}},
      {ResponseType::kStreamedXorChunks, ResponseType::kSamples});
  const auto request = parse_read_request(body);
  ASSERT_TRUE(request.has_value());
  ASSERT_EQ(request->queries.size(), 2U);
  EXPECT_EQ(request->queries[0].start_ms, 1000);
  EXPECT_EQ(request->queries[0].end_ms, 2000);
  ASSERT_EQ(request->queries[0].matchers.size(), 2U);
  EXPECT_EQ(request->queries[0].matchers[1].type, MatchType::kNotRegex);
  EXPECT_EQ(request->queries[0].matchers[1].name, "job");
  EXPECT_EQ(request->queries[0].matchers[1].value, "a|b");
  EXPECT_EQ(request->queries[1].start_ms, -5);
  EXPECT_EQ(request->response_type, ResponseType::kStreamedXorChunks);
}

// Of several selectors of one PromQL query, each needs less than the query's whole range.
TEST(ReadRequestTest, TheRangeIsCutToThatOfTheHints) {
  const auto range_of = [](TimestampMs from, TimestampMs to, TimestampMs hint_from,
                           TimestampMs hint_to) {
    std::string bytes;
    {
      protozero::pbf_writer message(bytes);
      protozero::pbf_writer query(message, 1);
      query.add_int64(1, from);
      query.add_int64(2, to);
      protozero::pbf_writer hints(query, 4);
      hints.add_int64(1, 15'000);
      hints.add_string(2, "rate");
      hints.add_int64(3, hint_from);
      hints.add_int64(4, hint_to);
    }
    const auto request = parse_read_request(compressed(bytes)).value();
    return std::pair(request.queries.at(0).start_ms, request.queries.at(0).end_ms);
  };
  EXPECT_EQ(range_of(1'000, 9'000, 2'000, 5'000), std::pair(2'000L, 5'000L));
  EXPECT_EQ(range_of(1'000, 9'000, 0, 5'000), std::pair(1'000L, 5'000L));
  EXPECT_EQ(range_of(1'000, 9'000, -5, 99'000), std::pair(1'000L, 9'000L)) << "never more";
  EXPECT_EQ(range_of(1'000, 9'000, 0, 0), std::pair(1'000L, 9'000L)) << "there are none";
  EXPECT_EQ(range_of(1'000, 9'000, 6'000, 5'000), std::pair(1'000L, 9'000L)) << "that is no range";
}

// Field 2 of the hints, as prompb/types.proto has it.
TEST(ReadRequestTest, TheFunctionSeriesWantsLabelsAlone) {
  const auto wants_labels_alone = [](const std::string& function) {
    std::string bytes;
    {
      protozero::pbf_writer message(bytes);
      protozero::pbf_writer query(message, 1);
      query.add_int64(1, 1'000);
      query.add_int64(2, 9'000);
      if (!function.empty()) protozero::pbf_writer(query, 4).add_string(2, function);
    }
    return parse_read_request(compressed(bytes))->queries.at(0).wants_labels_alone;
  };
  EXPECT_TRUE(wants_labels_alone("series"));
  for (const char* function : {"", "rate", "series_", "seriess"}) {
    EXPECT_FALSE(wants_labels_alone(function)) << function;
  }
  const auto again = parse_read_request(
      encode_read_request({{1'000, 9'000, {}, true}, {1'000, 9'000, {}, false}}, {}));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->queries.at(0).wants_labels_alone);
  EXPECT_FALSE(again->queries.at(1).wants_labels_alone);
  EXPECT_EQ(again->queries.at(0).start_ms, 1'000);
  EXPECT_EQ(again->queries.at(0).end_ms, 9'000);
}

// R-RR-2.
TEST(ReadRequestTest, TheFirstKnownTypeOfTheListWins) {
  EXPECT_EQ(parse_read_request(encode_read_request({}, {}))->response_type, ResponseType::kSamples);
  // accepted_response_types = 7, 1 one by one; then 9, 0 packed.
  EXPECT_EQ(parse_read_request(compressed("\x10\x07\x10\x01"))->response_type,
            ResponseType::kStreamedXorChunks);
  EXPECT_EQ(parse_read_request(compressed(std::string_view("\x12\x02\x09\x00", 4)))->response_type,
            ResponseType::kSamples);
}

// R-RR-2.
TEST(ReadRequestTest, NoKnownTypeIsRefused) {
  const auto request = parse_read_request(compressed("\x10\x07"));
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().code, ErrorCode::kInvalid);
}

// R-SEC-2.
TEST(ReadRequestTest, ALengthThatLiesIsRefusedBeforeMemoryIsTaken) {
  const auto request = parse_read_request(std::string("\xff\xff\xff\xff\x0f\x00", 6));
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().code, ErrorCode::kTooLarge);
}

TEST(ReadRequestTest, GarbageIsInvalid) {
  for (const std::string& body :
       {std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), std::string("\x05garbage"),
        compressed("\x0a\x7f"), compressed("not a message")}) {
    const auto request = parse_read_request(body);
    ASSERT_FALSE(request.has_value());
    EXPECT_EQ(request.error().code, ErrorCode::kInvalid);
  }
}

// A length of 2^32 was read as one of 0: the query without its matchers.
TEST(ReadRequestTest, ALengthOf2To32IsInvalid) {
  const auto request =
      parse_read_request(compressed(std::string_view("\x0a\x06\x1a\x80\x80\x80\x80\x10", 8)));
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().message,
            "remote read: the body is not a ReadRequest, at queries[0]: a field's length has more "
            "than 32 bits");
}

/// One field of that number, of each wire type.
std::vector<std::string> of_each_type(std::uint32_t number) {
  std::vector<std::string> all(4);
  protozero::pbf_writer(all[0]).add_uint64(number, 1);
  protozero::pbf_writer(all[1]).add_fixed64(number, 1);
  protozero::pbf_writer(all[2]).add_fixed32(number, 1);
  protozero::pbf_writer(all[3]).add_string(number, std::string("\x08\x01"));
  return all;
}

std::string within(std::uint32_t number, const std::string& message) {
  std::string out;
  protozero::pbf_writer(out).add_message(number, message);
  return out;
}

/// Whoever sends it chooses the wire type of each field: one that is not its own ended the program.
TEST(ReadRequestTest, AFieldOfAForeignWireTypeIsInvalid) {
  std::size_t good = 0;
  std::size_t bad = 0;
  const auto look = [&](const std::string& bytes) {
    const auto request = parse_read_request(compressed(bytes));
    ++(request.has_value() ? good : bad);
    if (!request) {
      EXPECT_EQ(request.error().code, ErrorCode::kInvalid);
    }
  };
  for (std::uint32_t number = 1; number <= 5; ++number) {
    for (const std::string& field : of_each_type(number)) {
      look(field);                        // of the request
      look(within(1, field));             // of a query
      look(within(1, within(3, field)));  // of a matcher
      look(within(1, within(4, field)));  // of its hints
    }
  }
  // Of the request queries and types (two forms), of a query two times, matchers and hints, of a
  // matcher its kind, name and value, of hints the function and two times: each but its own form.
  EXPECT_EQ(bad, (3U + 2) + 4 * 3 + 3 * 3 + 3 * 3);
  EXPECT_EQ(good + bad, 5U * 4 * 4);
}

TEST(ReadRequestTest, TooManyMatchersAreRefused) {
  Query query;
  query.matchers.resize(kMatchersMax + 1, {MatchType::kEqual, "a", "b"});
  const auto request = parse_read_request(encode_read_request({query}, {}));
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().code, ErrorCode::kTooLarge);
}

// R-RR-1.
TEST(SamplesResponseTest, HoldsOneResultAQueryEvenAnEmptyOne) {
  SamplesResponse response;
  response.begin_query();
  response.begin_query();
  response.add_series(Labels::from({{"a", "b"}}), {{1000, 1.0}}, {"hist"});
  const std::string body = response.finish();
  std::string message;
  ASSERT_TRUE(snappy::Uncompress(body.data(), body.size(), &message));
  // results: "", { timeseries { labels{a,b} samples{1.0, 1000} histograms{hist} } }
  EXPECT_EQ(to_hex(message),
            "0a00"
            "0a1e0a1c"
            "0a060a01611201"
            "62"
            "120c09000000000000f03f10e807"
            "220468697374");
}

struct Frame {
  std::uint64_t query_index = 0;
  std::vector<std::size_t> chunks_per_series;
};

std::vector<Frame> read_frames(std::string_view stream) {
  std::vector<Frame> frames;
  while (!stream.empty()) {
    ByteReader reader(stream);
    const std::uint64_t length = reader.read_varint();
    std::uint32_t sum = 0;
    for (int i = 0; i < 4; ++i) sum = (sum << 8U) | reader.read_u8();
    const std::string_view bytes = reader.read_bytes(length);
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(sum, crc32c(bytes));
    Frame frame;
    protozero::pbf_reader message(bytes.data(), bytes.size());
    while (message.next()) {
      if (message.tag() == 2) {
        frame.query_index = static_cast<std::uint64_t>(message.get_int64());
        continue;
      }
      auto series = message.get_message();
      std::size_t chunks = 0;
      for (; series.next(); series.skip()) chunks += series.tag() == 2 ? 1 : 0;
      frame.chunks_per_series.push_back(chunks);
    }
    frames.push_back(frame);
    stream = reader.rest();
  }
  return frames;
}

// R-RR-3.
// Prometheus reads the first series of a frame alone.
TEST(ChunksResponseTest, EverySeriesHasAFrameOfItsOwn) {
  ChunksResponse response;
  const Labels labels = Labels::from({{"a", "b"}});
  response.add_series(0, labels, {{1, 2, 1, "xx"}, {3, 4, 1, "yy"}});
  response.add_series(0, Labels::from({{"a", "c"}}), {{1, 2, 1, "xx"}});
  response.add_series(2, labels, {{1, 2, 1, "zz"}});
  const auto frames = read_frames(response.take());
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0].query_index, 0U);
  EXPECT_EQ(frames[0].chunks_per_series, std::vector<std::size_t>{2});
  EXPECT_EQ(frames[1].query_index, 0U);
  EXPECT_EQ(frames[2].query_index, 2U);
}

// R-RR-3.
TEST(ChunksResponseTest, AGiantSeriesSpansFrames) {
  ChunksResponse response;
  const std::string data(20U << 20U, 'x');
  const std::vector<ChunkView> chunks(3, ChunkView{1, 2, 1, data});
  response.add_series(0, Labels::from({{"a", "b"}}), chunks);
  const auto frames = read_frames(response.take());
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].chunks_per_series, std::vector<std::size_t>{2});
  EXPECT_EQ(frames[1].chunks_per_series, std::vector<std::size_t>{1});
}

}  // namespace
}  // namespace vigia::wire::remote_read
