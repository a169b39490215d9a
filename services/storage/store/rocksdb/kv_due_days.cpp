#include "services/storage/store/rocksdb/kv_due_days.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr std::size_t kMarkedAtOnce = 512;  // series' days of a step of mark_stored
constexpr std::size_t kForgottenAtOnce = 512;
constexpr std::uint32_t kNobody = 0;  // customers are numbered from 1

std::string mark_key(customers::CustomerNumber customer, const DuePlace& place) {
  std::string key;
  kv::append_key_u32(key, customer.value);
  kv::append_key_u64(key, place.series.value);
  kv::append_key_u32(key, place.day);
  return key;
}

std::string note_key() {
  std::string key;
  kv::append_key_u32(key, kNobody);
  return key + "note";
}

std::string mark_value(DueKind kind, std::uint64_t stamp) {
  std::string value(1, static_cast<char>(kind));
  append_u64(value, stamp);
  return value;
}

bool is_kind(std::uint8_t number) {
  return number >= static_cast<std::uint8_t>(DueKind::kFound) &&
         number <= static_cast<std::uint8_t>(DueKind::kLost);
}

// `key` is what follows the customer. Nothing where it is no mark.
std::optional<DueDay> parse_mark(std::string_view key, std::string_view value) {
  DueDay due;
  bool ok = true;
  due.place.series.value = kv::take_key_u64(key, ok);
  due.place.day = kv::take_key_u32(key, ok);
  ByteReader reader(value);
  const std::uint8_t kind = reader.read_u8();
  due.stamp = reader.read_u64();
  if (!ok || !key.empty() || !reader.ok() || !is_kind(kind)) return std::nullopt;
  due.kind = static_cast<DueKind>(kind);
  return due;
}

// Any start will do as long as no two processes' stamps of a day meet.
std::uint64_t random_stamp() {
  std::random_device random;
  constexpr unsigned kHalf = 32;
  return static_cast<std::uint64_t>(random()) << kHalf | random();
}

}  // namespace

KvDueDays::KvDueDays(kv::OrderedStore& store) : store_(store), next_stamp_(random_stamp()) {}

kv::KeyValue KvDueDays::mark_of(customers::CustomerNumber customer, const DuePlace& place,
                                DueKind kind) {
  return {kv::Family::kDue, mark_key(customer, place), mark_value(kind, next_stamp_++)};
}

// Both included; the last day that there is has none after it.
void KvDueDays::add_marks(customers::CustomerNumber customer, const ChunkRow& row,
                          std::vector<kv::KeyValue>& writes) {
  if (!is_marking_) return;
  const std::uint64_t last = window_day_of(row.last_ms);
  for (std::uint64_t day = window_day_of(row.first_ms); day <= last; ++day) {
    writes.push_back(
        mark_of(customer, {row.series, static_cast<std::uint32_t>(day)}, DueKind::kPut));
  }
}

void KvDueDays::note_marked(customers::CustomerNumber customer, const ChunkRow& row) {
  if (is_marking_) note_marked(customer.value, window_day_of(row.first_ms));
}

void KvDueDays::note_marked(std::uint32_t customer, std::uint32_t day) {
  const std::lock_guard lock(mutex_);
  const auto at = first_marked_.find(customer);
  if (at != first_marked_.end()) at->second = std::min(at->second, day);
}

std::uint32_t KvDueDays::take_first_marked(customers::CustomerNumber customer) {
  const std::lock_guard lock(mutex_);
  return std::exchange(first_marked_.try_emplace(customer.value, 0).first->second, UINT32_MAX);
}

Result<std::vector<DueDay>> KvDueDays::due(customers::CustomerNumber customer, const DuePlace& from,
                                           std::size_t max) const {
  std::string prefix;
  kv::append_key_u32(prefix, customer.value);
  std::vector<DueDay> days;
  auto read = add_marks_between(mark_key(customer, from), kv::after_prefix(prefix), max, days);
  if (!read) return forward(read);
  return days;
}

// Marks that are gone lie there until tables are written anew, and a scan goes over them to the
// next one that is there: each has its end, or it would go over those of all series behind it.
Result<std::vector<DueDay>> KvDueDays::due_of(customers::CustomerNumber customer,
                                              std::span<const SeriesId> series,
                                              const DayRange& range) const {
  std::vector<DueDay> days;
  for (const SeriesId one : series) {
    const std::string behind_last = mark_key(customer, {one, range.last}) + '\0';
    auto read = add_marks_between(mark_key(customer, {one, range.first}), behind_last,
                                  std::numeric_limits<std::size_t>::max(), days);
    if (!read) return forward(read);
  }
  return days;
}

Result<void> KvDueDays::add_marks_between(const std::string& from, const std::string& to,
                                          std::size_t max, std::vector<DueDay>& days) const {
  const auto scan = store_.scan(kv::Family::kDue, from, to);
  kv::MalformedRows malformed(store_, "a mark of a day that is none");
  while (days.size() < max && scan->next()) {
    std::string_view key = scan->key();
    bool ok = true;
    kv::take_key_u32(key, ok);
    const auto day = ok ? parse_mark(key, scan->value()) : std::nullopt;
    if (day.has_value()) {
      days.push_back(*day);
    } else {
      malformed.add(kv::Family::kDue, *scan);
    }
  }
  return scan->status();
}

Result<void> KvDueDays::done(customers::CustomerNumber customer, std::span<const DueDay> days) {
  std::vector<kv::GuardedWrite> writes;
  writes.reserve(days.size());
  for (const DueDay& day : days) {
    writes.push_back({{kv::Family::kDue, mark_key(customer, day.place), "", true},
                      mark_value(day.kind, day.stamp)});
  }
  auto gone = store_.put_unchanged(writes);
  if (!gone) return forward(gone);
  return {};
}

Result<void> KvDueDays::set_lost(customers::CustomerNumber customer, std::span<const DueDay> days) {
  std::vector<kv::GuardedWrite> writes;
  writes.reserve(days.size());
  for (const DueDay& day : days) {
    writes.push_back(
        {mark_of(customer, day.place, DueKind::kLost), mark_value(day.kind, day.stamp)});
  }
  auto set = store_.put_unchanged(writes);
  if (!set) return forward(set);
  return {};
}

// Customers are not asked for: the marks of one whose name was lost would stay for ever.
Result<std::size_t> KvDueDays::forget_before(std::uint32_t day) {
  std::size_t count = 0;
  std::vector<kv::GuardedWrite> writes;
  const auto forget = [&]() -> Result<void> {
    const auto gone = store_.put_unchanged(std::exchange(writes, {}));
    if (!gone) return forward(gone);
    count += *gone;
    return {};
  };
  std::string first;  // behind the note
  kv::append_key_u32(first, kNobody + 1);
  const auto scan = store_.scan(kv::Family::kDue, first, "");
  while (scan->next()) {
    std::string_view key = scan->key();
    bool ok = true;
    kv::take_key_u32(key, ok);
    const auto mark = parse_mark(key, scan->value());
    if (!ok || !mark.has_value() || mark->place.day >= day) continue;  // malformed: as in `due`
    writes.push_back(
        {{kv::Family::kDue, std::string(scan->key()), "", true}, std::string(scan->value())});
    if (writes.size() < kForgottenAtOnce) continue;
    if (auto gone = forget(); !gone) return forward(gone);
  }
  if (auto status = scan->status(); !status) return forward(status);
  if (auto gone = forget(); !gone) return forward(gone);
  return count;
}

// A put may mark one of them between the look and the write: then it is only not known any more
// that there are samples. A lost day had some, and what lies there may be theirs, saved since: it
// is due again, as if put, so that it is lost once more where they are not.
Result<std::vector<kv::KeyValue>> KvDueDays::without_marked(std::vector<kv::KeyValue> marks) {
  std::vector<std::string_view> keys;
  for (const kv::KeyValue& mark : marks) keys.push_back(mark.key);
  const auto is_there = store_.contains(kv::Family::kDue, keys);
  if (!is_there) return forward(is_there);
  std::vector<kv::KeyValue> left;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (is_there->at(i)) {
      const auto value = store_.get(kv::Family::kDue, marks[i].key);
      if (!value) return tl::unexpected<Error>(value.error());
      if (!value->value_or("").starts_with(static_cast<char>(DueKind::kLost))) continue;
      marks[i].value = mark_value(DueKind::kPut, next_stamp_++);
    }
    left.push_back(std::move(marks[i]));
  }
  return left;
}

// One look for each series' day: where its rows end is not known without reading them, so that the
// day after is marked too.
Result<std::string> KvDueDays::mark_stored(const std::string& place) {
  std::vector<kv::KeyValue> writes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> firsts;  // customer, day
  std::string next;
  const auto scan = store_.scan(kv::Family::kChunks, place, "");
  for (std::size_t marked = 0; scan->next(); ++marked) {
    if (marked == kMarkedAtOnce) {
      next = std::string(scan->key());
      break;
    }
    std::string_view key = scan->key();
    bool ok = true;
    const std::uint32_t day = kv::take_key_u32(key, ok);
    const customers::CustomerNumber customer{kv::take_key_u32(key, ok)};
    const SeriesId series{kv::take_key_u64(key, ok)};
    const std::size_t prefix_bytes = scan->key().size() - key.size();
    const TimestampMs first_ms = kv::take_key_i64(key, ok);
    if (!ok) continue;  // whoever reads its day sets it aside
    // A row of midnight is of the day before; no damaged time makes it more.
    const std::uint32_t first = day > 0 && window_day_of(first_ms) < day ? day - 1 : day;
    const std::uint32_t last = day == UINT32_MAX ? day : day + 1;
    for (std::uint64_t marks = first; marks <= last; ++marks) {
      writes.push_back(
          mark_of(customer, {series, static_cast<std::uint32_t>(marks)}, DueKind::kFound));
    }
    firsts.emplace_back(customer.value, first);
    const std::string behind = kv::after_prefix(std::string(scan->key().substr(0, prefix_bytes)));
    if (behind.empty()) break;
    scan->seek(behind);
  }
  if (auto status = scan->status(); !status) return forward(status);
  const auto unmarked = without_marked(std::move(writes));
  if (!unmarked) return tl::unexpected<Error>(unmarked.error());
  if (auto put = store_.put(*unmarked, kv::Durability::kLater); !put) return forward(put);
  for (const auto& [customer, day] : firsts) note_marked(customer, day);
  return next;
}

Result<std::string> KvDueDays::note() const {
  auto row = store_.get(kv::Family::kDue, note_key());
  if (!row) return tl::unexpected<Error>(row.error());
  return row->value_or("");
}

Result<void> KvDueDays::set_note(const std::string& note) {
  return store_.put({{kv::Family::kDue, note_key(), note}}, kv::Durability::kNow);
}

Result<void> check_due_row(std::string_view key, std::string_view value) {
  if (key == note_key()) return {};  // what it says is its writer's
  bool ok = true;
  kv::take_key_u32(key, ok);
  if (ok && parse_mark(key, value).has_value()) return {};
  return fail(ErrorCode::kCorrupt, "cold store: a mark of a day that is none");
}

}  // namespace vigia::storage::store::rocksdb
