// SeriesIndex: the second copy of series' labels. Rows of hashes, label values and customers follow
// from the series' rows; these follow from nothing else, and what chunks hold is found by them
// alone. The copies lie in files of their own, so one damaged block never costs both.
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

// Looked at with one hold of the lock that new series wait for.
constexpr std::size_t kSeriesAtOnce = 200;
// Between two of them: nobody waits for copies, and no lock is held meanwhile.
constexpr auto kCopyPause = std::chrono::milliseconds(2);
// 'l', customer, series.
constexpr std::size_t kCopyKeyBytes = 1 + 4 + 8;

// Which of the keys are not in the store.
Result<std::vector<bool>> find_missing(kv::OrderedStore& store, kv::Family family,
                                       const std::vector<std::string>& keys) {
  auto found = store.contains(family, {keys.begin(), keys.end()});
  if (!found) return found;
  found->flip();
  return found;
}

}  // namespace

// A series whose labels have another number by now was forgotten by a program that knew no copies,
// and came back: under both numbers it would be found twice.
Result<std::size_t> SeriesIndex::restore_some(const std::vector<UnresolvedSeries>& copies) {
  const std::lock_guard lock(create_mutex_);
  std::vector<std::string> keys;
  for (const UnresolvedSeries& one : copies) {
    keys.push_back(index_key::series(one.customer, one.labels.metric_name(), one.id));
  }
  const auto missing = find_missing(store_, kv::Family::kIndex, keys);
  if (!missing) return forward(missing);
  std::vector<kv::KeyValue> writes;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    if (!(*missing)[i]) continue;
    const std::string labels = encode_labels(copies[i].labels);
    const auto stored = find_stored(hash(copies[i].customer, labels));
    if (!stored) return forward(stored);
    if (stored->has_value() && **stored != copies[i].id) continue;
    // On which days it had samples is not known: without days it is looked for on all of them.
    writes.push_back({kv::Family::kIndex, std::move(keys[i]), labels});
    next_id_ = std::max(next_id_.load(), copies[i].id.value + 1);
  }
  if (writes.empty()) return 0U;
  if (auto put = store_.put(writes, kv::Durability::kLater); !put) return forward(put);
  return writes.size();
}

// The copies lie in another family, whose files one damaged block does not share. They are walked
// some hundred at a time, and each lot is looked up again under the locks (restore_some): writers
// make series meanwhile, and a row that is there must never be replaced by an older copy.
Result<std::size_t> SeriesIndex::restore_series(std::string_view from, std::string_view to,
                                                const GoesOn& goes_on) {
  kv::MalformedRows malformed(store_, "the copy of a series' labels that is malformed");
  const auto scan = store_.scan(kv::Family::kIdentity, from, to);
  std::vector<UnresolvedSeries> some;
  std::size_t restored = 0;
  for (bool is_end = false; !is_end;) {
    is_end = !scan->next();
    if (!is_end) {
      std::string_view key = scan->key().substr(1);
      bool ok = true;
      const customers::CustomerNumber customer{kv::take_key_u32(key, ok)};
      const store::SeriesId id{kv::take_key_u64(key, ok)};
      const auto labels = decode_label_views(scan->value());
      if (scan->key().size() != kCopyKeyBytes || !labels) {
        malformed.add(kv::Family::kIdentity, *scan);
        continue;
      }
      some.push_back({customer, to_labels(*labels), {}, id, false});
    }
    if (some.empty() || (!is_end && some.size() < kSeriesAtOnce)) continue;
    if (auto checked = check_goes_on(goes_on); !checked) return forward(checked);
    const auto done = restore_some(some);
    if (!done) return done;
    restored += *done;
    some.clear();
  }
  if (auto status = scan->status(); !status) return forward(status);
  if (restored > 0) {
    rows_restored_ += restored;
    service::log_warn("series' rows that were lost are written anew from their copies",
                      {{"series", fmt::to_string(restored)}});
  }
  return restored;
}

// What the walk saw may be gone by now.
Result<void> SeriesIndex::copy_some(std::vector<Copy>& copies) {
  std::vector<std::string> keys;
  for (const Copy& copy : copies) keys.push_back(copy.key);
  const auto missing = find_missing(store_, kv::Family::kIdentity, keys);
  if (!missing) return forward(missing);
  std::vector<kv::KeyValue> writes;
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    if (!(*missing)[i]) continue;
    writes.push_back(
        {kv::Family::kIdentity, std::move(copies[i].key), std::move(copies[i].labels)});
    rows.push_back(std::move(copies[i].row_key));
  }
  copies.clear();
  if (writes.empty()) return {};
  const std::lock_guard lock(create_mutex_);
  // With the lock: a copy of a series that was forgotten meanwhile would bring it back at the next
  // loss.
  const auto gone = find_missing(store_, kv::Family::kIndex, rows);
  if (!gone) return forward(gone);
  std::vector<kv::KeyValue> wanted;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (!(*gone)[i]) wanted.push_back(std::move(writes[i]));
  }
  return store_.put(wanted, kv::Durability::kLater);
}

Result<void> SeriesIndex::copy_series(customers::CustomerNumber customer, const GoesOn& goes_on) {
  const std::string prefix = index_key::all_series(customer);
  const auto scan = store_.scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
  std::vector<Copy> some;
  for (bool is_end = false; !is_end;) {
    is_end = !scan->next();
    if (!is_end) {
      const auto labels = decode_label_views(scan->value());
      std::string_view rest = scan->key();
      if (!labels || rest.size() < prefix.size() + sizeof(std::uint64_t)) continue;
      rest.remove_prefix(rest.size() - sizeof(std::uint64_t));
      bool ok = true;
      const store::SeriesId id{kv::take_key_u64(rest, ok)};
      some.push_back({index_key::copy(customer, id), std::string(scan->key()),
                      encode_labels(to_labels(*labels))});
    }
    if (some.empty() || (!is_end && some.size() < kSeriesAtOnce)) continue;
    if (auto checked = check_goes_on(goes_on); !checked) return checked;
    if (auto copied = copy_some(some); !copied) return copied;
    if (!is_end) std::this_thread::sleep_for(kCopyPause);
  }
  if (auto status = scan->status(); !status) return status;
  return store_.sync();
}

Result<void> SeriesIndex::check_goes_on(const GoesOn& goes_on) {
  if (!goes_on || goes_on()) return {};
  return fail(ErrorCode::kUnavailable, "the index: it is being closed");
}

Result<void> SeriesIndex::for_all_customers(
    const GoesOn& goes_on,
    const std::function<Result<void>(customers::CustomerNumber)>& work) const {
  Result<void> first;
  for (const Customer& customer : customers()) {
    if (auto checked = check_goes_on(goes_on); !checked) return checked;
    if (auto done = work(customer.number); !done && first) first = std::move(done);
  }
  return first;
}

// Answers lack nothing any more once all rows are there; copies are for the next loss.
Result<void> SeriesIndex::make_whole(const GoesOn& goes_on) {
  const std::uint64_t repairs = store_.repairs();
  Result<void> healed;
  if (repairs != repairs_at_open_) {
    healed = for_all_customers(goes_on, [&](customers::CustomerNumber customer) {
      return heal_customer_rows(customer, goes_on);
    });
  }
  if (healed) repairs_healed_ = repairs;
  const auto copied = for_all_customers(
      goes_on, [&](customers::CustomerNumber customer) { return copy_series(customer, goes_on); });
  return healed ? copied : healed;
}

}  // namespace vigia::storage::store::rocksdb::index
