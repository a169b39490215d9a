#include "libs/wire/remote_write/write_request_2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

namespace vigia::wire::remote_write {
namespace {

using protozero::pbf_writer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Writes down what it sees, one line a thing.
class Notes2 final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override {
    if (series.metadata.is_there()) {
      const MetadataView& metadata = series.metadata;
      lines.push_back("meta " + std::string(metadata.family) + " " + std::to_string(metadata.type) +
                      " " + std::string(metadata.help) + " " + std::string(metadata.unit));
    }
    std::string line = text_of(series.labels);
    for (const Sample& sample : series.samples)
      line += " " + std::to_string(sample.timestamp_ms) + "=" + std::to_string(sample.value);
    for (const HistogramView& histogram : series.histograms)
      line += " H" + std::to_string(histogram.timestamp_ms) + std::string(histogram.bytes);
    for (const ExemplarView& exemplar : series.exemplars)
      line += " #" + text_of(exemplar.labels) + std::to_string(exemplar.sample.timestamp_ms);
    lines.push_back(line);
    label_bytes.emplace_back(series.label_bytes);
  }
  void on_bad_series(const SeriesView& series, std::string_view why) override {
    lines.push_back("bad " + text_of(series.labels) + std::string(why));
  }
  static std::string text_of(const std::vector<LabelView>& labels) {
    std::string text;
    for (const LabelView& label : labels)
      text += std::string(label.name) + "=" + std::string(label.value) + ";";
    return text;
  }
  std::vector<std::string> lines;
  std::vector<std::string> label_bytes;
};

const std::vector<std::string> kSymbols{"", "__name__", "up", "customer_id", "cliente-a", "help!"};

std::string message_of(const std::vector<std::string>& symbols,
                       const std::vector<std::string>& series) {
  std::string message;
  pbf_writer writer(message);
  for (const std::string& symbol : symbols) writer.add_string(4, symbol);
  for (const std::string& one : series) writer.add_message(5, one);
  return message;
}

std::string series_of(const std::vector<std::uint32_t>& references,
                      const std::vector<Sample>& samples = {}) {
  std::string series;
  pbf_writer writer(series);
  writer.add_packed_uint32(1, references.begin(), references.end());
  for (const Sample& sample : samples) {
    pbf_writer inner(writer, 2);
    inner.add_double(1, sample.value);
    inner.add_int64(2, sample.timestamp_ms);
  }
  return series;
}

Notes2 decoded(const std::string& message) {
  Notes2 notes;
  const auto result = decode_message_2(message, {}, {}, notes);
  EXPECT_TRUE(result) << result.error().message;
  return notes;
}

std::string error_of(const std::string& message, const SymbolLimits& symbols = {}) {
  Notes2 notes;
  const auto result = decode_message_2(message, {}, symbols, notes);
  return result ? "" : result.error().message;
}

// R-RW-6: as 1.0, so that a repeat by the other version does no harm.
TEST(WriteRequest2, SeriesAreThoseOf1Point0) {
  const auto notes = decoded(message_of(kSymbols, {series_of({1, 2, 3, 4}, {{5, 0.5}, {6, 2}})}));
  EXPECT_THAT(notes.lines, ElementsAre("__name__=up;customer_id=cliente-a; 5=0.500000 6=2.000000"));
  EXPECT_THAT(
      notes.label_bytes,
      ElementsAre(encode_labels(Labels::from({{"__name__", "up"}, {"customer_id", "cliente-a"}}))));
  Notes2 packed;
  EXPECT_TRUE(decode_request_2(compress_request(message_of(kSymbols, {series_of({1, 2})})), {}, {},
                               packed));
  EXPECT_THAT(packed.lines, ElementsAre("__name__=up;"));
}

/// Keeps the start times of all values.
class Starts final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override {
    samples = series.starts_ms;
    for (const HistogramView& histogram : series.histograms)
      histograms.push_back(histogram.start_ms);
  }
  std::vector<TimestampMs> samples, histograms;
};

// R-RW-5: of the values themselves; of the series where it was sent by the protocol's first form.
TEST(WriteRequest2, StartTimesAreGiven) {
  std::string series = series_of({1, 2}, {{5, 0.5}});
  pbf_writer writer(series);
  {
    pbf_writer sample(writer, 2);
    sample.add_int64(2, 6);
    sample.add_int64(3, 4);
  }
  writer.add_int64(6, 3);
  Starts starts;
  ASSERT_TRUE(decode_message_2(message_of(kSymbols, {series}), {}, {}, starts));
  EXPECT_THAT(starts.samples, ElementsAre(3, 4));
  std::string of_histogram = series_of({1, 2});
  pbf_writer outer(of_histogram);
  for (const std::int64_t start_ms : {0, 9}) {
    pbf_writer histogram(outer, 3);
    histogram.add_int64(15, 20);
    if (start_ms > 0) histogram.add_int64(17, start_ms);
  }
  outer.add_int64(6, 3);
  ASSERT_TRUE(decode_message_2(message_of(kSymbols, {of_histogram}), {}, {}, starts));
  EXPECT_THAT(starts.histograms, ElementsAre(3, 9));
}

// A long value has a length of several bytes, in both of the lengths around it.
TEST(WriteRequest2, LabelBytesAreThoseOf1Point0WhateverTheirLength) {
  for (const std::size_t length : {1U, 100U, 115U, 127U, 128U, 300U, 16'383U, 20'000U}) {
    const std::string value(length, 'v');
    const auto notes = decoded(message_of({"", "__name__", value}, {series_of({1, 2})}));
    EXPECT_THAT(notes.label_bytes, ElementsAre(encode_labels(Labels::from({{"__name__", value}}))));
  }
}

TEST(WriteRequest2, SymbolsMayStandBehindAndReferencesOneByOne) {
  std::string series;
  pbf_writer one_by_one(series);
  one_by_one.add_uint32(1, 1);
  one_by_one.add_uint32(1, 2);
  std::string message = message_of({}, {series});
  message += message_of(kSymbols, {});
  EXPECT_THAT(decoded(message).lines, ElementsAre("__name__=up;"));
}

TEST(WriteRequest2, HistogramsExemplarsAndMetadataAreGiven) {
  std::string series = series_of({1, 2});
  {
    pbf_writer writer(series);
    pbf_writer histogram(writer, 3);
    histogram.add_int64(15, 7);
  }
  {
    pbf_writer writer(series);
    pbf_writer exemplar(writer, 4);
    const std::vector<std::uint32_t> references{3, 4};
    exemplar.add_packed_uint32(1, references.begin(), references.end());
    exemplar.add_double(2, 1);
    exemplar.add_int64(3, 9);
  }
  {
    pbf_writer writer(series);
    pbf_writer metadata(writer, 5);
    metadata.add_enum(1, 1);
    metadata.add_uint32(3, 5);
    metadata.add_uint32(4, 0);
  }
  pbf_writer(series).add_int64(6, 1'000);  // created
  EXPECT_THAT(decoded(message_of(kSymbols, {series})).lines,
              ElementsAre("meta up 1 help! ", "__name__=up; H7x\x07 #customer_id=cliente-a;9"));
}

// R-RW-5.
TEST(WriteRequest2, SamplesAndHistogramsInOneSeriesCostThatSeries) {
  std::string mixed = series_of({1, 2}, {{5, 1}});
  {
    pbf_writer writer(mixed);
    pbf_writer(writer, 3).add_int64(15, 7);
  }
  EXPECT_THAT(decoded(message_of(kSymbols, {mixed, series_of({1, 4}, {{5, 1}})})).lines,
              ElementsAre(HasSubstr("bad __name__=up;"), HasSubstr("__name__=cliente-a;")));
}

// R-RW-5.
TEST(WriteRequest2, AReferenceThatLeadsNowhereCostsItsSeries) {
  std::string of_exemplar = series_of({1, 2}, {{5, 1}});
  {
    pbf_writer writer(of_exemplar);
    pbf_writer exemplar(writer, 4);
    exemplar.add_uint32(1, 3);
    exemplar.add_uint32(1, 6);
  }
  std::string of_metadata = series_of({1, 2}, {{5, 1}});
  {
    pbf_writer writer(of_metadata);
    pbf_writer(writer, 5).add_uint32(3, 99);
  }
  for (const std::string& bad : {series_of({1, 2, 3, 6}, {{5, 1}}), series_of({7, 8}, {{5, 1}}),
                                 series_of({1, 2, 3}, {{5, 1}}), of_exemplar, of_metadata}) {
    const Notes2 notes =
        decoded(message_of(kSymbols, {series_of({1, 2}), bad, series_of({1, 4}, {{6, 1}})}));
    ASSERT_EQ(notes.lines.size(), 3U);
    EXPECT_EQ(notes.lines[0], "__name__=up;");
    EXPECT_THAT(notes.lines[1], testing::StartsWith("bad "));
    EXPECT_EQ(notes.lines[2], "__name__=cliente-a; 6=1.000000");
  }
}

TEST(WriteRequest2, WhatIsNoRequestIsRefused) {
  EXPECT_THAT(error_of(message_of({"x"}, {})), HasSubstr("the first symbol is not empty"));
  EXPECT_THAT(error_of("\x2a\x05x"), HasSubstr("is not a 2.0 Request"));
  EXPECT_THAT(decoded("").lines, IsEmpty());
}

// Two bytes that refer to 60,000, as often as they are repeated.
TEST(WriteRequest2, ReferencesToLongTextsAreBounded) {
  const std::vector<std::string> symbols{"", "__name__", std::string(60'000, 'a')};
  const std::vector<std::string> many(1'000, series_of({1, 2}));
  EXPECT_THAT(error_of(message_of(symbols, many)), HasSubstr("labels of all series"));
  EXPECT_EQ(error_of(message_of(symbols, {many.begin(), many.begin() + 250})), "");
  EXPECT_THAT(error_of(message_of(symbols, {series_of({1, 2, 1, 2})})),
              HasSubstr("bytes in the labels of a series"));
  std::string exemplars = series_of({1, 0});
  for (int i = 0; i < 1'000; ++i) {
    pbf_writer writer(exemplars);
    pbf_writer exemplar(writer, 4);
    exemplar.add_uint32(1, 1);
    exemplar.add_uint32(1, 2);
  }
  EXPECT_THAT(error_of(message_of(symbols, {exemplars})), HasSubstr("labels of all series"));
}

TEST(WriteRequest2, SymbolsAreBounded) {
  EXPECT_EQ(error_of(message_of(kSymbols, {}), {.symbols_max = kSymbols.size()}), "");
  EXPECT_THAT(error_of(message_of(kSymbols, {}), {.symbols_max = 2}), HasSubstr("symbols"));
}

// A length of 2^32 was read as one of 0, and a field of another wire type passed over.
TEST(WriteRequest2, ADamagedSeriesIsToldWithItsPlace) {
  using std::string_literals::operator""s;
  const auto of = [](const std::string& series) {
    return error_of(message_of(kSymbols, {series_of({1, 2}), series}));
  };
  const std::string place = "remote write: the body is not a 2.0 Request, at timeseries[1]: ";
  const std::string length = place + "a field's length has more than 32 bits";
  EXPECT_EQ(of("\x0a\x80\x80\x80\x80\x10"s), length);          // references
  EXPECT_EQ(of("\x12\x80\x80\x80\x80\x10"s), length);          // a sample
  EXPECT_EQ(of("\x22\x06\x0a\x80\x80\x80\x80\x10"s), length);  // an exemplar's references
  EXPECT_EQ(of("\x2a\x80\x80\x80\x80\x10"s), length);          // metadata
  const std::string type = place + "a known field has another wire type";
  EXPECT_EQ(of("\x10\x01"s), type);          // samples
  EXPECT_EQ(of("\x32\x00"s), type);          // created_timestamp
  EXPECT_EQ(of("\x12\x02\x1a\x00"s), type);  // a sample's start
  EXPECT_EQ(of("\x2a\x02\x1a\x00"s), type);  // help
}

TEST(WriteRequest2, WhatIsAllUnknownIsNoRequest) {
  EXPECT_EQ(error_of(""), "");
  // timeseries of 1.0.
  EXPECT_NE(error_of(std::string("\x0a\x00", 2)).find("1.0"), std::string::npos);
}

}  // namespace
}  // namespace vigia::wire::remote_write
