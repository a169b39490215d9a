#include "services/storage/store/cassandra/event_writer.hpp"

#include <algorithm>

#include "libs/base/bytes.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

constexpr TimestampNs kNsPerMs = 1'000'000;
// What claims to be later is filed under today: it would else be found by no retention.
constexpr TimestampMs kAheadMax = kDayMs;
// A batch is written when it passes either. One item alone may be larger.
constexpr std::size_t kBatchItems = 1'000;
constexpr std::size_t kBatchBytes = 2U << 20U;

// Of a row beside its item: key, digests and what the nodes need.
constexpr std::size_t kRowBytes = 150;

std::uint64_t part_hash(std::string_view digest) { return ByteReader(digest).read_u64(); }

}  // namespace

ItemWriter::ItemWriter(const EventTables& tables, const CustomerId& customer, Signal signal,
                       const ItemVerdicts& verdicts, const RequestTimes& times)
    : statements_(tables.statements),
      customer_(customer),
      signal_(signal),
      verdicts_(verdicts),
      times_(times),
      requests_(tables.session, customer.text()),
      places_(tables.places),
      span_index_(tables.statements, tables.places, customer, times.live_seconds),
      log_index_(tables.statements, tables.places, customer, times.live_seconds) {}

void ItemWriter::on_resource(const wire::otlp::ResourceView& resource) {
  resource_view_ = {resource.bytes, resource.schema_url};
  scope_view_ = {};
  is_new_origin_ = true;
}

void ItemWriter::on_scope(const wire::otlp::ScopeView& scope) {
  scope_view_ = {scope.bytes, scope.schema_url};
  is_new_origin_ = true;
}

void ItemWriter::hash_origins() {
  if (!is_new_origin_) return;
  resource_row_ = encode_origin(resource_view_);
  scope_row_ = encode_origin(scope_view_);
  resource_ = digest_of(resource_row_);
  scope_ = digest_of(scope_row_);
  if (signal_ == Signal::kTraces) service_ = key_text(service_of(resource_view_.bytes));
  if (signal_ == Signal::kLogs) stream_ = stream_key_of(resource_view_.bytes);
  is_new_origin_ = false;
}

// Without a time, and far ahead, a day's first moment: then the same item again that day has the
// same key.
TimestampNs ItemWriter::filing_time(TimestampNs time_ns) const {
  const auto time_ms = static_cast<TimestampMs>(time_ns / kNsPerMs);
  if (time_ns != 0 && time_ms <= times_.now_ms + kAheadMax) return time_ns;
  return static_cast<TimestampNs>(times_.now_ms / kDayMs * kDayMs) * kNsPerMs;
}

void ItemWriter::on_item(std::uint32_t number, std::string_view bytes) {
  if (failure_ || !verdicts_.is_good(number)) return;
  const ItemTimes own = times_of(signal_, bytes);
  const auto own_ms = static_cast<TimestampMs>(own.time_ns / kNsPerMs);
  if (own.time_ns != 0 && own_ms < times_.oldest_ms) {
    ++expired_;
    return;
  }
  newest_ms_ = std::max(newest_ms_, own_ms);
  hash_origins();
  Item item;
  item.time_ns = filing_time(own.time_ns);
  item.day = day_of_ns(item.time_ns);
  item.trace_id = own.trace_id;
  item.digest = digest_of(resource_ + scope_ + digest_of(bytes));
  item.arrival = times_.arrival;
  item.number = static_cast<std::int32_t>(number);
  item.resource = resource_;
  item.scope = scope_;
  item.service = service_;
  item.stream = stream_;
  item.bytes = bytes;
  std::string key = item.digest;
  append_u64(key, item.time_ns);
  if (signal_ == Signal::kLogs) {
    // Equal records in one request are as many records; the same request again makes the same keys.
    item.equal = equal_[key]++;
  } else if (!spans_.insert(key).second) {
    ++repeats_;
    return;
  }
  add_origin(item.day, resource_, resource_row_);
  add_origin(item.day, scope_, scope_row_);
  add_slot(item);
  bytes_ += bytes.size();
  batch_.push_back(std::move(item));
  if (batch_.size() < kBatchItems && bytes_ < kBatchBytes) return;
  if (auto flushed = flush(); !flushed) failure_ = std::move(flushed.error());
}

// Sent at once, and waited for before the items are written that refer to it.
void ItemWriter::add_origin(std::uint32_t day, const std::string& digest, const std::string& row) {
  if (!origins_.emplace(day, digest).second) return;
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(day_column(day)).add_blob(digest).add_blob(row);
  cells.add_int(times_.live_seconds);
  requests_.add(*statements_.write_origin, cells);
}

void ItemWriter::add_slot(const Item& item) {
  const auto slot = static_cast<std::uint32_t>(
      signal_ == Signal::kLogs ? item.time_ns / kSlotNs : TimestampNs{item.day} * kSlotsOfDay);
  if (!slots_.insert(slot).second) return;
  BoundCells cells;
  cells.add_text(customer_.text()).add_tinyint(static_cast<std::int8_t>(signal_));
  cells.add_int(static_cast<std::int32_t>(slot));
  requests_.add(*statements_.write_slot, cells);
}

// Wherever this instance may have put them: in parts as they were before, too. What was found last
// counts, which is the part of before.
std::vector<ItemWriter::Row> ItemWriter::rows_to_find() const {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const Item& item = batch_[i];
    for (std::int32_t parts = parts_of(item.shard); parts > 0; parts /= 2) {
      rows.push_back({i, places_.part_of(part_hash(item.digest), parts)});
    }
  }
  sort_by_partition(rows);
  return rows;
}

// How many are there already. A log record keeps the place that its first arrival gave it; its day
// follows from its key.
Result<std::size_t> ItemWriter::find_stored() {
  const std::vector<Row> rows = rows_to_find();
  std::vector<SomeRows> asked;
  for (SomeRows left = rows; !left.empty(); left = left.subspan(asked.back().size())) {
    asked.push_back(send_find(left));
  }
  std::set<std::size_t> found;
  const auto pages = requests_.wait();
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (!pages[i]) return forward(pages[i]);
    for (std::size_t row = 0; row < pages[i]->rows(); ++row) {
      note_found(asked[i], pages[i]->row(row), found);
    }
  }
  return found.size();
}

void ItemWriter::note_found(SomeRows asked, RowReader row, std::set<std::size_t>& found) {
  const auto time_ns = static_cast<TimestampNs>(row.read_bigint());
  const std::string_view digest = row.read_blob();
  const std::int32_t equal = signal_ == Signal::kLogs ? row.read_int() : 0;
  const auto at = std::find_if(asked.begin(), asked.end(), [&](const Row& one) {
    const Item& item = batch_[one.item];
    return item.time_ns == time_ns && item.digest == digest && item.equal == equal;
  });
  if (at == asked.end()) return;
  found.insert(at->item);
  Item& item = batch_[at->item];
  item.shard = at->shard;
  if (signal_ == Signal::kTraces) return;
  const std::int64_t arrival = row.read_bigint();
  const std::int32_t number = row.read_int();
  if (!row.ok()) return;  // has no place yet
  item.arrival = arrival;
  item.number = number;
}

void ItemWriter::write_items() {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < batch_.size(); ++i) rows.push_back({i, batch_[i].shard});
  sort_by_partition(rows);
  for (SomeRows left = rows; !left.empty();) left = left.subspan(send_write(left).size());
}

// Before they are looked for.
void ItemWriter::place_items() {
  for (Item& item : batch_) {
    const std::size_t bytes = item.bytes.size() + kRowBytes;
    item.shard = places_.shard_for(customer_, place_of(item), part_hash(item.digest), bytes);
  }
}

EventPlace ItemWriter::place_of(const Item& item) const {
  if (signal_ == Signal::kTraces) return {PlaceKind::kTraceSpans, 0, item.trace_id};
  return {PlaceKind::kLogRows, item.day, "", log_slot_of(item.time_ns)};
}

// Under way together with the items: what is acknowledged is found. Without its item, of a request
// that ended early, a row of the index leads to nothing.
void ItemWriter::index_items() {
  for (const Item& item : batch_) {
    // The first part of a trace is always looked into.
    if (signal_ == Signal::kLogs || item.shard != kWholeShard) {
      places_.write(customer_, place_of(item), item.shard, times_.live_seconds, requests_, noted_);
    }
    if (signal_ == Signal::kLogs) {
      log_index_.add(item.time_ns, item.stream);
    } else {
      span_index_.add({item.time_ns, item.day, item.trace_id, item.resource, item.scope,
                       item.service, item.bytes});
    }
  }
  span_index_.send(requests_);
  log_index_.send(requests_);
}

// What is there already is written again: it may be so on one replica alone, where a write before
// ended early, and reading a column mends no other.
Result<void> ItemWriter::flush() {
  if (auto noted = requests_.wait_for_all(); !noted) return noted;
  place_items();
  const auto found = find_stored();
  if (!found) return forward(found);
  write_items();
  index_items();
  if (auto written = requests_.wait_for_all(); !written) return written;
  span_index_.note_written();
  log_index_.note_written();
  places_.noted().add(noted_);
  noted_.clear();
  stored_ += batch_.size() - *found;
  repeats_ += *found;
  batch_.clear();
  spans_.clear();
  bytes_ = 0;
  return {};
}

Result<void> ItemWriter::finish() {
  if (!failure_) return flush();
  return tl::unexpected<Error>(*failure_);
}

}  // namespace vigia::storage::store::cassandra
