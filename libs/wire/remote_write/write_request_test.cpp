#include "libs/wire/remote_write/write_request.hpp"

#include <bit>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>
#include <snappy.h>

#include "libs/base/hex.hpp"

namespace vigia::wire::remote_write {
namespace {

using testing::HasSubstr;

/// Writes down what it sees, one line a thing.
class Notes final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override {
    std::vector<Label> labels;
    for (const LabelView& label : series.labels)
      labels.push_back({std::string(label.name), std::string(label.value)});
    std::string line = to_string(Labels::from(labels));
    for (const Sample& sample : series.samples)
      line += " " + std::to_string(sample.timestamp_ms) + "=" + std::to_string(sample.value);
    for (const ExemplarView& exemplar : series.exemplars) {
      line += " #";
      for (const LabelView& label : exemplar.labels)
        line += std::string(label.name) + "=" + std::string(label.value);
      line += "@" + std::to_string(exemplar.sample.timestamp_ms);
    }
    for (const HistogramView& histogram : series.histograms)
      line += " H" + std::to_string(histogram.timestamp_ms);
    lines.push_back(line);
    label_bytes.emplace_back(series.label_bytes);
    if (!series.samples.empty()) last = series.samples.back();
  }
  void on_metadata(const MetadataView& metadata) override {
    lines.push_back("meta " + std::string(metadata.family) + " " + std::to_string(metadata.type));
  }
  std::vector<std::string> lines;
  std::vector<std::string> label_bytes;
  Sample last;
};

/// The labels as they are, in their order.
class Seen final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override {
    for (const LabelView& label : series.labels) labels.emplace_back(label.name, label.value);
  }
  std::vector<std::pair<std::string, std::string>> labels;
};

const Labels kUp = Labels::from({{"__name__", "up"}, {"customer_id", "cliente-a"}});

Notes decoded(std::string_view body) {
  Notes notes;
  const auto result = decode_request(body, {}, notes);
  EXPECT_TRUE(result) << result.error().message;
  return notes;
}

TEST(WriteRequest, SamplesComeBackAsTheyWere) {
  std::string message;
  append_sample(message, encode_labels(kUp), {1'700'000'000'123, 0.5});
  append_sample(message, encode_labels(kUp), {-5, 2});
  const Notes notes = decoded(compress_request(message));
  EXPECT_THAT(notes.lines,
              testing::ElementsAre("up{customer_id=\"cliente-a\"} 1700000000123=0.500000",
                                   "up{customer_id=\"cliente-a\"} -5=2.000000"));
  EXPECT_EQ(notes.label_bytes.at(0), encode_labels(kUp));
}

TEST(WriteRequest, BytesAreThoseOfTheSpecification) {
  std::string message;
  append_sample(message, encode_labels(Labels::from({{"__name__", "m"}})), {1, 1});
  // timeseries { labels { name "__name__" value "m" } samples { value 1 timestamp 1 } }
  EXPECT_EQ(to_hex(message),
            "0a1c"
            "0a0d0a085f5f6e616d655f5f12016d"
            "120b09000000000000f03f1001");
}

TEST(WriteRequest, AnyRunOfSeriesIsAMessage) {
  std::string message;
  append_sample(message, encode_labels(kUp), {1, 1});
  const std::size_t first = message.size();
  append_sample(message, encode_labels(kUp), {2, 2});
  EXPECT_EQ(decoded(compress_request(std::string_view(message).substr(first))).lines.size(), 1U);
}

// R-RW-4.
TEST(WriteRequest, StaleMarksKeepTheirBitsAndOtherNansAreMadeOne) {
  for (const auto& [value, bits] :
       {std::pair{stale_mark(), kStaleBits}, {std::nan("7"), kNormalNanBits}}) {
    std::string message;
    append_sample(message, encode_labels(kUp), {1, value});
    EXPECT_EQ(std::bit_cast<std::uint64_t>(decoded(compress_request(message)).last.value), bits);
  }
}

TEST(WriteRequest, ExemplarsAndHistogramsComeThrough) {
  std::string histogram;
  protozero::pbf_writer writer(histogram);
  writer.add_uint64(1, 4);    // count_int
  writer.add_double(3, 1.5);  // sum
  writer.add_int64(15, 77);   // timestamp
  std::string exemplar;
  append_exemplar(exemplar, Labels::from({{"trace_id", "abc"}}), {9, 1});
  std::string message;
  append_histogram(message, encode_labels(kUp), histogram, exemplar);
  append_sample(message, encode_labels(kUp), {3, 1}, exemplar);
  EXPECT_THAT(decoded(compress_request(message)).lines,
              testing::ElementsAre("up{customer_id=\"cliente-a\"} #trace_id=abc@9 H77",
                                   "up{customer_id=\"cliente-a\"} 3=1.000000 #trace_id=abc@9"));
}

TEST(WriteRequest, LabelsThatStandApartAreGatheredInOrder) {
  const std::string a = encode_labels(Labels::from({{"__name__", "m"}}));
  const std::string b = encode_labels(Labels::from({{"x", "y"}}));
  std::string message;
  std::string body = a + std::string("\x12\x00", 2) + b + std::string("\x12\x00", 2) + b;
  protozero::pbf_writer(message).add_message(1, body);
  Notes notes;
  ASSERT_TRUE(decode_message(message, {}, notes));
  EXPECT_EQ(notes.label_bytes.at(0), a + b + b);
}

// Encoders write name and value, short ones; what else protobuf lets stand in a label is read
// alike.
TEST(WriteRequest, LabelsOfEveryShapeAreRead) {
  const std::string long_text(300, 'v');
  const auto field = [](int number, const std::string& text) {
    std::string out;
    protozero::pbf_writer(out).add_string(static_cast<protozero::pbf_tag_type>(number), text);
    return out;
  };
  std::string unknown;
  protozero::pbf_writer(unknown).add_uint64(7, 1);
  const std::string name = field(1, "n");
  const std::string value = field(2, "v");
  const std::vector<std::tuple<std::string, std::string, std::string>> labels = {
      {name + value, "n", "v"},
      {field(1, std::string(127, 'n')) + field(2, std::string(127, 'v')), std::string(127, 'n'),
       std::string(127, 'v')},
      {name + field(2, long_text), "n", long_text},
      {field(1, long_text) + value, long_text, "v"},
      {value + name, "n", "v"},
      {name + unknown + value, "n", "v"},
      {name + value + unknown, "n", "v"},
      {name + value + field(2, "w"), "n", "w"},
      {name + field(2, ""), "n", ""},
      {field(1, "") + value, "", "v"},
      {name, "n", ""},
      {value, "", "v"},
      {"", "", ""}};
  for (const auto& [bytes, wanted_name, wanted_value] : labels) {
    SCOPED_TRACE(to_hex(bytes));
    std::string message;
    std::string series;
    protozero::pbf_writer(series).add_message(1, bytes);
    protozero::pbf_writer(message).add_message(1, series);
    Seen seen;
    ASSERT_TRUE(decode_message(message, {}, seen));
    EXPECT_THAT(seen.labels, testing::ElementsAre(testing::Pair(wanted_name, wanted_value)));
    for (std::size_t size = 1; size < bytes.size(); ++size) {  // no cut is read past its end
      const std::string cut = bytes.substr(0, size);
      series.clear();
      message.clear();
      protozero::pbf_writer(series).add_message(1, cut);
      protozero::pbf_writer(message).add_message(1, series);
      Seen of_cut;
      if (decode_message(message, {}, of_cut)) {
        EXPECT_EQ(of_cut.labels.size(), 1U);
      }
    }
  }
}

/// Knows the series of these bytes.
class Knowing final : public WriteVisitor {
 public:
  explicit Knowing(std::string known) : known_(std::move(known)) {}
  bool knows(std::string_view label_bytes) override { return label_bytes == known_; }
  void on_series(const SeriesView& series) override {
    lines.push_back(std::to_string(series.labels.size()) + " labels, " +
                    std::to_string(series.samples.size()) + " samples, " +
                    std::to_string(read_labels(series.label_bytes).size()));
  }
  std::vector<std::string> lines;

 private:
  const std::string known_;
};

TEST(WriteRequest, LabelsOfWhatIsKnownAreNotTakenApart) {
  const std::string name = encode_labels(Labels::from({{"__name__", "up"}}));
  const std::string owner = encode_labels(Labels::from({{"customer_id", "cliente-a"}}));
  std::string message;
  append_sample(message, name + owner, {1, 1});
  append_sample(message, name, {1, 1});
  // Apart: gathered before anybody is asked.
  protozero::pbf_writer(message).add_message(1, name + std::string("\x12\x00", 2) + owner);
  Knowing knowing(name + owner);
  ASSERT_TRUE(decode_message(message, {}, knowing));
  EXPECT_THAT(knowing.lines,
              testing::ElementsAre("0 labels, 1 samples, 2", "1 labels, 1 samples, 1",
                                   "0 labels, 1 samples, 2"));
  const std::string up = encode_labels(kUp);
  const auto labels = read_labels(up);
  EXPECT_EQ(labels.at(1).name, "customer_id");
  EXPECT_EQ(labels.at(1).value, "cliente-a");
}

TEST(WriteRequest, OfUnsoundLabelBytesNothingIsReadBeyondThem) {
  const std::string up = encode_labels(kUp);
  EXPECT_EQ(read_labels(up + "\x0a").size(), 2U);
  EXPECT_EQ(read_labels(up.substr(0, up.size() - 1)).size(), 1U);
  EXPECT_TRUE(read_labels("\x0a").empty());
  EXPECT_TRUE(read_labels("").empty());
}

TEST(WriteRequest, MetadataIsShown) {
  std::string metadata;
  protozero::pbf_writer writer(metadata);
  writer.add_enum(1, 2);
  writer.add_string(2, "up");
  std::string message;
  protozero::pbf_writer(message).add_message(3, metadata);
  EXPECT_THAT(decoded(compress_request(message)).lines, testing::ElementsAre("meta up 2"));
}

// R-SEC-2.
TEST(WriteRequest, ADeclaredLengthOverTheLimitIsRefusedBeforeMemoryIsTaken) {
  Notes notes;
  // Four gigabytes declared by five bytes; the block could never yield them.
  const auto bomb = decode_request("\xff\xff\xff\xff\x0f", {}, notes);
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().code, ErrorCode::kInvalid);
  const std::string real = compress_request(std::string(5U << 20U, '\0'));
  const auto large = decode_request(real, {.message_bytes_max = 4U << 20U}, notes);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
}

TEST(WriteRequest, GarbageIsInvalid) {
  Notes notes;
  EXPECT_EQ(decode_request("", {}, notes).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(decode_request("not snappy", {}, notes).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(decode_request(compress_request("\x0a\x7f"), {}, notes).error().code,
            ErrorCode::kInvalid);
}

// A length of 2^32 was read as one of 0, and a field of another wire type passed over.
TEST(WriteRequest, ADamagedSeriesIsToldWithItsPlace) {
  const auto error_of = [](std::string_view series) {
    std::string message;
    append_sample(message, encode_labels(kUp), {1, 1});
    protozero::pbf_writer(message).add_message(1, series.data(), series.size());
    Notes notes;
    const auto result = decode_message(message, {}, notes);
    if (result) return std::string();
    EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
    return result.error().message;
  };
  using std::string_view_literals::operator""sv;
  const std::string place = "remote write: the body is not a WriteRequest, at timeseries[1]: ";
  const std::string length = place + "a field's length has more than 32 bits";
  EXPECT_EQ(error_of("\x12\x80\x80\x80\x80\x10"sv), length);              // a sample
  EXPECT_EQ(error_of("\x0a\x80\x80\x80\x80\x10"sv), length);              // a label
  EXPECT_EQ(error_of("\x0a\x06\x12\x80\x80\x80\x80\x10"sv), length);      // its value
  EXPECT_EQ(error_of("\x1a\x06\x0a\x80\x80\x80\x80\x10"sv), length);      // an exemplar's
  EXPECT_EQ(error_of("\x22\x07\xaa\x06\x80\x80\x80\x80\x10"sv), length);  // in a histogram
  const std::string type = place + "a known field has another wire type";
  EXPECT_EQ(error_of("\x08\x01"sv), type);          // labels
  EXPECT_EQ(error_of("\x10\x01"sv), type);          // samples
  EXPECT_EQ(error_of("\x12\x02\x08\x01"sv), type);  // a sample's value
  EXPECT_EQ(error_of("\x12\x02\x12\x00"sv), type);  // its time
  EXPECT_EQ(error_of("\x1a\x02\x08\x01"sv), type);  // an exemplar's labels
  EXPECT_EQ(error_of("\x0a\x02\x08\x01"sv), type);  // a label's name
  EXPECT_EQ(error_of("\x22\x02\x7a\x00"sv), type);  // a histogram's time
  EXPECT_EQ(error_of("\x12\x02\x18\x01"sv), "");    // 2.0's start, which 1.0 has not
}

TEST(WriteRequest, WhatIsAllUnknownIsNoRequest) {
  Notes notes;
  EXPECT_TRUE(decode_message("", {}, notes));
  // symbols: [""] of 2.0.
  const auto other = decode_message(std::string_view("\x22\x00", 2), {}, notes);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalid);
  EXPECT_NE(other.error().message.find("2.0"), std::string::npos);
}

TEST(WriteRequest, TooManyOrTooLongLabelsAreRefused) {
  std::vector<Label> many;
  for (int i = 0; i < 300; ++i) many.push_back({"l" + std::to_string(i), "v"});
  std::string message;
  append_sample(message, encode_labels(Labels::from(many)), {1, 1});
  Notes notes;
  EXPECT_EQ(decode_message(message, {}, notes).error().code, ErrorCode::kTooLarge);
  std::string wide;
  append_sample(wide, encode_labels(Labels::from({{"a", std::string(70'000, 'x')}})), {1, 1});
  EXPECT_EQ(decode_message(wide, {}, notes).error().code, ErrorCode::kTooLarge);
}

TEST(WriteRequest, EmptyValuesCannotMultiplyMemory) {
  std::string series;
  for (int i = 0; i < 20; ++i) series += std::string("\x12\x00", 2);
  std::string message;
  protozero::pbf_writer(message).add_message(1, series);
  Notes notes;
  EXPECT_TRUE(decode_message(message, {.values_max = 20}, notes));
  EXPECT_EQ(decode_message(message, {.values_max = 19}, notes).error().code, ErrorCode::kTooLarge);
}

// As Prometheus 3 takes them.
TEST(CheckLabels, NamesAreAnyText) {
  for (const char* name : {"a:b", "1a", "http.requests", "with blank", "a-b", "über", "a=b"}) {
    EXPECT_TRUE(check_labels({{"__name__", name}})) << name;
    const std::string label = std::string("b") + name;
    EXPECT_TRUE(check_labels({{"__name__", "up"}, {"a", "x"}, {label, "y"}})) << name;
  }
}

// D12.
TEST(CheckLabels, SaysWhatIsWrong) {
  const auto why = [](const std::vector<LabelView>& labels) {
    const auto result = check_labels(labels);
    return result ? std::string("good") : result.error().message;
  };
  EXPECT_EQ(why({{"__name__", "a:b"}, {"x", "y"}}), "good");
  EXPECT_THAT(why({{"__name__", "a"}, {"x", "y"}, {"x", "z"}}), HasSubstr("twice"));
  EXPECT_THAT(why({{"x", "y"}, {"__name__", "a"}}), HasSubstr("not sorted"));
  EXPECT_THAT(why({{"__name__", "a"}, {"", "y"}}), HasSubstr("not a label name"));
  EXPECT_THAT(why({{"__name__", "a"}, {"a\x80", "y"}}), HasSubstr("not a label name"));
  EXPECT_THAT(why({{"__name__", "a"}, {{"a\0b", 3}, "y"}}), HasSubstr("not a label name"));
  EXPECT_THAT(why({{"__name__", "a"}, {"b", ""}}), HasSubstr("without a value"));
  EXPECT_THAT(why({{"__name__", ""}}), HasSubstr("not a metric name"));
  EXPECT_THAT(why({{"__name__", "\xff"}}), HasSubstr("not a metric name"));
  EXPECT_THAT(why({{"x", "y"}}), HasSubstr("without a metric name"));
}

}  // namespace
}  // namespace vigia::wire::remote_write
