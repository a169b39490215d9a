#include "services/storage/store/cassandra/chunks.hpp"

#include <algorithm>
#include <future>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "services/storage/store/cassandra/chunk_block.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;

// A page has at most some MiB: blocks have up to 64 KiB.
constexpr std::uint32_t kBlockRows = 64;

}  // namespace

/// The blocks of raw samples of one partition.
struct CassandraChunks::Blocks {
  std::string metric;
  std::uint32_t period;
  Shard shard;
  std::string keep;  // the class
  std::vector<ChunkBlock> blocks;
};

/// A put of which blocks are under way.
struct CassandraChunks::Putting {
  explicit Putting(Done done_by_all) : done(std::move(done_by_all)) {}
  Putting(const Putting&) = delete;
  Putting& operator=(const Putting&) = delete;
  // The last one to let go tells: nothing can be forgotten that way, also where sending ended
  // early.
  ~Putting() {
    contain_faults("what was told that chunks are stored", [this] {
      if (is_sent && !error) {
        done({});
      } else {
        done(tl::unexpected<Error>(error.value_or(Error{ErrorCode::kUnavailable, "not all sent"})));
      }
    });
  }
  void note(const Error& one) {
    const std::lock_guard lock(mutex);
    if (!error) error = one;
  }
  bool has_failed() {
    const std::lock_guard lock(mutex);
    return error.has_value();
  }

  std::mutex mutex;
  std::optional<Error> error;
  bool is_sent = false;
  Done done;
};

CassandraChunks::CassandraChunks(vigia::cassandra::Session& session, KeptDays& kept,
                                 const KeepTimes& keeps, const Clock& clock, std::uint64_t writer)
    : session_(session),
      kept_(kept),
      keeps_(keeps),
      clock_(clock),
      places_(session),
      rollups_(session, places_, keeps),
      writer_(static_cast<std::int64_t>(writer)),
      due_days_(session, kept, clock, reads_, writer) {}

Result<void> CassandraChunks::prepare(Preparation& preparation) {
  for (const RetentionClass& one : retention_classes()) {
    reads_[std::string(one.name)] = preparation.prepare(
        fmt::format("SELECT first_series, last_series, first_ms, last_ms, version, key_id, data "
                    "FROM {{}}.chunks_{} WHERE customer_id = ? AND metric = ? AND resolution = ? "
                    "AND period = ? AND shard = ? AND first_series <= ?",
                    one.name),
        kBlockRows);
    writes_[std::string(one.name)] = preparation.prepare_row(fmt::format(
        "INSERT INTO {{}}.chunks_{} (customer_id, metric, resolution, period, shard, first_series, "
        "writer, version, last_series, first_ms, last_ms, key_id, data) VALUES (?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?)",
        one.name));
  }
  if (auto prepared = rollups_.prepare(preparation); !prepared) return prepared;
  if (auto prepared = due_days_.prepare(preparation); !prepared) return prepared;
  return places_.prepare(preparation);
}

// Two blocks of one instance never have the same: else the second would replace the first.
std::int64_t CassandraChunks::next_version() {
  const std::int64_t now_us = clock_.wall_ns() / 1000;
  std::int64_t last = version_;
  while (!version_.compare_exchange_weak(last, std::max(now_us, last + 1))) {
  }
  return std::max(now_us, last + 1);
}

// Marks first: what is written and not marked would never be rolled up. They may be done with
// before the rows come, if their days are over: such are marked once more.
void CassandraChunks::put(const CustomerId& customer, std::span<const ClosedChunk> chunks,
                          Done done) {
  const auto all = blocks_of(customer, chunks);
  if (!all) return done(forward(all));
  if (auto put = put_rollups(customer, chunks); !put) return done(put);
  const std::set<DuePlace> places = due_days_.places_of(chunks);
  if (places.empty()) return send(customer, *all, std::move(done));
  if (auto marked = due_days_.mark(customer, places); !marked) return done(marked);
  const auto earliest = [](const DuePlace& left, const DuePlace& right) {
    return left.day < right.day;
  };
  const std::uint32_t first = std::min_element(places.begin(), places.end(), earliest)->day;
  const auto tell = [customer, first, told = due_days_.first_marked()](const Result<void>& stored) {
    if (stored) told->note(customer, first);
  };
  if (!due_days_.is_any_over(places)) {
    return send(customer, *all, [tell, done = std::move(done)](Result<void> stored) {
      tell(stored);
      done(std::move(stored));
    });
  }
  auto stored = send_now(customer, *all);
  if (stored) stored = due_days_.mark(customer, places);
  tell(stored);
  done(std::move(stored));
}

Result<void> CassandraChunks::send_now(const CustomerId& customer, const std::vector<Blocks>& all) {
  std::promise<Result<void>> stored;
  auto outcome = stored.get_future();
  send(customer, all, [&stored](Result<void> result) { stored.set_value(std::move(result)); });
  return outcome.get();
}

/// Of what of them is raw. Their partitions are noted when it returns.
Result<std::vector<CassandraChunks::Blocks>> CassandraChunks::blocks_of(
    const CustomerId& customer, std::span<const ClosedChunk> chunks) {
  std::map<std::pair<std::string, std::uint32_t>, std::vector<const ClosedChunk*>> groups;
  for (const ClosedChunk& chunk : chunks) {
    if (auto sound = check_row(chunk.row, chunk.resolution); !sound) return forward(sound);
    if (chunk.resolution != Resolution::kRaw) continue;
    groups[{key_text(chunk.metric), day_of(chunk.row.first_ms)}].push_back(&chunk);
  }
  std::vector<Blocks> all;
  for (const auto& [key, some] : groups) {
    const MetricPlace place{customer, key.first, Resolution::kRaw};
    if (auto added = add_blocks(place, some, all); !added) return forward(added);
  }
  return all;
}

Result<void> CassandraChunks::put_rollups(const CustomerId& customer,
                                          std::span<const ClosedChunk> chunks) {
  std::vector<const ClosedChunk*> some;
  for (const ClosedChunk& chunk : chunks) {
    if (chunk.resolution != Resolution::kRaw) some.push_back(&chunk);
  }
  auto put = rollups_.put(customer, some);  // also after an error some of them may be there
  for (const ClosedChunk* const chunk : some) {
    looks_[index_of(chunk->resolution)].note(customer, day_of(chunk->row.first_ms));
  }
  return put;
}

/// The chunks of one day. Its partitions are noted before anything is written there.
Result<void> CassandraChunks::add_blocks(const MetricPlace& place,
                                         std::span<const ClosedChunk* const> chunks,
                                         std::vector<Blocks>& all) {
  std::size_t bytes = 0;
  for (const ClosedChunk* const chunk : chunks) bytes += chunk->row.data.size();
  const std::uint32_t first_day = day_of(chunks.front()->row.first_ms);
  const auto parts = places_.parts_for(place, first_day, bytes);
  if (!parts) return forward(parts);
  const std::string keep(keeps_.class_of(place.customer, Resolution::kRaw).name);
  std::map<Shard, std::vector<const ChunkRow*>> by_shard;
  std::set<PlacedDay> days;
  for (const ClosedChunk* const chunk : chunks) {
    const Shard shard = shard_of(chunk->row.series, *parts);
    by_shard[shard].push_back(&chunk->row);
    days.insert({day_of(chunk->row.first_ms), shard, keep});
  }
  if (auto noted = places_.note(place, days); !noted) return noted;
  looks_[index_of(Resolution::kRaw)].note(place.customer, first_day);
  const std::uint32_t period = period_of(place.resolution, first_day);
  for (const auto& [shard, rows] : by_shard) {
    all.push_back({place.metric, period, shard, keep, make_blocks(rows)});
  }
  return {};
}

void CassandraChunks::send(const CustomerId& customer, const std::vector<Blocks>& all, Done done) {
  const auto putting = std::make_shared<Putting>(std::move(done));
  for (const Blocks& some : all) {
    for (const ChunkBlock& block : some.blocks) {
      // All of it is put again: a cluster that hangs would cost each block its own wait.
      if (putting->has_failed()) return;
      BoundCells cells;
      cells.add_text(customer.text()).add_text(some.metric);
      cells.add_tinyint(static_cast<std::int8_t>(Resolution::kRaw));
      cells.add_int(static_cast<std::int32_t>(some.period)).add_int(some.shard.number);
      cells.add_bigint(static_cast<std::int64_t>(block.first_series.value)).add_bigint(writer_);
      cells.add_bigint(next_version());
      cells.add_bigint(static_cast<std::int64_t>(block.last_series.value));
      cells.add_bigint(block.first_ms).add_bigint(block.last_ms).add_int(0).add_blob(block.data);
      session_.send({*writes_.find(some.keep)->second, cells, customer.text(), kRequestDeadline},
                    [putting](Result<Page> page) {
                      if (!page) putting->note(store_error(page.error()));
                    });
    }
  }
  const std::lock_guard lock(putting->mutex);
  putting->is_sent = true;
}

std::uint32_t CassandraChunks::kept_day(const CustomerId& customer, Resolution resolution) {
  return kept_.day(customer, kind_of(resolution));
}

std::unique_ptr<ChunkCursor> CassandraChunks::read(const CustomerId& customer,
                                                   std::span<const SeriesKey> series,
                                                   const ChunkQuery& query) {
  return std::make_unique<CassandraChunkCursor>(ChunkReading{session_, places_, reads_, rollups_},
                                                customer, series, query,
                                                kept_day(customer, query.resolution));
}

// From the last period back. A row of the day before may end on the day after, later than what
// begins there: then that is looked at, too.
Result<std::optional<TimestampMs>> CassandraChunks::newest(const CustomerId& customer,
                                                           const SeriesKey& series,
                                                           TimestampMs from_ms) {
  const MetricPlace place{customer, key_text(series.metric), Resolution::kRaw};
  const ChunkQuery query{from_ms, INT64_MAX};
  const ChunkReading reading{session_, places_, reads_, rollups_};
  const BlockReader reader(reading, place, query, kept_day(customer, Resolution::kRaw));
  const auto partitions = reader.partitions();
  if (!partitions) return tl::unexpected<Error>(partitions.error());
  std::optional<TimestampMs> newest;
  std::span<const BlockPartition> left = *partitions;
  while (!left.empty()) {
    const std::uint32_t period = left.back().period;
    if (newest && *newest >= TimestampMs{period + 1} * kDayMs + kChunkSpanMs) break;
    const auto begin = std::find_if(left.begin(), left.end(),
                                    [period](const auto& one) { return one.period == period; });
    const auto count = static_cast<std::size_t>(left.end() - begin);
    ReadRows rows;
    std::map<std::uint64_t, Error> damaged;
    rows[series.id.value];
    auto read = reader.read(left.last(count), rows, damaged);
    if (!read) return tl::unexpected<Error>(read.error());
    if (!damaged.empty()) return tl::unexpected<Error>(damaged.begin()->second);
    for (const ReadRow& one : rows[series.id.value]) {
      if (one.row.version != kInOrder) continue;
      newest = std::max(newest.value_or(one.row.last_ms), one.row.last_ms);
    }
    left = left.first(left.size() - count);
  }
  return newest;
}

Result<std::size_t> CassandraChunks::expire(Resolution resolution, const ExpiryCuts& cuts) {
  const std::lock_guard lock(expire_mutex_);
  const std::string kind = kind_of(resolution);
  const CutDays days = kept_.held_back(kind, cuts, row_span_max_ms(resolution));
  ExpiryLooks& looks = looks_[index_of(resolution)];
  if (!looks.begin(days)) return 0U;
  if (auto raised = kept_.raise(kind, days); !raised) return forward(raised);
  auto gone = places_.forget_before(resolution, days, looks);
  if (gone) looks.end();
  return gone;
}

}  // namespace vigia::storage::store::cassandra
