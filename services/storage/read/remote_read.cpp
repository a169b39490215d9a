#include "services/storage/read/remote_read.hpp"

#include <fmt/format.h>

#include "libs/wire/remote_read/read_response.hpp"

namespace vigia::storage {

using wire::remote_read::ChunksResponse;
using wire::remote_read::ChunkView;
using wire::remote_read::ReadRequest;
using wire::remote_read::ResponseType;
using wire::remote_read::SamplesResponse;

namespace {

constexpr std::size_t kBytesPerSample = sizeof(Sample) + 20;  // in memory, and on the wire

}  // namespace

Result<ReadAnswer> RemoteRead::answer(std::string_view customer, const Fence& fence,
                                      const ReadRequest& request) const {
  const TimePoint deadline = clock_.steady() + limits_.time_max;
  const auto queries = find(fence, request);
  if (!queries) return tl::unexpected<Error>(queries.error());
  HeldShare memory(answers_, customer);
  Bounds bounds{deadline, memory, 0};
  for (const FoundQuery& query : *queries) {
    for (const SelectedSeries& series : query.series) bounds.found_bytes += memory_bytes(series);
  }
  if (request.response_type == ResponseType::kStreamedXorChunks) {
    return in_chunks(*queries, bounds);
  }
  return in_samples(*queries, bounds);
}

Result<std::vector<RemoteRead::FoundQuery>> RemoteRead::find(const Fence& fence,
                                                             const ReadRequest& request) const {
  std::vector<FoundQuery> found;
  std::size_t left = limits_.series_max;
  for (const wire::remote_read::Query& query : request.queries) {
    const auto matchers = compile_matchers(query.matchers);
    if (!matchers) return tl::unexpected<Error>(matchers.error());
    auto series =
        select_series(index_, fence, *matchers, days_between(query.start_ms, query.end_ms), left);
    if (!series) return forward(series);
    left -= series->size();
    found.push_back({query, std::move(*series)});
  }
  return found;
}

Result<void> RemoteRead::check(std::size_t bytes, const Bounds& bounds) const {
  if (bytes > limits_.response_bytes_max) {
    return fail(ErrorCode::kOverLimit, fmt::format("remote read: the answer passes {} MiB",
                                                   limits_.response_bytes_max >> 20U));
  }
  if (clock_.steady() > bounds.deadline) {
    return fail(ErrorCode::kDeadline, "remote read: the answer takes too long");
  }
  return bounds.memory.grow_to(bounds.found_bytes + bytes);
}

Result<ReadAnswer> RemoteRead::in_samples(const std::vector<FoundQuery>& queries,
                                          const Bounds& bounds) const {
  SamplesResponse response;
  ReadAnswer answer;
  for (const auto& [query, found] : queries) {
    response.begin_query();
    for (const SelectedSeries& series : found) {
      if (auto checked = check(response.bytes(), bounds); !checked) return forward(checked);
      const auto data = reader_.read(series.customer, series.id, query.start_ms, query.end_ms);
      if (!data) return tl::unexpected<Error>(data.error());
      // Decoded and encoded again: known before it is done.
      const std::size_t decoded = sample_count(data->chunks) * kBytesPerSample;
      if (auto checked = check(response.bytes() + decoded, bounds); !checked) {
        return forward(checked);
      }
      const auto samples = samples_of(data->chunks, query.start_ms, query.end_ms);
      if (!samples) return tl::unexpected<Error>(samples.error());
      if (samples->empty() && data->histograms.empty()) continue;
      std::vector<std::string_view> histograms;
      for (const HistogramSample& sample : data->histograms) histograms.push_back(sample.encoded);
      response.add_series(series.labels, *samples, histograms);
      ++answer.series;
    }
  }
  answer.body = response.finish();
  return answer;
}

Result<ReadAnswer> RemoteRead::in_chunks(const std::vector<FoundQuery>& queries,
                                         const Bounds& bounds) const {
  ChunksResponse response;
  ReadAnswer answer;
  answer.is_chunks = true;
  std::vector<ChunkView> views;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const auto& [query, found] = queries[i];
    for (const SelectedSeries& series : found) {
      if (auto checked = check(response.bytes(), bounds); !checked) return forward(checked);
      const auto data = reader_.read(series.customer, series.id, query.start_ms, query.end_ms);
      if (!data) return tl::unexpected<Error>(data.error());
      views.clear();
      std::vector<WireChunk> mixed;
      if (data->histograms.empty()) {
        for (const ChunkPiece& piece : data->chunks) {
          views.push_back({piece.first_ms, piece.last_ms,
                           static_cast<std::uint8_t>(Encoding::kFloats), piece.data});
        }
      } else {
        auto made = with_histograms(*data, query);
        if (!made) return forward(made);
        mixed = std::move(*made);
        for (const WireChunk& chunk : mixed) {
          views.push_back({chunk.first_ms, chunk.last_ms, static_cast<std::uint8_t>(chunk.encoding),
                           chunk.data});
        }
      }
      if (views.empty()) continue;
      response.add_series(i, series.labels, views);
      ++answer.series;
    }
  }
  answer.body = response.take();
  return answer;
}

Result<std::vector<WireChunk>> RemoteRead::with_histograms(
    const SeriesData& data, const wire::remote_read::Query& query) const {
  const auto floats = samples_of(data.chunks, query.start_ms, query.end_ms);
  if (!floats) return tl::unexpected<Error>(floats.error());
  std::uint64_t damaged = 0;
  auto chunks = wire_chunks(*floats, data.histograms, damaged);
  damaged_histograms_ += damaged;
  return chunks;
}

}  // namespace vigia::storage
