// Chunks as Prometheus itself packs them (tests/golden/chunk/README.md says how they were taken).
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <protozero/pbf_reader.hpp>

#include "libs/base/hex.hpp"
#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/histograms/histogram_writer.hpp"
#include "services/storage/histograms/testing/random_histograms.hpp"

namespace vigia::storage::histograms {
namespace {

using testing::is_same;
using testing::Timed;

struct GoldenChunk {
  bool is_float = false;
  std::string bytes;
  std::size_t samples() const { return HistogramReader(is_float, bytes).samples(); }
};
struct GoldenSeries {
  std::string name;
  std::vector<Timed> histograms;
  std::vector<GoldenChunk> chunks;
};

TimestampMs time_of(const std::string& message) {
  protozero::pbf_reader reader(message);
  return reader.next(15) ? reader.get_int64() : 0;
}

std::vector<GoldenSeries> load() {
  std::ifstream file("tests/golden/chunk/histograms-prometheus-3.5.txt");
  std::vector<GoldenSeries> all;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "series") {
      all.emplace_back().name = line.substr(word.size() + 1);
    } else if (word == "histogram") {
      words >> word;
      const std::string message = from_hex(word).value();
      all.back().histograms.push_back({time_of(message), sound_histogram(message).value()});
    } else if (word == "chunk") {
      GoldenChunk chunk;
      words >> word;
      chunk.is_float = word == "3";
      words >> word;
      chunk.bytes = from_hex(word).value();
      all.back().chunks.push_back(chunk);
    }
  }
  return all;
}

// Chunks of ours, each as long as Prometheus' own of this place.
std::vector<GoldenChunk> pack_like(const GoldenSeries& series) {
  std::vector<GoldenChunk> chunks;
  HistogramWriter writer;
  const auto take = [&] { chunks.push_back({writer.is_float(), writer.take()}); };
  for (const Timed& one : series.histograms) {
    if (writer.samples() > 0 && writer.is_float() != one.histogram.is_float) {
      take();
      writer.forget();
    }
    const bool is_full = writer.samples() > 0 && chunks.size() < series.chunks.size() &&
                         writer.samples() == series.chunks[chunks.size()].samples();
    HistogramWriter tried = writer;
    const bool is_taken = tried.append(one.time_ms, one.histogram);
    if (is_taken && !is_full) {
      writer = std::move(tried);
      continue;
    }
    if (!is_taken) writer = std::move(tried);  // what was refused says so in the next chunk
    take();
    EXPECT_TRUE(writer.append(one.time_ms, one.histogram));
  }
  take();
  return chunks;
}

TEST(HistogramGoldenTest, WritesTheBytesThatPrometheusWrites) {
  const auto goldens = load();
  ASSERT_GE(goldens.size(), 35U);
  for (const GoldenSeries& series : goldens) {
    const auto chunks = pack_like(series);
    ASSERT_EQ(chunks.size(), series.chunks.size()) << series.name;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      EXPECT_EQ(chunks[i].is_float, series.chunks[i].is_float) << series.name << i;
      EXPECT_EQ(to_hex(chunks[i].bytes), to_hex(series.chunks[i].bytes)) << series.name << i;
    }
  }
}

// But where those that it leaves out are fewer zeros than fill a byte: one more of the same.
TEST(HistogramGoldenTest, ACountThatSaysTooLittleIsFound) {
  std::size_t found = 0;
  for (const GoldenSeries& series : load()) {
    for (GoldenChunk chunk : series.chunks) {
      const std::size_t samples = chunk.samples();
      const auto whole = unpack_histograms(chunk.is_float, chunk.bytes);
      ASSERT_TRUE(whole.has_value()) << series.name;
      for (std::size_t count = 0; count < samples; ++count) {
        chunk.bytes[0] = static_cast<char>(count >> 8U);
        chunk.bytes[1] = static_cast<char>(count & 0xffU);
        const auto less = unpack_histograms(chunk.is_float, chunk.bytes);
        found += less.has_value() ? 0 : 1;
        EXPECT_TRUE(!less || count + 1 == samples) << series.name << ": " << count;
      }
    }
  }
  EXPECT_GT(found, 500U);
}

TEST(HistogramGoldenTest, ReadsTheBytesThatPrometheusWrites) {
  std::size_t read = 0;
  for (const GoldenSeries& series : load()) {
    auto next = series.histograms.begin();
    for (const GoldenChunk& chunk : series.chunks) {
      HistogramReader reader(chunk.is_float, chunk.bytes);
      NativeHistogram histogram;
      for (TimestampMs time_ms = 0; reader.next(time_ms, histogram); ++next, ++read) {
        ASSERT_NE(next, series.histograms.end()) << series.name;
        EXPECT_EQ(time_ms, next->time_ms) << series.name;
        EXPECT_TRUE(is_same(histogram, next->histogram)) << series.name << ' ' << time_ms;
        const bool is_gauge = next->histogram.reset_hint == ResetHint::kGauge;
        EXPECT_TRUE(histogram.is_stale() || is_gauge == (histogram.reset_hint == ResetHint::kGauge))
            << series.name;
      }
      EXPECT_FALSE(reader.is_damaged()) << series.name;
    }
    EXPECT_EQ(next, series.histograms.end()) << series.name;
  }
  EXPECT_GT(read, 500U);
}

}  // namespace
}  // namespace vigia::storage::histograms
