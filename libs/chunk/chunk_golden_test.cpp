// Chunks as Prometheus itself packs them (tests/golden/chunk/README.md says how they were taken).
#include <bit>
#include <charconv>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"

namespace vigia::chunk {
namespace {

struct Golden {
  std::string series;
  std::vector<Sample> samples;
  std::string chunk;
};

// "1764000000000:3ff0000000000000", the value's bits in hex.
Sample parse_sample(const std::string& text) {
  const std::size_t colon = text.find(':');
  Sample sample;
  std::from_chars(text.data(), text.data() + colon, sample.timestamp_ms);
  std::uint64_t bits = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), bits, 16);
  sample.value = std::bit_cast<double>(bits);
  return sample;
}

std::vector<Golden> load(const std::string& path) {
  std::ifstream file(path);
  std::vector<Golden> goldens;
  Golden golden;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "series") words >> golden.series;
    if (word == "samples") {
      golden.samples.clear();
      while (words >> word) golden.samples.push_back(parse_sample(word));
    } else if (word == "chunk") {
      words >> word;
      golden.chunk = from_hex(word).value();
      goldens.push_back(golden);
    }
  }
  return goldens;
}

class ChunkGoldenTest : public testing::TestWithParam<const char*> {};

TEST_P(ChunkGoldenTest, WritesTheBytesThatPrometheusWrites) {
  const auto goldens = load(GetParam());
  ASSERT_GE(goldens.size(), 7U);
  for (const Golden& golden : goldens) {
    ChunkWriter writer;
    for (const Sample& sample : golden.samples) writer.append(sample);
    EXPECT_EQ(to_hex(writer.bytes()), to_hex(golden.chunk)) << golden.series;
  }
}

TEST_P(ChunkGoldenTest, ReadsTheBytesThatPrometheusWrites) {
  for (const Golden& golden : load(GetParam())) {
    const auto read = read_samples(golden.chunk);
    ASSERT_TRUE(read.has_value()) << golden.series;
    ASSERT_EQ(read->size(), golden.samples.size()) << golden.series;
    for (std::size_t i = 0; i < read->size(); ++i) {
      EXPECT_EQ((*read)[i].timestamp_ms, golden.samples[i].timestamp_ms) << golden.series << i;
      EXPECT_TRUE(is_same_value((*read)[i].value, golden.samples[i].value)) << golden.series << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Prometheus, ChunkGoldenTest,
                         testing::Values("tests/golden/chunk/prometheus-2.42.txt",
                                         "tests/golden/chunk/prometheus-3.5.txt"));

}  // namespace
}  // namespace vigia::chunk
