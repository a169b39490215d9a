#include "services/storage/read/remote_read.hpp"

#include <algorithm>
#include <utility>

#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::read {

using wire::remote_read::ChunksResponse;
using wire::remote_read::ChunkView;
using wire::remote_read::ReadRequest;
using wire::remote_read::ResponseType;
using wire::remote_read::SamplesResponse;

namespace {

constexpr std::size_t kBytesPerSample = sizeof(Sample) + 20;  // in memory, and on the wire
// Of samples: made, put together, compressed.
constexpr std::size_t kSamplesCopies = 3;
constexpr std::size_t kPieceBytes = 1U << 20U;
// A text that grows holds up to twice its size.
constexpr std::size_t kGrowth = 2;

std::size_t bytes_of(const std::vector<ChunkView>& chunks) {
  std::size_t bytes = 0;
  for (const ChunkView& chunk : chunks) bytes += sizeof(chunk) + chunk.data.size();
  return bytes;
}

std::vector<ChunkView> views_of(const std::vector<ChunkPiece>& pieces) {
  std::vector<ChunkView> views;
  views.reserve(pieces.size());
  for (const ChunkPiece& piece : pieces) {
    views.push_back({piece.first_ms, piece.last_ms,
                     static_cast<std::uint8_t>(store::Encoding::kFloats), piece.data});
  }
  return views;
}

std::vector<ChunkView> views_of(const std::vector<histograms::WireChunk>& chunks) {
  std::vector<ChunkView> views;
  views.reserve(chunks.size());
  for (const histograms::WireChunk& chunk : chunks) {
    views.push_back(
        {chunk.first_ms, chunk.last_ms, static_cast<std::uint8_t>(chunk.encoding), chunk.data});
  }
  return views;
}

}  // namespace

Result<ReadAnswer> RemoteRead::answer(std::string_view customer, const Fence& fence,
                                      const ReadRequest& request,
                                      const store::WorkLimit& limit) const {
  Making making{limit, {}};
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, customer);
  making.answer.memory = memory;  // shared with whoever sends the pieces
  std::size_t found_bytes = 0;
  {
    const auto queries = find(fence, request, *memory, limit);
    if (!queries) return forward(queries);
    found_bytes = memory->used();
    const bool is_chunks = request.response_type == ResponseType::kStreamedXorChunks;
    making.answer.is_chunks = is_chunks;
    auto made = is_chunks ? make_chunks(*queries, making) : make_samples(*queries, making);
    if (!made) return forward(made);
  }
  memory->release(found_bytes);
  return std::move(making.answer);
}

Result<std::vector<FoundQuery>> RemoteRead::find(const Fence& fence,
                                                             const ReadRequest& request,
                                                             lanes::AnswerMemory& memory,
                                                             const store::WorkLimit& limit) const {
  std::vector<FoundQuery> found;
  std::size_t left = limits_.series_max;
  const TimestampMs kept_from_ms = kept_from_ ? kept_from_(Resolution::kRaw) : INT64_MIN;
  for (wire::remote_read::Query query : request.queries) {
    const auto matchers = store::compile_matchers(query.matchers);
    if (!matchers) return tl::unexpected<Error>(matchers.error());
    query.start_ms = std::max(query.start_ms, kept_from_ms);
    if (query.end_ms < query.start_ms) {  // its answer stands at its place all the same
      found.push_back({std::move(query), kept_from_ms, {}});
      continue;
    }
    const SeriesQuestion question{fence, *matchers, days_between(query.start_ms, query.end_ms),
                                  left};
    auto series = select_series(catalog_, question, memory, limit);
    if (!series) return forward(series);
    left -= series->size();
    found.push_back({std::move(query), kept_from_ms, std::move(*series)});
  }
  return found;
}

Result<void> RemoteRead::make_samples(const std::vector<FoundQuery>& queries,
                                      Making& making) const {
  SamplesResponse response;
  lanes::AnswerMemory& memory = *making.answer.memory;
  std::size_t made = 0;  // as it was added to the memory
  for (const FoundQuery& query : queries) {
    response.begin_query();
    for (QueryReader reader(reader_, query); reader.has_next();) {
      if (auto checked = making.limit.check(); !checked) return checked;
      auto added = add_samples(reader, response, making);
      if (!added && !damage_.takes(added.error())) return added;
      const std::size_t needed = response.bytes() * kSamplesCopies;
      if (auto fits = memory.add(needed - made); !fits) return fits;
      made = needed;
    }
  }
  std::string body = response.finish();
  memory.release(made);
  if (auto fits = memory.add(body.size()); !fits) return fits;
  making.answer.pieces.push_back(std::move(body));
  return {};
}

Result<void> RemoteRead::add_samples(QueryReader& reader, SamplesResponse& response,
                                     Making& making) const {
  const wire::remote_read::Query& query = reader.query();
  lanes::AnswerMemory& memory = *making.answer.memory;
  if (auto ready = reader.prepare(memory); !ready) return ready;
  const lanes::ScratchMemory scratch(memory);
  const auto data = reader.next(memory);
  if (!data) return tl::unexpected<Error>(data.error());
  // Decoded and encoded again: known before it is done.
  auto fits = memory.add(sample_count(data->chunks) * kBytesPerSample);
  if (!fits) return fits;
  const auto samples = samples_of(data->chunks, query.start_ms, query.end_ms);
  if (!samples) return forward(samples);
  std::vector<std::string_view> histograms;
  for (const chunk::HistogramSample& sample : data->histograms) {
    if (histograms::sound_histogram(sample.encoded)) histograms.push_back(sample.encoded);
  }
  damage_.note_histograms(data->histograms.size() - histograms.size());
  if (samples->empty() && histograms.empty()) return {};
  response.add_series(reader.series().labels, *samples, histograms);
  ++making.answer.series;
  return {};
}

Result<void> RemoteRead::make_chunks(const std::vector<FoundQuery>& queries, Making& making) const {
  ChunksResponse response;
  const auto take_piece = [&] {
    std::string piece = response.take();
    piece.shrink_to_fit();
    making.answer.pieces.push_back(std::move(piece));
  };
  for (std::size_t i = 0; i < queries.size(); ++i) {
    for (QueryReader reader(reader_, queries[i]); reader.has_next();) {
      if (auto checked = making.limit.check(); !checked) return checked;
      const std::size_t before = response.bytes();
      const auto added = add_chunks(reader, i, response, making);
      if (!added && !damage_.takes(added.error())) return forward(added);
      if (!added || !*added) continue;
      ++making.answer.series;
      if (auto fits = making.answer.memory->add(response.bytes() - before); !fits) return fits;
      if (response.bytes() >= kPieceBytes) take_piece();
    }
  }
  if (response.bytes() > 0) take_piece();
  return {};
}

// False where the series has nothing in the range.
Result<bool> RemoteRead::add_chunks(QueryReader& reader, std::size_t query_index,
                                    ChunksResponse& response, Making& making) const {
  const wire::remote_read::Query& query = reader.query();
  lanes::AnswerMemory& memory = *making.answer.memory;
  if (auto ready = reader.prepare(memory); !ready) return forward(ready);
  const lanes::ScratchMemory scratch(memory);
  const auto data = reader.next(memory);
  if (!data) return tl::unexpected<Error>(data.error());
  if (data->is_empty()) return false;
  std::vector<histograms::WireChunk> mixed;
  std::vector<ChunkView> views;
  if (data->histograms.empty()) {
    views = views_of(data->chunks);
  } else {
    if (auto fits = memory.add(sample_count(data->chunks) * kBytesPerSample); !fits) {
      return forward(fits);
    }
    auto made = with_histograms(*data, query);
    if (!made) return forward(made);
    mixed = std::move(*made);
    views = views_of(mixed);
  }
  if (views.empty()) return false;
  // The frame and the piece, while they grow.
  const std::size_t frames = kGrowth * (bytes_of(views) + memory_bytes(reader.series()));
  if (auto fits = memory.add(frames); !fits) return forward(fits);
  response.add_series(query_index, reader.series().labels, views);
  return true;
}

Result<std::vector<histograms::WireChunk>> RemoteRead::with_histograms(
    const SeriesData& data, const wire::remote_read::Query& query) const {
  const auto floats = samples_of(data.chunks, query.start_ms, query.end_ms);
  if (!floats) return forward(floats);
  std::uint64_t damaged = 0;
  auto chunks = histograms::wire_chunks(*floats, data.histograms, damaged);
  damage_.note_histograms(damaged);
  return chunks;
}

}  // namespace vigia::storage::read
