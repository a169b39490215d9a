#include "services/storage/store/cassandra/rollup_rows.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "services/storage/store/cassandra/chunk_block.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::RowReader;

// Series that one request asks for; a row has some KiB.
constexpr std::size_t kSeriesAtOnce = 16;
constexpr std::uint32_t kPageRows = 256;
constexpr std::size_t kPartsKnownMax = 50'000;
// Where whatever is there is replaced: as often as others come first.
constexpr int kTries = 8;

std::int8_t column(Resolution resolution) { return static_cast<std::int8_t>(resolution); }
std::int32_t column(Encoding encoding) { return static_cast<std::int32_t>(encoding); }
std::int64_t bits(std::uint64_t value) { return static_cast<std::int64_t>(value); }

constexpr std::string_view kKey =
    "customer_id = ? AND metric = ? AND resolution = ? AND period = ? AND shard = ? AND series_id "
    "= ? AND first_ms = ? AND encoding = ? AND version = ?";

std::string read_cql(std::string_view columns, std::string_view keep) {
  std::string marks = "?";
  for (std::size_t i = 1; i < kSeriesAtOnce; ++i) marks += ", ?";
  return fmt::format(
      "SELECT series_id, first_ms, encoding, version, last_ms, edition, key_id{} FROM "
      "{{}}.rollups_{} WHERE customer_id = ? AND metric = ? AND resolution = ? AND period = ? AND "
      "shard = ? AND series_id IN ({}) AND first_ms >= ? AND first_ms <= ?",
      columns, keep, marks);
}

bool is_applied(const Page& page) { return page.rows() == 1 && page.row(0).read_tinyint() == 1; }

void add_partition(BoundCells& cells, const MetricPlace& place, std::uint32_t period,
                   std::int32_t shard) {
  cells.add_text(place.customer.text())
      .add_text(place.metric)
      .add_tinyint(column(place.resolution));
  cells.add_int(static_cast<std::int32_t>(period)).add_int(shard);
}

}  // namespace

/// A row on its way.
struct RollupRows::Writing {
  MetricPlace place;
  std::uint32_t period = 0;
  Shard shard;
  const Statements* statements = nullptr;  // of the class that it goes to
  const ClosedChunk* chunk = nullptr;
  std::string data;
  std::uint64_t replaced = 0;  // the edition that lies there; 0: there is none
  std::uint64_t edition = 1;   // its own

  void add_key(BoundCells& cells) const {
    add_partition(cells, place, period, shard.number);
    cells.add_bigint(bits(chunk->row.series.value)).add_bigint(chunk->row.first_ms);
    cells.add_int(column(chunk->row.encoding)).add_bigint(bits(chunk->row.version));
  }
};

Result<void> RollupRows::prepare(Preparation& preparation) {
  for (const RetentionClass& one : retention_classes()) {
    Statements& made = statements_[std::string(one.name)];
    made.read = preparation.prepare(read_cql(", data", one.name), kPageRows);
    made.read_keys = preparation.prepare(read_cql("", one.name), kPageRows);
    made.edition = preparation.prepare(
        fmt::format("SELECT edition FROM {{}}.rollups_{} WHERE {}", one.name, kKey));
    made.add = preparation.prepare_once(fmt::format(
        "INSERT INTO {{}}.rollups_{} (customer_id, metric, resolution, period, shard, series_id, "
        "first_ms, encoding, version, last_ms, edition, key_id, data) VALUES (?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?) IF NOT EXISTS",
        one.name));
    made.replace = preparation.prepare_once(
        fmt::format("UPDATE {{}}.rollups_{} SET last_ms = ?, edition = ?, key_id = ?, data = ? "
                    "WHERE {} IF edition = ?",
                    one.name, kKey));
  }
  read_parts_ = preparation.prepare(
      "SELECT parts FROM {}.rollup_parts WHERE customer_id = ? AND metric = ? AND resolution = ? "
      "AND period = ?");
  add_parts_ = preparation.prepare_once(
      "INSERT INTO {}.rollup_parts (customer_id, metric, resolution, period, parts) VALUES (?, ?, "
      "?, ?, ?) IF NOT EXISTS");
  return preparation.outcome();
}

Result<std::int32_t> RollupRows::parts_of_period(const MetricPlace& place, std::uint32_t day) {
  const PeriodKey key{place.customer.text(), place.metric, place.resolution,
                      period_of(place.resolution, day)};
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = parts_.find(key); at != parts_.end()) return at->second;
  }
  auto settled = settle_parts(place, day);
  if (!settled) return settled;
  const std::lock_guard lock(mutex_);
  if (parts_.size() >= kPartsKnownMax) parts_.clear();
  parts_.emplace(key, *settled);
  return settled;
}

// As many as the samples of the day from which its first row is made lie over, each of some MB: a
// year of days is not larger than a day of samples, nor is a month of hours. Whoever comes second
// goes by the first.
Result<std::int32_t> RollupRows::settle_parts(const MetricPlace& place, std::uint32_t day) {
  const std::string& owner = place.customer.text();
  const auto period = static_cast<std::int32_t>(period_of(place.resolution, day));
  BoundCells key;
  key.add_text(owner).add_text(place.metric).add_tinyint(column(place.resolution)).add_int(period);
  std::int32_t wanted = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto page = ask(session_, *read_parts_, key, owner);
    if (!page) return tl::unexpected<Error>(page.error());
    if (page->rows() == 1) {
      const std::int32_t parts = page->row(0).read_int();
      if (parts < 1 || parts > kPartsMax) return malformed_row("rollup_parts");
      return parts;
    }
    if (wanted == 0) {
      const std::uint32_t first = day == 0 ? 0 : day - 1;
      const auto raw = places_.list({place.customer, place.metric, Resolution::kRaw},
                                    {first, first + period_days(place.resolution)});
      if (!raw) return tl::unexpected<Error>(raw.error());
      wanted = 1;
      for (const PlacedDay& one : *raw) wanted = std::max(wanted, parts_of(one.shard));
    }
    BoundCells cells;
    cells.add_text(owner).add_text(place.metric).add_tinyint(column(place.resolution));
    cells.add_int(period).add_int(wanted);
    const auto added = ask(session_, *add_parts_, cells, owner);
    if (!added) return tl::unexpected<Error>(added.error());
  }
  return fail(ErrorCode::kUnavailable, "over how many partitions roll-ups lie is not settled yet");
}

// Its partition is noted before anything is written there.
Result<RollupRows::Writing> RollupRows::prepared_writing(const CustomerId& customer,
                                                         const ClosedChunk& chunk) {
  const std::string keep(keeps_.class_of(customer, chunk.resolution).name);
  Writing writing{{customer, key_text(chunk.metric), chunk.resolution},
                  0,
                  {},
                  &statements_.find(keep)->second,
                  &chunk,
                  ""};
  const std::uint32_t day = day_of(chunk.row.first_ms);
  writing.period = period_of(chunk.resolution, day);
  const auto parts = parts_of_period(writing.place, day);
  if (!parts) return tl::unexpected<Error>(parts.error());
  writing.shard = shard_of(chunk.row.series, *parts);
  if (auto noted = places_.note(writing.place, {{day, writing.shard, keep}}); !noted) {
    return forward(noted);
  }
  const ChunkRow* const row = &chunk.row;
  writing.data = std::move(make_blocks({&row, 1}).front().data);
  writing.replaced = chunk.replaces.value_or(0);
  writing.edition = writing.replaced + 1;
  return writing;
}

void RollupRows::add_write(Requests& requests, const Writing& writing) const {
  const Statements& statements = *writing.statements;
  const ChunkRow& row = writing.chunk->row;
  BoundCells cells;
  if (writing.replaced == 0) writing.add_key(cells);
  cells.add_bigint(row.last_ms).add_bigint(bits(writing.edition)).add_int(0);
  cells.add_blob(writing.data);
  if (writing.replaced > 0) {
    writing.add_key(cells);
    cells.add_bigint(bits(writing.replaced));
  }
  requests.add(writing.replaced == 0 ? *statements.add : *statements.replace, cells);
}

Result<void> RollupRows::put(const CustomerId& customer,
                             std::span<const ClosedChunk* const> chunks) {
  std::vector<Writing> all;
  for (const ClosedChunk* const chunk : chunks) {
    auto writing = prepared_writing(customer, *chunk);
    if (!writing) return forward(writing);
    all.push_back(*std::move(writing));
  }
  Requests requests(session_, customer.text());
  for (const Writing& writing : all) add_write(requests, writing);
  const auto pages = requests.wait();
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (!pages[i]) return tl::unexpected<Error>(pages[i].error());
    if (is_applied(*pages[i])) continue;
    if (auto put = put_once_more(all[i]); !put) return put;
  }
  return {};
}

Result<std::optional<std::uint64_t>> RollupRows::edition_of(const Writing& writing) {
  BoundCells key;
  writing.add_key(key);
  const auto page = ask(session_, *writing.statements->edition, key, writing.place.customer.text());
  if (!page) return tl::unexpected<Error>(page.error());
  if (page->rows() == 0) return std::optional<std::uint64_t>();
  return std::optional(static_cast<std::uint64_t>(page->row(0).read_bigint()));
}

Result<bool> RollupRows::write(const Writing& writing) {
  Requests requests(session_, writing.place.customer.text());
  add_write(requests, writing);
  const auto pages = requests.wait();
  if (!pages.front()) return tl::unexpected<Error>(pages.front().error());
  return is_applied(*pages.front());
}

// What was refused: another row lies there than was said, or none, or an earlier one, since that
// one lies in the table of the retention of before.
Result<void> RollupRows::put_once_more(Writing& writing) {
  const auto& wanted = writing.chunk->replaces;
  for (int i = 0; i < kTries; ++i) {
    const auto found = edition_of(writing);
    if (!found) return tl::unexpected<Error>(found.error());
    const bool is_moved = wanted.value_or(0) > 0 && found->value_or(0) < *wanted;
    if (wanted.has_value() && !is_moved) break;
    writing.replaced = found->value_or(0);
    writing.edition = std::max(writing.replaced, wanted.value_or(0)) + 1;
    const auto is_written = write(writing);
    if (!is_written) return tl::unexpected<Error>(is_written.error());
    if (*is_written) return {};
  }
  return fail(ErrorCode::kUnavailable,
              "another instance has made these roll-ups meanwhile: they are to be made anew");
}

Result<void> RollupRows::read(const MetricPlace& place, const ChunkQuery& query,
                              std::uint32_t kept_day, std::span<const BlockPartition> some,
                              ReadRows& rows, std::map<std::uint64_t, Error>& damaged) const {
  struct Asked {
    const vigia::cassandra::PreparedStatement* statement;
    BoundCells cells;
  };
  std::vector<Asked> all;
  const TimestampMs from_ms =
      std::max(query.from_ms, INT64_MIN + row_span_max_ms(place.resolution)) -
      row_span_max_ms(place.resolution);
  for (const BlockPartition& one : some) {
    const auto statements = statements_.find(one.keep);
    if (statements == statements_.end()) return malformed_row("chunk_days");
    std::vector<std::uint64_t> ids;
    for (const auto& [id, found] : rows) {
      if (holds(one.shard, SeriesId{id})) ids.push_back(id);
    }
    for (std::size_t begin = 0; begin < ids.size(); begin += kSeriesAtOnce) {
      BoundCells cells;
      add_partition(cells, place, one.period, one.shard.number);
      for (std::size_t i = 0; i < kSeriesAtOnce; ++i) {  // the last one again where they are fewer
        cells.add_bigint(bits(ids[std::min(begin + i, ids.size() - 1)]));
      }
      cells.add_bigint(from_ms).add_bigint(query.to_ms);
      const Statements& made = statements->second;
      all.push_back({query.wants_data ? made.read.get() : made.read_keys.get(), std::move(cells)});
    }
  }
  Requests requests(session_, place.customer.text());
  for (const Asked& one : all) requests.add(*one.statement, one.cells);
  auto pages = requests.wait();
  for (std::size_t i = 0; i < all.size(); ++i) {
    Result<Page> page = std::move(pages[i]);
    while (true) {
      if (!page) return forward(page);
      if (auto taken = take(*page, query, kept_day, rows, damaged); !taken) return taken;
      const std::string state = page->paging_state();
      if (state.empty()) break;
      page = ask(session_, *all[i].statement, all[i].cells, place.customer.text(), state);
    }
  }
  return {};
}

Result<void> RollupRows::take(const Page& page, const ChunkQuery& query, std::uint32_t kept_day,
                              ReadRows& rows, std::map<std::uint64_t, Error>& damaged) {
  for (std::size_t i = 0; i < page.rows(); ++i) {
    RowReader reader = page.row(i);
    ReadRow one;
    one.row.series.value = static_cast<std::uint64_t>(reader.read_bigint());
    one.row.first_ms = reader.read_bigint();
    one.row.encoding = static_cast<Encoding>(reader.read_int());
    one.row.version = static_cast<std::uint64_t>(reader.read_bigint());
    one.row.last_ms = reader.read_bigint();
    one.written = reader.read_bigint();
    one.row.edition = static_cast<std::uint64_t>(one.written);
    const std::int32_t key_id = reader.read_int();
    const std::string_view data = query.wants_data ? reader.read_blob() : std::string_view();
    if (!reader.ok()) return malformed_row("rollups");
    const auto series = rows.find(one.row.series.value);
    if (series == rows.end() || one.row.first_ms > query.to_ms || one.row.last_ms < query.from_ms ||
        day_of(one.row.first_ms) < kept_day) {
      continue;
    }
    if (query.wants_data) {
      const auto block = key_id == 0 ? read_block(data)
                                     : Result<std::vector<BlockedChunk>>(fail(
                                           ErrorCode::kCorrupt, "a row of roll-ups is encrypted"));
      if (!block || block->size() != 1) {
        damaged.emplace(series->first, block
                                           ? Error{ErrorCode::kCorrupt, "a row of roll-ups is none"}
                                           : block.error());
        continue;
      }
      one.row.data = block->front().data;
    }
    series->second.push_back(std::move(one));
  }
  return {};
}

}  // namespace vigia::storage::store::cassandra
