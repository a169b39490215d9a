#include "libs/wire/remote_write/request_encoder_2.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::wire::remote_write {
namespace {

using testing::ElementsAre;

/// What a message holds, one line a series, whichever version it is of.
class Lines final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override {
    std::string line(series.label_bytes);
    for (const Sample& sample : series.samples)
      line += " " + std::to_string(sample.timestamp_ms) + "=" + std::to_string(sample.value);
    for (const HistogramView& histogram : series.histograms)
      line += " H" + std::to_string(histogram.timestamp_ms) + std::string(histogram.bytes);
    for (const ExemplarView& exemplar : series.exemplars) {
      line += " #" + std::to_string(exemplar.sample.value) + "@" +
              std::to_string(exemplar.sample.timestamp_ms);
      for (const LabelView& label : exemplar.labels)
        line += std::string(label.name) + "=" + std::string(label.value);
    }
    lines.push_back(line);
  }
  void on_bad_series(const SeriesView& /*series*/, std::string_view why) override {
    lines.emplace_back(why);
  }
  std::vector<std::string> lines;
};

std::vector<std::string> lines_of_1(std::string_view message) {
  Lines lines;
  EXPECT_TRUE(decode_message(message, {}, lines));
  return lines.lines;
}

std::vector<std::string> lines_of_2(std::string_view message) {
  Lines lines;
  const auto decoded = decode_message_2(message, {}, {}, lines);
  EXPECT_TRUE(decoded) << decoded.error().message;
  return lines.lines;
}

std::string some_message() {
  std::string message;
  const std::string first =
      encode_labels(Labels::from({{"__name__", "http_requests"}, {"code", "200"}, {"node", "n"}}));
  const std::string second =
      encode_labels(Labels::from({{"__name__", "http_requests"}, {"code", "500"}, {"node", "n"}}));
  std::string exemplar;
  append_exemplar(exemplar, Labels::from({{"trace_id", "abc"}, {"node", "n"}}), {1700, 0.25});
  append_sample(message, first, {1000, 1});
  append_sample(message, second, {1001, 2}, exemplar);
  append_sample(message, first, {1002, 3});
  append_sample(message, "", {1003, 4});
  // timestamp 7 in field 15: all that is looked at here
  append_histogram(message, second, std::string_view("\x78\x07", 2), exemplar);
  return message;
}

TEST(RequestEncoder2, HoldsWhat1Point0Held) {  // R-RW-7
  RequestEncoder2 encoder;
  const std::string message = some_message();
  const auto request = encoder.encode(message);
  ASSERT_TRUE(request);
  EXPECT_EQ(lines_of_2(*request), lines_of_1(message));
  EXPECT_EQ(encoder.counts().samples, 4U);
  EXPECT_EQ(encoder.counts().histograms, 1U);
  EXPECT_EQ(encoder.counts().exemplars, 2U);
}

TEST(RequestEncoder2, TextsStandOnceAndTheFirstIsEmpty) {  // R-RW-7
  RequestEncoder2 encoder;
  const auto request = encoder.encode(some_message());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->substr(0, 2), std::string_view("\x22\x00", 2));
  const std::size_t first = request->find("http_requests");
  EXPECT_NE(first, std::string_view::npos);
  EXPECT_EQ(request->find("http_requests", first + 1), std::string_view::npos);
}

TEST(RequestEncoder2, NothingOfARequestIsInTheNext) {  // C62: of another customer, say
  RequestEncoder2 encoder;
  const std::string message = some_message();
  const std::string first(*encoder.encode(message));
  std::string other;
  append_sample(other, encode_labels(Labels::from({{"__name__", "up"}})), {1, 1});
  EXPECT_EQ(lines_of_2(*encoder.encode(other)), lines_of_1(other));
  EXPECT_EQ(encoder.counts().values(), 1U);
  EXPECT_EQ(*encoder.encode(message), first);
  EXPECT_EQ(*encoder.encode(""), std::string_view("\x22\x00", 2));
}

// As many different texts as make every table grow, and labels at changing places.
TEST(RequestEncoder2, ManySeriesOfManyShapes) {
  std::mt19937 random(7);
  const auto below = [&](std::uint32_t bound) {
    return static_cast<std::uint32_t>(random() % bound);
  };
  RequestEncoder2 encoder;
  for (int round = 0; round < 20; ++round) {
    std::string message;
    const std::uint32_t series = 1 + below(3'000);
    for (std::uint32_t i = 0; i < series; ++i) {
      std::vector<Label> labels{{"__name__", "metric_" + std::to_string(below(5))}};
      for (std::uint32_t label = 0; label < below(6); ++label)
        labels.push_back(
            {"label_" + std::to_string(label) + std::string(below(2), 'x'),
             std::string(below(3) == 0 ? 200 : 3, 'v') + std::to_string(below(2'000))});
      append_sample(message, encode_labels(Labels::from(std::move(labels))),
                    {static_cast<std::int64_t>(below(1'000'000)), static_cast<double>(i)});
    }
    const auto request = encoder.encode(message);
    ASSERT_TRUE(request);
    ASSERT_EQ(lines_of_2(*request), lines_of_1(message));
  }
}

TEST(RequestEncoder2, WhatIsNoSuchMessageIsAnError) {
  RequestEncoder2 encoder;
  const std::string message = some_message();
  for (std::size_t size = 1; size < message.size(); ++size) {
    // Cut between series it is a message; cut anywhere else it is none.
    const auto request = encoder.encode(std::string_view(message).substr(0, size));
    if (request) {
      EXPECT_EQ(lines_of_2(*request), lines_of_1(message.substr(0, size)));
    }
  }
  EXPECT_FALSE(encoder.encode("no message"));
  EXPECT_FALSE(encoder.encode(std::string_view("\x0a\x7f", 2)));
  EXPECT_FALSE(encoder.encode(std::string_view("\x0a\x04\x0a\x02\x0a\x09", 6)));
  EXPECT_TRUE(encoder.encode(message));
}

}  // namespace
}  // namespace vigia::wire::remote_write
