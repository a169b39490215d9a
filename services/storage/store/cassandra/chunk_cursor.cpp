#include "services/storage/store/cassandra/chunk_cursor.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "services/storage/store/cassandra/chunk_block.hpp"
#include "services/storage/store/cassandra/rollup_rows.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::RowReader;

// Partitions that are asked at once: each page of theirs may have some MiB.
constexpr std::size_t kAtOnce = 4;

std::size_t bytes_of(const ReadRows& rows) {
  std::size_t bytes = 0;
  for (const auto& [id, some] : rows) {
    for (const ReadRow& one : some) bytes += sizeof(one) + one.row.data.size();
  }
  return bytes;
}

// The list is another one each time: some are made meanwhile, others expire.
std::size_t place_behind(const std::vector<BlockPartition>& all,
                         const std::optional<std::uint32_t>& period) {
  const auto first = std::find_if(all.begin(), all.end(), [&](const BlockPartition& one) {
    return !period || one.period > *period;
  });
  return static_cast<std::size_t>(first - all.begin());
}

}  // namespace

// A row is found by the day on which it begins, up to its longest before the range.
Result<std::vector<BlockPartition>> BlockReader::partitions() const {
  const TimestampMs span_ms = row_span_max_ms(place_.resolution);
  const TimestampMs from_ms = std::max<TimestampMs>(query_.from_ms, span_ms) - span_ms;
  const DayRange days{std::max(day_of(from_ms), kept_day_), day_of(query_.to_ms)};
  if (days.first > days.last) return std::vector<BlockPartition>();
  const auto listed = reading_.places.list(place_, days);
  if (!listed) return forward(listed);
  std::set<BlockPartition> all;
  for (const PlacedDay& one : *listed) {
    all.insert({period_of(place_.resolution, one.day), one.shard, one.keep});
  }
  return std::vector<BlockPartition>(all.begin(), all.end());
}

BoundCells BlockReader::key_of(const BlockPartition& partition, std::int64_t most) const {
  BoundCells cells;
  cells.add_text(place_.customer.text()).add_text(place_.metric);
  cells.add_tinyint(static_cast<std::int8_t>(place_.resolution));
  cells.add_int(static_cast<std::int32_t>(partition.period)).add_int(partition.shard.number);
  cells.add_bigint(most);
  return cells;
}

Result<void> BlockReader::read(std::span<const BlockPartition> some, ReadRows& rows,
                               std::map<std::uint64_t, Error>& damaged) const {
  if (rows.empty()) return {};
  if (place_.resolution != Resolution::kRaw) {
    return reading_.rollups.read(place_, query_, kept_day_, some, rows, damaged);
  }
  const auto most = static_cast<std::int64_t>(rows.rbegin()->first);
  std::vector<const BlockPartition*> asked;
  Requests requests(reading_.session, place_.customer.text());
  for (const BlockPartition& one : some) {
    const bool is_wanted = std::any_of(rows.begin(), rows.end(), [&](const auto& series) {
      return holds(one.shard, SeriesId{series.first});
    });
    if (!is_wanted) continue;
    const auto statement = reading_.reads.find(one.keep);
    if (statement == reading_.reads.end()) return malformed_row("chunk_days");
    asked.push_back(&one);
    requests.add(*statement->second, key_of(one, most));
  }
  auto pages = requests.wait();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Statement& statement = reading_.reads.find(asked[i]->keep)->second;
    const BoundCells cells = key_of(*asked[i], most);
    Result<Page> page = std::move(pages[i]);
    while (true) {
      if (!page) return forward(page);
      if (auto taken = take(*page, rows, damaged); !taken) return taken;
      const std::string state = page->paging_state();
      if (state.empty()) break;
      page = ask(reading_.session, *statement, cells, place_.customer.text(), state);
    }
  }
  return {};
}

Result<void> BlockReader::take(const Page& page, ReadRows& rows,
                               std::map<std::uint64_t, Error>& damaged) const {
  for (std::size_t i = 0; i < page.rows(); ++i) {
    RowReader row = page.row(i);
    const auto first = static_cast<std::uint64_t>(row.read_bigint());
    const auto last = static_cast<std::uint64_t>(row.read_bigint());
    const TimestampMs first_ms = row.read_bigint();
    const TimestampMs last_ms = row.read_bigint();
    const std::int64_t written = row.read_bigint();
    const std::int32_t key_id = row.read_int();
    const std::string_view data = row.read_blob();
    if (!row.ok()) return malformed_row("chunks");
    const auto begin = rows.lower_bound(first);
    if (begin == rows.end() || begin->first > last) continue;
    if (first_ms > query_.to_ms || last_ms < query_.from_ms) continue;
    const auto block = key_id == 0 ? read_block(data)
                                   : Result<std::vector<BlockedChunk>>(fail(
                                         ErrorCode::kCorrupt, "a block of chunks is encrypted"));
    if (!block) {
      for (auto at = begin; at != rows.end() && at->first <= last; ++at) {
        damaged.emplace(at->first, block.error());
      }
      continue;
    }
    for (const BlockedChunk& chunk : *block) {
      const auto series = rows.find(chunk.series.value);
      if (series == rows.end() || chunk.first_ms > query_.to_ms || chunk.last_ms < query_.from_ms ||
          day_of(chunk.first_ms) < kept_day_) {
        continue;
      }
      series->second.push_back({{chunk.series, chunk.first_ms, chunk.last_ms, chunk.version,
                                 chunk.encoding, std::string(chunk.data)},
                                written});
    }
  }
  return {};
}

std::vector<ChunkRow> sorted_rows(std::vector<ReadRow> rows, Resolution resolution) {
  const auto key = [](const ReadRow& one) {
    return std::tuple(one.row.first_ms, one.row.version, one.row.encoding);
  };
  const auto worth = [resolution](const ReadRow& one) {
    const bool is_raw = resolution == Resolution::kRaw;
    return std::tuple(is_raw ? one.row.last_ms : 0, is_raw ? one.row.data.size() : 0, one.written);
  };
  std::sort(rows.begin(), rows.end(), [&](const ReadRow& left, const ReadRow& right) {
    return std::pair(key(left), worth(right)) < std::pair(key(right), worth(left));
  });
  rows.erase(
      std::unique(rows.begin(), rows.end(),
                  [&](const auto& left, const auto& right) { return key(left) == key(right); }),
      rows.end());
  std::vector<ChunkRow> sorted;
  sorted.reserve(rows.size());
  for (ReadRow& one : rows) sorted.push_back(std::move(one.row));
  return sorted;
}

Result<std::vector<ChunkRow>> CassandraChunkCursor::next() {
  while (ready_.empty()) {
    if (begin_ == series_.size()) return std::vector<ChunkRow>();
    load();
  }
  Ready first = std::move(ready_.front());
  ready_.pop_front();
  at_ = first.at;
  return std::move(first.rows);
}

void CassandraChunkCursor::load() {
  std::size_t end = begin_ + 1;
  // A series that goes on is read alone.
  while (!period_ && end < series_.size() && end - begin_ < kTogether &&
         series_[end].metric == series_[begin_].metric) {
    ++end;
  }
  if (auto loaded = load_some(end); !loaded) {
    ready_.push_back({begin_, forward(loaded)});
    ++begin_;
    period_.reset();
  }
}

Result<void> CassandraChunkCursor::load_some(std::size_t end) {
  const MetricPlace place{customer_, key_text(series_[begin_].metric), query_.resolution};
  const BlockReader reader(reading_, place, query_, kept_day_);
  const auto partitions = reader.partitions();
  if (!partitions) return forward(partitions);
  ReadRows rows;
  std::map<std::uint64_t, Error> damaged;
  for (std::size_t i = begin_; i < end; ++i) rows[series_[i].id.value];
  std::size_t next = place_behind(*partitions, period_);
  while (next < partitions->size()) {
    std::size_t stop = std::min(next + kAtOnce, partitions->size());
    // A period as a whole: of its partitions two may have the same row.
    while (stop < partitions->size() &&
           (*partitions)[stop].period == (*partitions)[stop - 1].period)
      ++stop;
    auto read = reader.read(std::span(*partitions).subspan(next, stop - next), rows, damaged);
    if (!read) return read;
    next = stop;
    period_ = (*partitions)[stop - 1].period;
    while (bytes_of(rows) > kBytesTogether && end - begin_ > 1) {
      // The others' turn comes later.
      end = begin_ + (end - begin_ + 1) / 2;
      ReadRows fewer;
      for (std::size_t i = begin_; i < end; ++i) {
        auto kept = rows.extract(series_[i].id.value);
        if (!kept.empty()) fewer.insert(std::move(kept));
      }
      rows = std::move(fewer);
    }
    if (bytes_of(rows) > query_.page_bytes && end - begin_ == 1) break;
  }
  const bool is_whole = next >= partitions->size() || !damaged.empty();
  give(end, rows, damaged);
  if (is_whole) {
    begin_ = end;
    period_.reset();
  }
  return {};
}

void CassandraChunkCursor::give(std::size_t end, ReadRows& rows,
                                const std::map<std::uint64_t, Error>& damaged) {
  std::map<std::uint64_t, std::vector<ChunkRow>> sorted;
  for (auto& [id, some] : rows) {
    sorted[id] = sorted_rows(std::move(some), query_.resolution);
  }
  for (std::size_t i = begin_; i < end; ++i) {
    const std::uint64_t id = series_[i].id.value;
    if (const auto bad = damaged.find(id); bad != damaged.end()) {
      ready_.push_back({i, tl::unexpected<Error>(bad->second)});
    } else {
      give_pages(i, sorted[id]);
    }
  }
}

void CassandraChunkCursor::give_pages(std::size_t at, std::vector<ChunkRow> rows) {
  std::vector<ChunkRow> page;
  std::size_t bytes = 0;
  for (ChunkRow& row : rows) {
    bytes += sizeof(row) + row.data.size();
    page.push_back(std::move(row));
    if (bytes < query_.page_bytes) continue;
    ready_.push_back({at, std::exchange(page, {})});
    bytes = 0;
  }
  if (!page.empty()) ready_.push_back({at, std::move(page)});
}

}  // namespace vigia::storage::store::cassandra
