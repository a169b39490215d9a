#include "services/storage/store/rocksdb/customer_rows.hpp"

#include <algorithm>
#include <array>

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/row_owner.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

using customers::CustomerNumber;
using kv::Family;

constexpr std::size_t kForgottenAtOnce = 1'000;
constexpr std::string_view kHashes = "h";

std::string number_key(std::initializer_list<std::uint32_t> numbers) {
  std::string key;
  for (const std::uint32_t number : numbers) kv::append_key_u32(key, number);
  return key;
}

// Series stand at the end of both kinds of keys.
Result<void> add_series(kv::OrderedStore& store, Family family, const std::string& prefix,
                        std::vector<std::uint64_t>& series) {
  const auto scan = store.scan(family, prefix, kv::after_prefix(prefix));
  while (scan->next()) {
    std::string_view key = scan->key();
    if (key.size() < prefix.size() + sizeof(std::uint64_t)) continue;
    key.remove_prefix(key.size() - sizeof(std::uint64_t));
    bool ok = true;
    series.push_back(kv::take_key_u64(key, ok));
  }
  return scan->status();
}

// Nothing is written where there is nothing: a mark that a range is gone costs each later read.
Result<void> forget_prefix(kv::OrderedStore& store, Family family, const std::string& prefix) {
  const std::string end = kv::after_prefix(prefix);
  const auto scan = store.scan(family, prefix, end);
  const bool is_there = scan->next();
  if (auto read = scan->status(); !read) return read;
  return is_there ? store.drop_range(family, prefix, end) : Result<void>();
}

// Of rows whose keys are `lead`, a day and then one of `owners`.
Result<void> forget_by_days(kv::OrderedStore& store, Family family, const std::string& lead,
                            const std::vector<std::string>& owners) {
  const auto scan = store.scan(family, lead, kv::after_prefix(lead));
  while (scan->next()) {
    std::string_view key = scan->key().substr(lead.size());
    bool ok = true;
    const std::uint32_t day = kv::take_key_u32(key, ok);
    if (ok) {
      for (const std::string& owner : owners) {
        auto forgotten = forget_prefix(store, family, lead + number_key({day}) + owner);
        if (!forgotten) return forgotten;
      }
    }
    if (day == UINT32_MAX) break;
    scan->seek(lead + number_key({day + 1}));
  }
  return scan->status();
}

Result<void> forget_hashes(kv::OrderedStore& store, const CustomerRows& rows) {
  std::vector<kv::KeyValue> gone;
  const std::string prefix(kHashes);
  const auto scan = store.scan(Family::kIndex, prefix, kv::after_prefix(prefix));
  const auto flush = [&]() -> Result<void> {
    auto put = gone.empty() ? Result<void>() : store.put(gone, kv::Durability::kNow);
    gone.clear();
    return put;
  };
  while (scan->next()) {
    if (!is_of(rows, Family::kIndex, scan->key(), scan->value())) continue;
    gone.push_back({Family::kIndex, std::string(scan->key()), "", true});
    if (gone.size() < kForgottenAtOnce) continue;
    if (auto put = flush(); !put) return put;
  }
  if (auto read = scan->status(); !read) return read;
  return flush();
}

Result<void> forget_events(kv::OrderedStore& store, std::uint32_t number) {
  for (const Family family : {Family::kSpans, Family::kLogs}) {
    // Items, their origins, and what finds spans.
    const std::vector<std::string> owners = {number_key({number}), number_key({0, number}),
                                             number_key({0, 0, number})};
    if (auto forgotten = forget_by_days(store, family, "", owners); !forgotten) return forgotten;
    auto copies = forget_by_days(store, Family::kIdentity, events::event_key::origin_copies(family),
                                 {number_key({0, number})});
    if (!copies) return copies;
  }
  return {};
}

}  // namespace

Result<CustomerRows> rows_of(kv::OrderedStore& store, const CustomerId& id, CustomerNumber number) {
  CustomerRows rows{id, number, {}};
  auto named = add_series(store, Family::kIndex, index::index_key::all_series(number), rows.series);
  if (!named) return forward(named);
  auto copied =
      add_series(store, Family::kIdentity, index::index_key::all_copies(number), rows.series);
  if (!copied) return forward(copied);
  std::sort(rows.series.begin(), rows.series.end());
  rows.series.erase(std::unique(rows.series.begin(), rows.series.end()), rows.series.end());
  return rows;
}

Result<void> forget_rows(kv::OrderedStore& store, const CustomerRows& rows) {
  const std::uint32_t number = rows.number.value;
  // First, and on disk: once the series' own rows are gone nothing says whose a hash is.
  if (auto forgotten = forget_hashes(store, rows); !forgotten) return forgotten;
  for (const Family family : {Family::kChunks, Family::kRollup5m, Family::kRollup1h,
                              Family::kRollup1d, Family::kExemplars}) {
    auto forgotten = forget_by_days(store, family, "", {number_key({number})});
    if (!forgotten) return forgotten;
  }
  if (auto forgotten = forget_events(store, number); !forgotten) return forgotten;
  const std::array<std::pair<Family, std::string>, 5> prefixes = {{
      {Family::kDue, number_key({number})},
      {Family::kMetadata, number_key({number})},
      {Family::kIndex, index::index_key::all_labels(rows.number)},
      {Family::kIndex, index::index_key::all_series(rows.number)},
      {Family::kIdentity, index::index_key::all_copies(rows.number)},
  }};
  for (const auto& [family, prefix] : prefixes) {
    if (auto forgotten = forget_prefix(store, family, prefix); !forgotten) return forgotten;
  }
  return store.sync();
}

Result<void> forget_number(kv::OrderedStore& store, const CustomerId& id, CustomerNumber number) {
  const auto last = index::last_customer_number(store);
  if (!last) return tl::unexpected<Error>(last.error());
  const std::string key = index::index_key::customer(id.text());
  const std::string last_key(index::index_key::kLastCustomer);
  std::string value;
  append_u64(value, std::max(last->value, number.value));
  return store.put({{Family::kIndex, key, "", true},
                    {Family::kIdentity, key, "", true},
                    {Family::kIndex, last_key, value},
                    {Family::kIdentity, last_key, value}},
                   kv::Durability::kNow);
}

bool is_of(const CustomerRows& rows, Family family, std::string_view key, std::string_view value) {
  const bool is_index = family == Family::kIndex;
  if ((is_index || family == Family::kIdentity) &&
      key == index::index_key::customer(rows.id.text())) {
    return true;
  }
  if (is_index && key.starts_with(kHashes)) {
    ByteReader reader(value);
    const std::uint64_t series = reader.read_u64();
    return reader.ok() && std::binary_search(rows.series.begin(), rows.series.end(), series);
  }
  if (family == Family::kDue && key.starts_with(number_key({0}))) {  // the note of roll-ups
    std::string name;
    append_sized(name, rows.id.text());
    return value.find(name) != std::string_view::npos;
  }
  const auto owner = owner_of(family, key);
  return owner.has_value() && owner->customer == rows.number && rows.number.value != 0;
}

}  // namespace vigia::storage::store::rocksdb
