// A request that is read as it is unpacked is the same as one that lies there whole.
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/testing/dose.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::wire::remote_write {
namespace {

using protozero::pbf_writer;
using ::testing::HasSubstr;

std::string text_of(const std::vector<LabelView>& labels) {
  std::string text;
  for (const LabelView& label : labels) {
    text += std::string(label.name) + "=";
    text += std::string(label.value) + ",";
  }
  return text;
}

/// All that it is told, as text.
class Told final : public WriteVisitor {
 public:
  void on_series(const SeriesView& series) override { note("series", series); }
  void on_bad_series(const SeriesView& series, std::string_view why) override { note(why, series); }
  void on_metadata(const MetadataView& metadata) override { note(metadata); }
  std::vector<std::string> lines;

 private:
  // Of a text that is longer than a piece the beginning is given, of a quarter of it at least.
  void note(const MetadataView& metadata) {
    std::string line = std::to_string(metadata.type);
    for (const std::string_view text : {metadata.family, metadata.help, metadata.unit})
      line += "|" + std::string(text.substr(0, 16));
    lines.push_back(std::move(line));
  }
  void note(std::string_view what, const SeriesView& series) {
    std::string line = std::string(what) + text_of(series.labels) + std::string(series.label_bytes);
    for (std::size_t i = 0; i < series.samples.size(); ++i)
      line += " " + std::to_string(series.samples[i].timestamp_ms) + "=" +
              std::to_string(series.samples[i].value) + "@" +
              std::to_string(i < series.starts_ms.size() ? series.starts_ms[i] : -1);
    for (const ExemplarView& exemplar : series.exemplars)
      line += " #" + text_of(exemplar.labels) + std::to_string(exemplar.sample.timestamp_ms);
    for (const HistogramView& histogram : series.histograms)
      line += " H" + std::to_string(histogram.timestamp_ms) + std::string(histogram.bytes) +
              std::to_string(histogram.left_out);
    lines.push_back(std::move(line));
    note(series.metadata);
  }
};

/// Messages of any fields in any order, most of them sound.
class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  std::string message(bool is_2) {
    std::string out;
    pbf_writer writer(out);
    if (is_2 && below(4) > 0) add_symbols(writer);
    for (std::size_t i = 0, count = below(6); i < count; ++i) {
      if (below(12) == 0) writer.add_string(9, text());  // of a newer sender
      if (!is_2 && below(4) == 0) writer.add_message(3, metadata());
      writer.add_message(is_2 ? 5 : 1, series(is_2));
    }
    if (is_2 && below(3) == 0) add_symbols(writer);
    if (below(8) == 0 && !out.empty()) out[below(out.size())] = static_cast<char>(random_());
    if (below(12) == 0) out.resize(below(out.size() + 1));
    return out;
  }

 private:
  std::size_t below(std::size_t count) { return random_() % count; }
  std::string text() {
    return std::string(below(10) == 0 ? below(3000) : below(20),
                       static_cast<char>('a' + below(26)));
  }
  void add_symbols(pbf_writer& writer) {
    writer.add_string(4, below(30) == 0 ? "x" : "");
    for (int i = 0; i < 12; ++i) writer.add_string(4, text());
  }
  std::string label() {
    std::string out;
    pbf_writer writer(out);
    writer.add_string(1, text());
    writer.add_string(2, text());
    return out;
  }
  void add_labels(pbf_writer& writer, bool is_2) {
    if (is_2) {
      std::vector<std::uint32_t> references;
      for (std::size_t i = 0, count = below(30) == 0 ? 3 : 2 * below(4); i < count; ++i)
        references.push_back(static_cast<std::uint32_t>(below(60) == 0 ? 99 : below(13)));
      writer.add_packed_uint32(1, references.begin(), references.end());
      return;
    }
    for (std::size_t i = 0, count = below(4); i < count; ++i) writer.add_message(1, label());
  }
  std::string value(bool is_2, bool is_exemplar) {
    std::string out;
    pbf_writer writer(out);
    if (is_exemplar) add_labels(writer, is_2);
    const unsigned value_number = is_exemplar ? 2 : 1;
    if (below(2) == 0) writer.add_double(value_number, static_cast<double>(below(100)));
    if (below(8) > 0) writer.add_int64(value_number + 1, static_cast<std::int64_t>(below(1000)));
    if (is_2 && !is_exemplar && below(3) == 0) writer.add_int64(3, 5);
    return out;
  }
  std::string histogram() {
    std::string out;
    pbf_writer writer(out);
    writer.add_string(11, text());
    writer.add_int64(15, static_cast<std::int64_t>(below(1000)));
    if (below(2) == 0) writer.add_int64(17, 3);
    return out;
  }
  std::string metadata() {
    std::string out;
    pbf_writer writer(out);
    writer.add_enum(1, static_cast<std::int32_t>(below(9)));
    writer.add_string(2, text());
    writer.add_string(4, text());
    writer.add_string(5, text());
    return out;
  }
  std::string metadata_2() {
    std::string out;
    pbf_writer writer(out);
    writer.add_enum(1, static_cast<std::int32_t>(below(9)));
    writer.add_uint32(3, static_cast<std::uint32_t>(below(13)));
    writer.add_uint32(4, static_cast<std::uint32_t>(below(13)));
    return out;
  }
  std::string series(bool is_2) {
    std::string out;
    pbf_writer writer(out);
    if (below(5) > 0) add_labels(writer, is_2);
    const bool has_samples = below(3) > 0;
    for (std::size_t i = 0, count = below(3) == 0 ? below(400) : below(5); i < count; ++i) {
      if (below(20) == 0) add_labels(writer, is_2);
      if (has_samples)
        writer.add_message(2, value(is_2, false));
      else
        writer.add_message(is_2 ? 3 : 4, histogram());
      if (below(6) == 0) writer.add_message(is_2 ? 4 : 3, value(is_2, true));
    }
    if (is_2 && below(2) == 0) writer.add_message(5, metadata_2());
    if (is_2 && below(2) == 0) writer.add_int64(6, 7);
    if (below(30) == 0) writer.add_string(is_2 ? 16 : 9, text());
    return out;
  }

  std::mt19937 random_;
};

Result<void> read(const std::string& bytes, bool is_2, bool is_block, const DecodeLimits& limits,
                  WriteVisitor& visitor) {
  const SymbolLimits symbols{.label_bytes_max = 20'000};
  if (is_block)
    return is_2 ? decode_request_2(bytes, limits, symbols, visitor)
                : decode_request(bytes, limits, visitor);
  return is_2 ? decode_message_2(bytes, limits, symbols, visitor)
              : decode_message(bytes, limits, visitor);
}

TEST(WriteRequestPieces, WhatIsReadInPiecesIsWhatIsReadWhole) {
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < dose(6000, 200'000); ++round) {
    Maker maker(static_cast<unsigned>(round));
    const bool is_2 = round % 2 == 1;
    const std::string message = maker.message(is_2);
    DecodeLimits limits;
    limits.piece_bytes = std::size_t{64} << static_cast<unsigned>(round % 6);
    limits.histogram_bytes_max = 200;
    limits.values_max = 500;
    Told whole;
    Told pieces;
    const auto at_once = read(message, is_2, false, limits, whole);
    const auto in_turn = read(compress_request(message), is_2, true, limits, pieces);
    if (in_turn) {
      ASSERT_TRUE(at_once) << "round " << round << ": " << at_once.error().message;
      ASSERT_TRUE(pieces.lines == whole.lines) << "round " << round;
      ++taken;
    } else {
      ++refused;
      // What is longer than a piece may be more than it looks at.
      ASSERT_TRUE(!at_once || in_turn.error().code == ErrorCode::kTooLarge)
          << "round " << round << ": " << in_turn.error().message;
    }
  }
  EXPECT_GT(taken, 1000);
  EXPECT_GT(refused, 300);
}

std::string sized(unsigned number, const std::string& content) {
  std::string out;
  pbf_writer(out).add_message(number, content);
  return out;
}

/// The most that was held at a time.
std::size_t held_by(const std::string& message, bool is_2, ErrorCode code) {
  std::size_t most = 0;
  DecodeLimits limits;
  limits.values_max = 100'000;
  limits.labels_max = 16'384;
  limits.label_bytes_max = 4U << 20U;
  limits.may_hold = [&most](std::size_t bytes) {
    most = bytes;
    return true;
  };
  Told told;
  const auto result = read(compress_request(message), is_2, true, limits, told);
  if (result) return SIZE_MAX;
  EXPECT_EQ(result.error().code, code) << result.error().message;
  return most;
}

// Each of 15 MiB and less than a MiB sent; what is refused was never there.
TEST(WriteRequestPieces, ABombIsRefusedBeforeItIsThere) {
  constexpr std::size_t kBytes = 15U << 20U;
  constexpr std::size_t kHeldMax = 4U << 20U;
  std::string samples;
  while (samples.size() < kBytes) samples += std::string_view("\x12\x00", 2);
  EXPECT_LE(held_by(sized(1, samples), false, ErrorCode::kTooLarge), kHeldMax);
  EXPECT_LE(held_by(sized(4, "") + sized(5, samples), true, ErrorCode::kTooLarge), kHeldMax);

  std::string labels;
  for (int i = 0; i < 16'000; ++i) labels += std::string_view("\x0a\x00", 2);
  std::string exemplars;
  while (exemplars.size() < kBytes) exemplars += sized(3, labels);
  EXPECT_LE(held_by(sized(1, exemplars), false, ErrorCode::kTooLarge), kHeldMax);

  EXPECT_LE(held_by(sized(1, sized(2, std::string(kBytes, 'x'))), false, ErrorCode::kTooLarge),
            kHeldMax);
  EXPECT_LE(held_by(sized(1, sized(3, std::string(kBytes, 'x'))), false, ErrorCode::kTooLarge),
            kHeldMax);
  EXPECT_LE(held_by(sized(9, std::string(kBytes, 'x')), false, ErrorCode::kInvalid), kHeldMax);
  std::string symbols;
  while (symbols.size() < kBytes) symbols += std::string_view("\x22\x00", 2);
  EXPECT_LE(held_by(symbols, true, ErrorCode::kTooLarge), 8U << 20U);
}

// A histogram of 10 MiB is passed over, and what stands around it is there.
TEST(WriteRequestPieces, AHistogramThatIsTooLongIsGivenWithoutItsBytes) {
  std::string histogram;
  pbf_writer writer(histogram);
  writer.add_string(11, std::string(10U << 20U, 'x'));
  writer.add_int64(15, 77);
  std::string short_one;
  pbf_writer(short_one).add_int64(15, 78);
  std::size_t most = 0;
  DecodeLimits limits;
  limits.may_hold = [&most](std::size_t bytes) {
    most = bytes;
    return true;
  };
  Told told;
  const auto result = decode_request(
      compress_request(sized(1, sized(4, histogram) + sized(4, short_one))), limits, told);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(told.lines.at(0), HasSubstr(" H77" + std::to_string(histogram.size()) + " H78"));
  EXPECT_LE(most, 1U << 20U);
}

TEST(WriteRequestPieces, WhatIsNotToBeHeldIsOverItsLimit) {
  std::string message;
  for (int i = 0; i < 200'000; ++i) message += sized(1, sized(2, ""));
  DecodeLimits limits;
  limits.may_hold = [](std::size_t bytes) { return bytes < 1000; };
  Told told;
  const auto result = decode_request(compress_request(message), limits, told);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(told.lines.empty());
}

}  // namespace
}  // namespace vigia::wire::remote_write
