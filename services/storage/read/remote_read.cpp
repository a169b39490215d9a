#include "services/storage/read/remote_read.hpp"

#include <fmt/format.h>

#include "libs/wire/remote_read/read_response.hpp"

namespace vigia::storage {

using wire::remote_read::ChunksResponse;
using wire::remote_read::ChunkView;
using wire::remote_read::ReadRequest;
using wire::remote_read::ResponseType;
using wire::remote_read::SamplesResponse;

Result<ReadAnswer> RemoteRead::answer(const Fence& fence, const ReadRequest& request) const {
  const TimePoint deadline = clock_.steady() + limits_.time_max;
  const auto queries = find(fence, request);
  if (!queries) return tl::unexpected<Error>(queries.error());
  if (request.response_type == ResponseType::kStreamedXorChunks) {
    bool has_histograms = false;
    auto answer = in_chunks(*queries, deadline, has_histograms);
    if (!has_histograms) return answer;
  }
  return in_samples(*queries, deadline);
}

Result<std::vector<RemoteRead::FoundQuery>> RemoteRead::find(const Fence& fence,
                                                             const ReadRequest& request) const {
  std::vector<FoundQuery> found;
  std::size_t left = limits_.series_max;
  for (const wire::remote_read::Query& query : request.queries) {
    const auto matchers = compile_matchers(query.matchers);
    if (!matchers) return tl::unexpected<Error>(matchers.error());
    auto series = select_series(index_, fence, *matchers, left);
    if (!series) return forward(series);
    left -= series->size();
    found.push_back({query, std::move(*series)});
  }
  return found;
}

Result<void> RemoteRead::check(std::size_t bytes, TimePoint deadline) const {
  if (bytes > limits_.response_bytes_max) {
    return fail(ErrorCode::kOverLimit, fmt::format("remote read: the answer passes {} MiB",
                                                   limits_.response_bytes_max >> 20U));
  }
  if (clock_.steady() > deadline) {
    return fail(ErrorCode::kDeadline, "remote read: the answer takes too long");
  }
  return {};
}

Result<ReadAnswer> RemoteRead::in_samples(const std::vector<FoundQuery>& queries,
                                          TimePoint deadline) const {
  SamplesResponse response;
  ReadAnswer answer;
  for (const auto& [query, found] : queries) {
    response.begin_query();
    for (const SelectedSeries& series : found) {
      if (auto checked = check(response.bytes(), deadline); !checked) return forward(checked);
      const auto data = reader_.read(series.customer, series.id, query.start_ms, query.end_ms);
      if (!data) return tl::unexpected<Error>(data.error());
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

Result<ReadAnswer> RemoteRead::in_chunks(const std::vector<FoundQuery>& queries, TimePoint deadline,
                                         bool& has_histograms) const {
  ChunksResponse response;
  ReadAnswer answer;
  answer.is_chunks = true;
  std::vector<ChunkView> chunks;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const auto& [query, found] = queries[i];
    for (const SelectedSeries& series : found) {
      if (auto checked = check(response.bytes(), deadline); !checked) return forward(checked);
      const auto data = reader_.read(series.customer, series.id, query.start_ms, query.end_ms);
      if (!data) return tl::unexpected<Error>(data.error());
      if (!data->histograms.empty()) {
        has_histograms = true;
        return answer;
      }
      if (data->is_empty()) continue;
      chunks.clear();
      for (const ChunkPiece& piece : data->chunks) {
        chunks.push_back({piece.first_ms, piece.last_ms,
                          static_cast<std::uint8_t>(Encoding::kFloats), piece.data});
      }
      response.add_series(i, series.labels, chunks);
      ++answer.series;
    }
  }
  answer.body = response.take();
  return answer;
}

}  // namespace vigia::storage
