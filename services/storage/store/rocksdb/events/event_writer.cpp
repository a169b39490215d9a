#include "services/storage/store/rocksdb/events/event_writer.hpp"

#include <algorithm>

#include "libs/base/check.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/items.hpp"
#include "services/storage/store/event_customer.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// What claims to be later is filed under today: it would else outlive every retention.
constexpr TimestampMs kAheadMax = kDayMs;
// A batch is written when it passes either. One item alone may be larger.
constexpr std::size_t kBatchRows = 10'000;
constexpr std::size_t kBatchBytes = 2U << 20U;
// Day, customer, time, hash, number.
constexpr std::size_t kLogKeyBytes = 4 + 4 + 8 + 16 + 4;
// Of a row of the index but its names.
constexpr std::size_t kIndexRowBytes = 64;

}  // namespace

void EventVerdicts::on_resource(const wire::otlp::ResourceView& resource) {
  is_good_resource_ = wire::otlp::is_valid_resource(resource.bytes) &&
                      names_customer(resource.bytes, target_.customer_id);
}

void EventVerdicts::on_scope(const wire::otlp::ScopeView& scope) {
  is_good_scope_ = wire::otlp::is_valid_scope(scope.bytes);
}

void EventVerdicts::on_item(std::uint32_t item, std::string_view bytes) {
  is_too_many_ = item >= kRequestItemsMax;
  if (is_too_many_) return;
  const bool is_good = is_good_resource_ && is_good_scope_ &&
                       (target_.signal == Signal::kTraces ? wire::otlp::is_valid_span(bytes)
                                                          : wire::otlp::is_valid_log_record(bytes));
  is_good_.push_back(is_good);
  if (!is_good) ++refused_;
}

EventWriter::EventWriter(const EventTarget& target, const EventVerdicts& verdicts,
                         const EventTimes& times)
    : target_(target),
      verdicts_(verdicts),
      now_ms_(times.now_ms),
      oldest_ms_(times.oldest_ms),
      arrival_(times.arrival),
      today_(day_of(times.now_ms)) {}

void EventWriter::on_resource(const wire::otlp::ResourceView& resource) {
  resource_view_ = {resource.bytes, resource.schema_url};
  scope_view_ = {};
  is_new_resource_ = true;
}

void EventWriter::on_scope(const wire::otlp::ScopeView& scope) {
  scope_view_ = {scope.bytes, scope.schema_url};
  is_new_scope_ = true;
}

void EventWriter::set_origin(Origin& origin, const OriginView& view) {
  scratch_.clear();
  append_origin(scratch_, view);
  origin = {view, scratch_.size(), hash_origin(scratch_)};
}

void EventWriter::hash_origins() {
  if (is_new_resource_) {
    set_origin(resource_, resource_view_);
    hasher_.set_resource(resource_view_);
    stream_.reset();
  }
  if (is_new_resource_ || is_new_scope_) {
    set_origin(scope_, scope_view_);
    hasher_.set_scope(scope_view_);
  }
  if (is_new_resource_ || is_new_scope_) {
    origins_day_ = UINT32_MAX;
    indexed_day_ = UINT32_MAX;
    tags_.reset();
  }
  is_new_resource_ = false;
  is_new_scope_ = false;
}

void EventWriter::on_item(std::uint32_t item, std::string_view bytes) {
  if (failure_.has_value() || !verdicts_.is_good(item)) return;
  hash_origins();
  target_.signal == Signal::kTraces ? add_span(item, bytes) : add_log_record(item, bytes);
  if (rows_.size() < kBatchRows && bytes_ < kBatchBytes) return;
  if (auto flushed = flush(); !flushed) failure_ = std::move(flushed.error());
}

// Without a time, and far ahead, a day's first moment: then the same item again that day has the
// same key.
TimestampNs EventWriter::filing_time(TimestampNs time_ns) {
  const auto time_ms = static_cast<TimestampMs>(time_ns / event_key::kNsPerMs);
  newest_ms_ = std::max(newest_ms_, time_ms);
  if (time_ns != 0 && time_ms <= now_ms_ + kAheadMax) return time_ns;
  return static_cast<TimestampNs>(now_ms_ / kDayMs * kDayMs) * event_key::kNsPerMs;
}

// A repeat of it on another day may have another key.
bool EventWriter::is_unsteady(TimestampNs time_ns) const {
  return time_ns == 0 || static_cast<TimestampMs>(time_ns / event_key::kNsPerMs) > now_ms_;
}

// What has no time is of today.
bool EventWriter::is_expired(TimestampNs time_ns) {
  if (time_ns == 0) return false;
  const bool is_old = static_cast<TimestampMs>(time_ns / event_key::kNsPerMs) < oldest_ms_;
  if (is_old) ++expired_;
  return is_old;
}

// trace, span, hash: two versions of a span are both kept.
void EventWriter::add_span(std::uint32_t item, std::string_view bytes) {
  const SpanKeyParts parts = span_key_parts(bytes);
  if (is_expired(parts.start_ns)) return;
  std::string key =
      event_key::prefix(event_key::day_of_ns(filing_time(parts.start_ns)), target_.customer);
  key += parts.trace_id;
  key += parts.span_id;
  hasher_.append(key, bytes);
  add_row(std::move(key), parts.start_ns, item, bytes);
}

// time, hash, which of several equal ones in the request.
void EventWriter::add_log_record(std::uint32_t item, std::string_view bytes) {
  const TimestampNs own_time_ns = log_record_time(bytes);
  if (is_expired(own_time_ns)) return;
  const TimestampNs time_ns = filing_time(own_time_ns);
  filed_.add(time_ns);
  std::string key;
  key.reserve(kLogKeyBytes);
  key += event_key::prefix(event_key::day_of_ns(time_ns), target_.customer);
  kv::append_key_u64(key, time_ns);
  // Equal records in one request are as many records; the same request again makes the same keys.
  // The hash is of all that the time of a key comes from.
  const OriginHash hash = hasher_.append(key, bytes);
  kv::append_key_u32(key, equal_[hash]++);
  add_row(std::move(key), own_time_ns, item, bytes);
}

void EventWriter::add_row(std::string key, TimestampNs own_ns, std::uint32_t item,
                          std::string_view bytes) {
  std::string_view rest = key;
  bool ok = true;
  // An item is a day ahead of today at most, so its origins, filed under the later of both days,
  // outlive it; and a request files them twice at most, whatever times its items claim.
  const std::uint32_t key_day = kv::take_key_u32(rest, ok);
  const std::uint32_t day = std::max(today_, key_day);
  if (day != origins_day_) {
    add_origin(day, resource_);
    add_origin(day, scope_);
    origins_day_ = day;
  }
  std::string value = encode_item({day, resource_.hash, scope_.hash, arrival_, item, bytes});
  bytes_ += key.size() + value.size();
  tag_origin();
  count_index(key_day);
  rows_.push_back({std::move(key), std::move(value), own_ns, tags_, stream_});
}

void EventWriter::tag_origin() {
  if (target_.signal == Signal::kLogs) {
    if (stream_ != nullptr) return;
    stream_ = std::make_shared<const StreamTag>(resource_view_.message, target_.names.seed());
  } else if (tags_ == nullptr) {
    tags_ = std::make_shared<const OriginTags>(resource_view_.message, scope_view_.message);
  }
}

// Of a block and of the names of the origin: once for each of its days, where items of several days
// do not take turns.
void EventWriter::count_index(std::uint32_t day) {
  if (day == indexed_day_) return;
  indexed_day_ = day;
  bytes_ += 2 * kIndexRowBytes + (stream_ != nullptr ? stream_->text : tags_->service).size();
}

void EventWriter::add_origin(std::uint32_t day, const Origin& origin) {
  if (!known_origins_.emplace(day, origin.hash).second) return;
  bytes_ += 2 * origin.encoded_bytes;  // and its copy
  origins_.push_back({day, target_.customer.value, origin.hash});
  origin_views_.push_back(origin.view);
}

Result<void> EventWriter::finish() {
  if (!failure_.has_value()) return flush();
  return tl::unexpected<Error>(*failure_);
}

EventWriter::Moved EventWriter::moved_keys() const {
  Moved moved;
  // What is filed by its arrival may have arrived before midnight.
  const auto days = target_.days.between(today_ - std::min(today_, 1U), today_);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const TimestampNs own_ns = rows_[i].own_ns;
    if (!is_unsteady(own_ns)) continue;
    for (const std::uint32_t day : days) {
      // At no moment of that day was it far ahead, as what a clock some seconds ahead has logged.
      const TimestampMs far_ms = static_cast<TimestampMs>(day) * kDayMs + kAheadMax;
      const auto own_ms = static_cast<TimestampMs>(own_ns / event_key::kNsPerMs);
      if (own_ns != 0 && own_ms <= far_ms) continue;
      moved.keys.push_back(event_key::moved_to(day, target_.signal, rows_[i].key));
      moved.rows.push_back(i);
    }
  }
  return moved;
}

Result<EventWriter::Stored> EventWriter::find_stored() const {
  const auto known = target_.origins.look(origins_, target_.store.repairs());
  std::vector<std::string> keys;  // of origins that are not known
  std::vector<std::size_t> origins;
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    if (known.are_known[i]) continue;
    keys.push_back(event_key::origin(origins_[i].day, target_.customer, origins_[i].hash));
    origins.push_back(i);
  }
  const Moved moved = moved_keys();
  std::vector<std::string_view> wanted;
  wanted.reserve(rows_.size() + keys.size() + moved.keys.size());
  for (const Row& row : rows_) wanted.emplace_back(row.key);
  wanted.insert(wanted.end(), keys.begin(), keys.end());
  wanted.insert(wanted.end(), moved.keys.begin(), moved.keys.end());
  const auto found = target_.store.contains(target_.family, wanted);
  if (!found) return forward(found);
  const auto rows_end = found->begin() + static_cast<std::ptrdiff_t>(rows_.size());
  Stored stored{{found->begin(), rows_end}, known.are_known, known.generation};
  std::size_t at = rows_.size();
  for (const std::size_t i : origins) stored.origins[i] = (*found)[at++];
  for (const std::size_t i : moved.rows) {
    if ((*found)[at++]) stored.rows[i] = true;
  }
  return stored;
}

// The store finds and takes keys in order far faster than at random. A span that stands twice in
// the batch is written once; of an earlier batch the store knows.
void EventWriter::sort_rows() {
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& left, const Row& right) { return left.key < right.key; });
  const auto end = std::unique(rows_.begin(), rows_.end(), [](const Row& left, const Row& right) {
    return left.key == right.key;
  });
  repeats_ += static_cast<std::uint64_t>(rows_.end() - end);
  rows_.erase(end, rows_.end());
}

void EventWriter::index_rows(const std::vector<bool>& is_stored, SpanIndexer& spans,
                             LogIndexer& logs) const {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (is_stored[i]) continue;
    if (target_.signal == Signal::kLogs) {
      logs.add(rows_[i].key, *rows_[i].stream);
      continue;
    }
    const auto span = decode_item(rows_[i].value);
    CHECK(span.has_value());  // it was encoded here
    spans.add(rows_[i].key, span->item, rows_[i].origin);
  }
}

// Origins and then items that are not stored; what was counted of them before stays.
std::vector<kv::KeyValue> EventWriter::take_new(const Stored& stored) {
  std::vector<kv::KeyValue> writes;
  writes.reserve(rows_.size());
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    if (stored.origins[i]) continue;
    std::string key = event_key::origin(origins_[i].day, target_.customer, origins_[i].hash);
    std::string value = encode_origin(origin_views_[i]);
    writes.push_back({kv::Family::kIdentity, event_key::origin_copy(target_.family, key), value});
    writes.push_back({target_.family, std::move(key), std::move(value)});
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (stored.rows[i]) continue;
    writes.push_back({target_.family, std::move(rows_[i].key), std::move(rows_[i].value)});
  }
  // Days are noted before the rows are there: a day without rows costs a look, rows of a day that
  // nobody knows would not be found. Once for neighbours: rows are in order.
  std::optional<std::uint32_t> noted;
  for (const kv::KeyValue& write : writes) {
    if (write.family != target_.family) continue;
    std::string_view rest = write.key;
    bool ok = true;
    const std::uint32_t day = kv::take_key_u32(rest, ok);
    if (day == noted) continue;
    target_.days.note(day);
    noted = day;
  }
  return writes;
}

Result<void> EventWriter::flush() {
  sort_rows();
  const auto stored = find_stored();
  if (!stored) return forward(stored);
  if (auto put = put_new(*stored); !put) return put;
  target_.origins.note(origins_, stored->origins_known);
  const auto repeats =
      static_cast<std::uint64_t>(std::count(stored->rows.begin(), stored->rows.end(), true));
  stored_ += rows_.size() - repeats;
  repeats_ += repeats;
  rows_.clear();
  origins_.clear();
  origin_views_.clear();
  bytes_ = 0;
  return {};
}

Result<void> EventWriter::put_new(const Stored& stored) {
  SpanIndexer spans(target_.customer, target_.names);
  LogIndexer logs(target_.customer, target_.names);
  index_rows(stored.rows, spans, logs);
  const bool is_logs = target_.signal == Signal::kLogs;
  std::vector<kv::KeyValue> writes = take_new(stored);
  if (writes.empty()) return {};
  // With the rows, in one write: no later start gives an arrival again that a row has, and no item
  // is there that no search finds.
  if (is_logs) writes.push_back(event_key::log_arrival_row(arrival_));
  const std::uint64_t repairs = target_.store.repairs();
  for (kv::KeyValue& row : is_logs ? logs.finish(repairs) : spans.finish(repairs)) {
    writes.push_back(std::move(row));
  }
  if (auto put = target_.store.put(writes, kv::Durability::kLater); !put) return put;
  is_logs ? logs.note_written() : spans.note_written();
  return {};
}

}  // namespace vigia::storage::store::rocksdb::events
