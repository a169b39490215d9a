#include "services/storage/read/chunk_stream.hpp"

#include <utility>

namespace vigia::storage::read {

using wire::remote_read::ChunkView;

namespace {

constexpr std::size_t kPieceBytes = 256U << 10U;
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

ChunkStream::ChunkStream(std::shared_ptr<RequestReaders> readers, ReadDamage& damage,
                         std::vector<FoundQuery> queries,
                         std::shared_ptr<lanes::AnswerMemory> memory,
                         std::shared_ptr<const store::WorkLimit> limit)
    : memory_(std::move(memory)),
      readers_(std::move(readers)),
      damage_(damage),
      queries_(std::move(queries)),
      limit_(std::move(limit)) {
  memory_->limit_to(memory_->used() + kBytesMax);
}

Result<std::optional<std::string>> ChunkStream::next(
    std::chrono::steady_clock::time_point turn_end) {
  while (query_ < queries_.size()) {
    if (!query_reader_) query_reader_.emplace(*readers_, queries_[query_], first_series_);
    while (query_reader_->has_next()) {
      if (auto added = add_next(); !added) return forward(added);
      if (response_.bytes() >= kPieceBytes) return take_piece();
      // After one series at least, so that each turn brings it on.
      if (std::chrono::steady_clock::now() >= turn_end) return std::nullopt;
    }
    query_reader_.reset();
    first_series_ = 0;
    ++query_;
  }
  return take_piece();
}

void ChunkStream::pause() {
  if (!query_reader_) return;
  first_series_ = query_reader_->place();
  query_reader_.reset();
}

std::string ChunkStream::take_piece() { return response_.take(); }

Result<void> ChunkStream::add_next() {
  if (auto checked = limit_->check(); !checked) return checked;
  const std::size_t before = response_.bytes();
  const auto added = add_series(*memory_);
  if (!added && !damage_.takes(added.error())) return forward(added);
  return memory_->add(response_.bytes() - before);
}

// The series had samples on a day of the range: more is not asked for, and no chunk is touched.
Result<bool> ChunkStream::add_labels(lanes::AnswerMemory& memory) {
  query_reader_->pass();
  const lanes::ScratchMemory scratch(memory);
  const SelectedSeries& series = query_reader_->series();
  if (auto fits = memory.add(kGrowth * memory_bytes(series)); !fits) return forward(fits);
  response_.add_series(query_, series.labels, {});
  return true;
}

// False where the series has nothing in the range.
Result<bool> ChunkStream::add_series(lanes::AnswerMemory& memory) {
  if (query_reader_->query().wants_labels_alone) return add_labels(memory);
  if (auto ready = query_reader_->prepare(memory); !ready) return forward(ready);
  const lanes::ScratchMemory scratch(memory);
  const auto data = query_reader_->next(memory);
  if (!data) return tl::unexpected<Error>(data.error());
  damage_.note_rows(data->unreadable_rows);
  if (data->is_empty()) return false;
  std::vector<histograms::WireChunk> mixed;
  std::vector<ChunkView> views;
  if (data->histograms.empty()) {
    views = views_of(data->chunks);
  } else {
    if (auto fits = memory.add(sample_count(data->chunks) * kBytesPerSample); !fits) {
      return forward(fits);
    }
    auto made = with_histograms(*data);
    if (!made) return forward(made);
    mixed = std::move(*made);
    views = views_of(mixed);
  }
  if (views.empty()) return false;
  const SelectedSeries& series = query_reader_->series();
  // The frame and the piece, while they grow.
  const std::size_t frames = kGrowth * (bytes_of(views) + memory_bytes(series));
  if (auto fits = memory.add(frames); !fits) return forward(fits);
  response_.add_series(query_, series.labels, views);
  return true;
}

Result<std::vector<histograms::WireChunk>> ChunkStream::with_histograms(
    const SeriesData& data) const {
  const wire::remote_read::Query& query = query_reader_->query();
  const auto floats = samples_of(data.chunks, query.start_ms, query.end_ms);
  if (!floats) return forward(floats);
  std::uint64_t damaged = 0;
  auto chunks = histograms::wire_chunks(*floats, data.histograms, damaged);
  damage_.note_histograms(damaged);
  return chunks;
}

}  // namespace vigia::storage::read
