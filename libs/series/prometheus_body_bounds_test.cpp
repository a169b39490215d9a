// What a request of remote write may become in memory.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/model/labels.hpp"
#include "libs/series/prometheus_body.hpp"

namespace vigia::series {
namespace {

namespace protocol = wire::remote_write;

using protozero::pbf_writer;
using testing::HasSubstr;

// 94 KB on the wire were 76 MiB in memory.
TEST(PrometheusBodyBounds, ASeriesOfEmptySamplesEndsAtItsBound) {
  const auto made = [](int samples) {
    std::string series = protocol::encode_labels(Labels::from({{"__name__", "m"}}));
    for (int i = 0; i < samples; ++i) series += std::string_view("\x12\x00", 2);
    std::string message;
    pbf_writer(message).add_message(1, series);
    return read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1,
                             protocol::compress_request(message));
  };
  EXPECT_TRUE(made(100'000));
  const auto over = made(100'001);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(over.error().message, HasSubstr("values in a series"));
}

/// A message of 2.0: the name, the help and so many series of so many samples each.
std::string with_help(const std::string& name, const std::string& help, int series, int samples) {
  std::string message;
  pbf_writer writer(message);
  for (const std::string& symbol : {std::string(), std::string("__name__"), name, help})
    writer.add_string(4, symbol);
  std::string one;
  pbf_writer fields(one);
  const std::vector<std::uint32_t> references{1, 2};
  fields.add_packed_uint32(1, references.begin(), references.end());
  for (int i = 0; i < samples; ++i) fields.add_message(2, "\x10\x01", 2);
  std::string metadata;
  pbf_writer(metadata).add_uint32(3, 3);
  fields.add_message(5, metadata);
  for (int i = 0; i < series; ++i) writer.add_message(5, one);
  return message;
}

// 13 KB sent took a thread for seconds: each sample's metric was compared with the one before it.
TEST(PrometheusBodyBounds, TextsAreComparedOnceASeries) {
  const std::string name(100'000, 'n');
  const auto made = read_remote_write(
      *CustomerId::parse("cliente-a"), WriteVersion::k2,
      protocol::compress_request(with_help(name, std::string(200'000, 'h'), 3, 20'000)));
  ASSERT_TRUE(made);
  EXPECT_GE(made->compared_bytes, 2 * name.size());
  EXPECT_LE(made->compared_bytes, 3 * (name.size() + 1024));
}

// Of 200 KB of help 30,000 series are 6 GB.
TEST(PrometheusBodyBounds, AHelpIsCutBeforeItIsComparedOrKept) {
  constexpr int kSeries = 30'000;
  const auto made = read_remote_write(
      *CustomerId::parse("cliente-a"), WriteVersion::k2,
      protocol::compress_request(with_help("m", std::string(200'000, 'h'), kSeries, 1)));
  ASSERT_TRUE(made);
  EXPECT_GE(made->compared_bytes, 1U);
  EXPECT_LE(made->compared_bytes, kSeries * std::uint64_t{513});
  EXPECT_THAT(made->body, HasSubstr(std::string(512, 'h')));
  EXPECT_EQ(made->body.find(std::string(513, 'h')), std::string::npos);
}

// What it becomes is asked for before it is there, a small request by the length that it declares.
TEST(PrometheusBodyBounds, MemoryIsAskedForBeforeItIsTaken) {
  const auto block_of = [](int series) {
    std::string message;
    for (int i = 0; i < series; ++i)
      protocol::append_sample(message,
                              protocol::encode_labels(Labels::from(
                                  {{"__name__", "a"}, {"i", std::to_string(i)}, {"node_id", "n"}})),
                              {1, 1});
    return std::pair(protocol::compress_request(message), message.size());
  };
  std::vector<std::size_t> asked;
  PrometheusBodyLimits limits;
  std::size_t most = SIZE_MAX;
  limits.may_hold = [&](std::size_t bytes) {
    asked.push_back(bytes);
    return bytes <= most;
  };
  const auto read = [&](const std::string& block) {
    asked.clear();
    return read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1, block, limits);
  };
  const auto [small, small_bytes] = block_of(5'000);
  ASSERT_TRUE(read(small));
  EXPECT_EQ(asked.front(), small_bytes);

  const auto [large, large_bytes] = block_of(200'000);
  const auto made = read(large);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->message_bytes, large_bytes);
  EXPECT_GE(asked.back(), made->body.size());
  EXPECT_LE(asked.back(), made->body.size() + (2U << 20U)) << "the message is there whole";
  EXPECT_TRUE(std::is_sorted(asked.begin(), asked.end()));

  most = 100'000;
  EXPECT_EQ(read(large).error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(asked.size(), 1U);
  most = made->body.size() / 2;
  EXPECT_EQ(read(large).error().code, ErrorCode::kOverLimit);
  EXPECT_GT(asked.size(), 2U);
}

}  // namespace
}  // namespace vigia::series
