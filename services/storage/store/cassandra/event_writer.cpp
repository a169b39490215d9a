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

}  // namespace

ItemWriter::ItemWriter(const EventTables& tables, const CustomerId& customer, Signal signal,
                       const ItemVerdicts& verdicts, const RequestTimes& times)
    : statements_(tables.statements),
      customer_(customer),
      signal_(signal),
      verdicts_(verdicts),
      times_(times),
      requests_(tables.session, customer.text()),
      index_(tables.statements, tables.places, customer, times.live_seconds) {}

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

BoundCells ItemWriter::key_of(const Item& item) const {
  BoundCells cells;
  cells.add_text(customer_.text());
  if (signal_ == Signal::kTraces) {
    cells.add_blob(item.trace_id).add_bigint(static_cast<std::int64_t>(item.time_ns));
    return std::move(cells.add_blob(item.digest));
  }
  cells.add_int(static_cast<std::int32_t>(item.time_ns / kSlotNs));
  cells.add_bigint(static_cast<std::int64_t>(item.time_ns)).add_blob(item.digest);
  return std::move(cells.add_int(item.equal));
}

void ItemWriter::write_item(const Item& item) {
  BoundCells cells = key_of(item);
  if (signal_ == Signal::kLogs) cells.add_bigint(item.arrival).add_int(item.number);
  cells.add_int(day_column(item.day)).add_blob(item.resource).add_blob(item.scope);
  cells.add_blob(item.bytes).add_int(times_.live_seconds);
  const Statement& statement =
      signal_ == Signal::kTraces ? statements_.write_span : statements_.write_record;
  requests_.add(*statement, cells);
}

// How many are there already. A log record keeps the place that its first arrival gave it; its day
// follows from its key.
Result<std::size_t> ItemWriter::find_stored() {
  const Statement& statement =
      signal_ == Signal::kTraces ? statements_.has_span : statements_.has_record;
  for (const Item& item : batch_) requests_.add(*statement, key_of(item));
  std::size_t found = 0;
  auto pages = requests_.wait();
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (!pages[i]) return forward(pages[i]);
    if (pages[i]->rows() == 0) continue;
    ++found;
    if (signal_ == Signal::kTraces) continue;
    RowReader row = pages[i]->row(0);
    const std::int64_t arrival = row.read_bigint();
    const std::int32_t number = row.read_int();
    if (!row.ok()) continue;  // has no place yet
    batch_[i].arrival = arrival;
    batch_[i].number = number;
  }
  return found;
}

// Under way together with the spans: what is acknowledged is found. Without its span, of a request
// that ended early, a row of the index leads to nothing.
void ItemWriter::index_spans() {
  if (signal_ != Signal::kTraces) return;
  for (const Item& item : batch_) {
    index_.add({item.time_ns, item.day, item.trace_id, item.resource, item.scope, item.service,
                item.bytes});
  }
  index_.send(requests_);
}

// What is there already is written again: it may be so on one replica alone, where a write before
// ended early, and reading a column mends no other.
Result<void> ItemWriter::flush() {
  if (auto noted = requests_.wait_for_all(); !noted) return noted;
  const auto found = find_stored();
  if (!found) return forward(found);
  for (const Item& item : batch_) write_item(item);
  index_spans();
  if (auto written = requests_.wait_for_all(); !written) return written;
  index_.note_written();
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
