#include "libs/wire/remote_read/read_response.hpp"

#include <protozero/pbf_writer.hpp>
#include <snappy.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"

namespace vigia::wire::remote_read {
namespace {

constexpr std::size_t kFrameKeptBytes = 1U << 20U;

enum ResponseField : protozero::pbf_tag_type { kResults = 1 };
enum ResultField : protozero::pbf_tag_type { kTimeSeries = 1 };
enum SeriesField : protozero::pbf_tag_type { kLabels = 1, kSamples = 2, kHistograms = 4 };
enum LabelField : protozero::pbf_tag_type { kLabelName = 1, kLabelValue = 2 };
enum SampleField : protozero::pbf_tag_type { kValue = 1, kTimestamp = 2 };
enum StreamField : protozero::pbf_tag_type { kChunkedSeries = 1, kQueryIndex = 2 };
enum ChunkedField : protozero::pbf_tag_type { kChunks = 2 };
enum ChunkField : protozero::pbf_tag_type { kMin = 1, kMax = 2, kType = 3, kData = 4 };

void add_labels(protozero::pbf_writer& series, const Labels& labels) {
  for (const Label& label : labels) {
    protozero::pbf_writer message(series, kLabels);
    message.add_string(kLabelName, label.name);
    message.add_string(kLabelValue, label.value);
  }
}

void add_chunk(protozero::pbf_writer& series, const ChunkView& chunk) {
  protozero::pbf_writer message(series, kChunks);
  message.add_int64(kMin, chunk.min_ms);
  message.add_int64(kMax, chunk.max_ms);
  message.add_enum(kType, chunk.encoding);
  message.add_bytes(kData, chunk.data.data(), chunk.data.size());
}

}  // namespace

void SamplesResponse::begin_query() {
  end_query();
  has_query_ = true;
}

void SamplesResponse::end_query() {
  if (!has_query_) return;
  // One result a query, in their order, and an empty one where nothing was found: Prometheus
  // matches results to queries by their place alone.
  protozero::pbf_writer(response_).add_message(kResults, result_);
  result_.clear();
  has_query_ = false;
}

void SamplesResponse::add_series(const Labels& labels, const std::vector<Sample>& samples,
                                 const std::vector<std::string_view>& histograms) {
  protozero::pbf_writer result(result_);
  protozero::pbf_writer series(result, kTimeSeries);
  add_labels(series, labels);
  for (const Sample& sample : samples) {
    protozero::pbf_writer message(series, kSamples);
    message.add_double(kValue, sample.value);
    message.add_int64(kTimestamp, sample.timestamp_ms);
  }
  for (const std::string_view histogram : histograms) {
    series.add_message(kHistograms, histogram.data(), histogram.size());
  }
}

std::string SamplesResponse::finish() {
  end_query();
  std::string body;
  snappy::Compress(response_.data(), response_.size(), &body);
  return body;
}

void ChunksResponse::add_series(std::uint64_t query_index, const Labels& labels,
                                const std::vector<ChunkView>& chunks) {
  std::size_t next = 0;
  do {  // a series without chunks is sent too, once
    {
      protozero::pbf_writer frame(frame_);
      protozero::pbf_writer series(frame, kChunkedSeries);
      add_labels(series, labels);
      for (std::size_t bytes = 0; next < chunks.size() && bytes < kFrameBytes; ++next) {
        add_chunk(series, chunks[next]);
        bytes += chunks[next].data.size();
      }
    }
    close_frame(query_index);
  } while (next < chunks.size());
}

void ChunksResponse::close_frame(std::uint64_t query_index) {
  if (query_index != 0) {
    protozero::pbf_writer(frame_).add_int64(kQueryIndex, static_cast<std::int64_t>(query_index));
  }
  append_varint(stream_, frame_.size());
  const std::uint32_t sum = crc32c(frame_);
  // Big-endian, as Prometheus' ChunkedWriter has it.
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    stream_.push_back(static_cast<char>((sum >> shift) & 0xffU));
  }
  stream_ += frame_;
  if (frame_.capacity() > kFrameKeptBytes) {
    frame_ = std::string();  // of a large series: it would be held until the last one
  } else {
    frame_.clear();
  }
}

}  // namespace vigia::wire::remote_read
