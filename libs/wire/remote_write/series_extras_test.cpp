#include "libs/wire/remote_write/series_extras.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/remote_write/request_encoder_2.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::wire::remote_write {
namespace {

using testing::ElementsAre;

const std::string kLabels = encode_labels(Labels::from({{"__name__", "requests_total"}}));

std::string extras_of(const MetadataView& metadata, TimestampMs start_ms) {
  std::string extras = encode_extras(metadata);
  append_start(extras, start_ms);
  return extras;
}

MetadataView said(std::string_view help) {
  return {.type = 1, .family = {}, .help = help, .unit = {}};
}

std::string message_with(const std::string& extras) {
  std::string message;
  kLabels.copy(append_sample_around(message, kLabels.size(), {1700, 5}, {}, extras),
               kLabels.size());
  kLabels.copy(
      append_histogram_around(message, kLabels.size(), std::string_view("\x78\x07", 2), {}, extras),
      kLabels.size());
  return message;
}

/// Type, help, unit and starts of each series.
class Said final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override {
    std::string line = std::to_string(series.metadata.type) + " " +
                       std::string(series.metadata.help) + " " + std::string(series.metadata.unit);
    for (const TimestampMs start : series.starts_ms)
      line += start == 0 ? std::string() : " s" + std::to_string(start);
    for (const HistogramView& histogram : series.histograms)
      line += " h" + std::to_string(histogram.start_ms);
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

TEST(SeriesExtras, ComeOutIn2Point0) {  // R-RW-7: metadata and start times
  RequestEncoder2 encoder;
  const std::string message =
      message_with(extras_of({.type = 1, .family = {}, .help = "asked", .unit = "s"}, 1500));
  const auto request = encoder.encode(message);
  ASSERT_TRUE(request);
  Said lines;
  ASSERT_TRUE(decode_message_2(*request, {}, {}, lines));
  EXPECT_THAT(lines.lines, ElementsAre("1 asked s s1500", "1 asked s h1500"));
}

TEST(SeriesExtras, AreNotSentBy1Point0) {
  EXPECT_EQ(strip_extras(message_with(extras_of(said("asked"), 1500))), message_with(""));
  EXPECT_EQ(strip_extras(message_with(extras_of({}, 1500))), message_with(""));
  EXPECT_EQ(strip_extras(message_with("")), message_with(""));
  EXPECT_EQ(strip_extras(""), "");
  EXPECT_EQ(strip_extras("something else"), "something else");
}

TEST(SeriesExtras, TheNextMetricSaysItsOwn) {
  std::string message;
  for (const std::string& extras :
       {extras_of(said("first"), 0), extras_of(said("first"), 9), std::string(),
        extras_of({.type = 2, .family = {}, .help = {}, .unit = "By"}, 0)})
    kLabels.copy(append_sample_around(message, kLabels.size(), {1700, 5}, {}, extras),
                 kLabels.size());
  RequestEncoder2 encoder;
  Said lines;
  ASSERT_TRUE(decode_message_2(*encoder.encode(message), {}, {}, lines));
  EXPECT_THAT(lines.lines, ElementsAre("1 first ", "1 first  s9", "0  ", "2  By"));
}

TEST(SeriesExtras, ALongHelpIsCutBetweenCharacters) {
  const std::string help = std::string(kHelpBytesMax - 1, 'x') + "ñandú";
  const std::string kept = encode_extras(said(help));
  std::string_view rest = kept;
  const auto extras = take_extras(rest);
  ASSERT_TRUE(extras);
  EXPECT_TRUE(rest.empty());
  const auto read = read_extras(extras->metadata);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->help, std::string(kHelpBytesMax - 1, 'x'));
}

TEST(SeriesExtras, WhatIsCutOffIsNone) {
  const std::string whole =
      extras_of({.type = 1, .family = {}, .help = "asked", .unit = "s"}, 1500);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    std::string_view rest = std::string_view(whole).substr(0, size);
    const auto extras = take_extras(rest);
    // Up to the end of the metadata it is whole without a start.
    EXPECT_EQ(extras.has_value(), size == whole.size() - 9) << size;
  }
  EXPECT_EQ(encode_extras(MetadataView{}), "");
}

}  // namespace
}  // namespace vigia::wire::remote_write
