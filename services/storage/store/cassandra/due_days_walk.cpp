// CassandraDueDays: what lies there unmarked is marked.
#include <algorithm>

#include "services/storage/store/cassandra/chunk_block.hpp"
#include "services/storage/store/cassandra/due_days.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

constexpr std::size_t kMarkedAtOnce =
    512;  // days of a step of mark_stored, and those of a partition

}  // namespace

/// Over all chunks that lie there, partition by partition.
struct CassandraDueDays::Walk {
  std::uint64_t steps = 0;
  std::unique_ptr<Rows> metrics;
  std::optional<CustomerId> customer;
  std::string metric;
  std::deque<BlockPartition> partitions;  // of it, that are left
};

// Here, where what a walk is is known.
CassandraDueDays::CassandraDueDays(vigia::cassandra::Session& session, KeptDays& kept,
                                   const Clock& clock, const BlockReads& reads,
                                   std::uint64_t writer)
    : session_(session),
      kept_(kept),
      clock_(clock),
      reads_(reads),
      writer_(static_cast<std::int64_t>(writer >> 1U)),
      rows_(session) {}

CassandraDueDays::~CassandraDueDays() = default;

/// Goes on to the next metric that has raw samples; false at the end.
Result<bool> CassandraDueDays::next_metric() {
  while (true) {
    auto row = walk_->metrics->next();
    if (!row) return forward(row);
    if (!*row) return false;
    const auto customer = CustomerId::parse((*row)->read_text());
    walk_->customer = customer ? std::optional(*customer) : std::nullopt;
    walk_->metric = (*row)->read_text();
    const std::int8_t resolution = (*row)->read_tinyint();
    const bool is_raw = resolution == static_cast<std::int8_t>(Resolution::kRaw);
    if ((*row)->ok() && walk_->customer && is_raw) break;
  }
  BoundCells cells;
  cells.add_text(walk_->customer->text()).add_text(walk_->metric);
  cells.add_tinyint(static_cast<std::int8_t>(Resolution::kRaw));
  cells.add_int(day_column(kept_.day(*walk_->customer, kind_of(Resolution::kRaw))));
  Rows days(session_, *list_days_, std::move(cells), walk_->customer->text());
  while (true) {
    auto row = days.next();
    if (!row) return forward(row);
    if (!*row) return true;
    BlockPartition one;
    one.period = static_cast<std::uint32_t>(std::max((*row)->read_int(), 0));
    one.shard.number = (*row)->read_int();
    one.keep = (*row)->read_text();
    if ((*row)->ok()) walk_->partitions.push_back(one);
  }
}

/// How many days. Of a damaged block nothing is marked: there are no samples to make windows of.
Result<std::size_t> CassandraDueDays::mark_partition(const BlockPartition& partition) {
  const auto statement = reads_.find(partition.keep);
  if (statement == reads_.end()) return malformed_row("chunk_days");
  BoundCells cells;
  cells.add_text(walk_->customer->text()).add_text(walk_->metric);
  cells.add_tinyint(static_cast<std::int8_t>(Resolution::kRaw));
  cells.add_int(static_cast<std::int32_t>(partition.period)).add_int(partition.shard.number);
  cells.add_bigint(INT64_MAX);
  Rows rows(session_, *statement->second, std::move(cells), walk_->customer->text());
  std::set<DuePlace> places;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    for (int i = 0; i < 5; ++i) (void)(*row)->read_bigint();
    (void)(*row)->read_int();
    const auto block = read_block((*row)->read_blob());
    if (!(*row)->ok() || !block) continue;
    for (const BlockedChunk& chunk : *block) {
      for (std::uint64_t day = window_day_of(chunk.first_ms); day <= window_day_of(chunk.last_ms);
           ++day) {
        places.insert({chunk.series, static_cast<std::uint32_t>(day)});
      }
    }
  }
  if (places.empty()) return 0U;
  auto marked = write(*walk_->customer, places, DueKind::kFound);
  if (!marked) return forward(marked);
  std::uint32_t first = UINT32_MAX;
  for (const DuePlace& place : places) first = std::min(first, place.day);
  first_marked_->note(*walk_->customer, first);
  return places.size();
}

Result<std::string> CassandraDueDays::mark_stored(const std::string& place) {
  const std::lock_guard lock(walk_mutex_);
  if (!walk_ || place != std::to_string(walk_->steps)) {
    walk_ = std::make_unique<Walk>();
    walk_->metrics = std::make_unique<Rows>(session_, *list_metrics_, BoundCells(), "");
  }
  for (std::size_t count = 0; count < kMarkedAtOnce;) {
    if (!walk_->partitions.empty()) {
      const auto marked = mark_partition(walk_->partitions.front());
      if (!marked) return forward(marked);
      count += *marked;
      walk_->partitions.pop_front();
      continue;
    }
    const auto is_more = next_metric();
    if (is_more && *is_more) continue;
    walk_.reset();  // after an error it begins anew: it is not known where it ended
    if (!is_more) return tl::unexpected<Error>(is_more.error());
    return std::string();
  }
  return std::to_string(++walk_->steps);
}

}  // namespace vigia::storage::store::cassandra
