// SeriesIndex: the searches.
#include <string>

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb::index {

namespace {

// 's', customer, the name's end, the series.
constexpr std::size_t kSeriesKeyMin = 1 + 4 + 1 + 8;

// Of a label value's row. What an older version wrote does not say, and is shown.
bool is_seen_since(std::string_view value, std::uint32_t first_day) {
  ByteReader reader(value);
  const std::uint32_t last = reader.read_u32();
  return !reader.ok() || last >= first_day;
}

}  // namespace

Result<void> SeriesIndex::select(store::CustomerNumber customer, const LabelMatchers& matchers,
                                 const DayRange& wanted,
                                 const std::function<bool(SelectedSeries)>& visit,
                                 const lanes::WorkLimit& limit) const {
  const auto name = equality_on(matchers, kNameLabel);
  const std::string prefix =
      name.has_value() ? index_key::metric(customer, *name) : index_key::all_series(customer);
  kv::MalformedRows malformed(store_, "a series' row that is malformed");
  const auto scan = store_.scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
  while (scan->next()) {
    if (auto checked = limit.check(); !checked) return checked;
    const DayRange days = days_of_row(scan->value());
    const auto labels = decode_label_views(scan->value());
    if (!labels || scan->key().size() < kSeriesKeyMin) {
      malformed.add(kv::Family::kIndex, *scan);
      continue;
    }
    // The days are in the row itself: a series that has long gone costs no look at its chunks.
    if (days != kNoDays && !days.overlaps(wanted)) continue;
    if (!all_match(matchers, *labels)) continue;
    std::string_view id = scan->key().substr(scan->key().size() - sizeof(std::uint64_t));
    bool ok = true;
    const store::SeriesId series{kv::take_key_u64(id, ok)};
    if (!visit({customer, series, to_labels(*labels)})) return {};
  }
  return scan->status();
}

Result<void> SeriesIndex::label_names(store::CustomerNumber customer, std::uint32_t first_day,
                                      const TextVisit& visit, const lanes::WorkLimit& limit) const {
  const std::string prefix = index_key::all_labels(customer);
  const auto scan = store_.scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
  while (scan->next()) {
    if (auto checked = limit.check(); !checked) return checked;
    if (!is_seen_since(scan->value(), first_day)) continue;
    const std::string_view rest = scan->key().substr(prefix.size());
    const std::string name(rest.substr(0, rest.find('\0')));
    if (!visit(name)) return {};
    // Over all values of the name at once: a name may have a million of them.
    scan->seek(kv::after_prefix(index_key::label(customer, name)));
  }
  return scan->status();
}

Result<void> SeriesIndex::label_values(store::CustomerNumber customer, std::string_view name,
                                       std::uint32_t first_day, const TextVisit& visit,
                                       const lanes::WorkLimit& limit) const {
  const std::string prefix = index_key::label(customer, name);
  const auto scan = store_.scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
  while (scan->next()) {
    if (auto checked = limit.check(); !checked) return checked;
    if (!is_seen_since(scan->value(), first_day)) continue;
    if (!visit(scan->key().substr(prefix.size()))) return {};
  }
  return scan->status();
}

}  // namespace vigia::storage::store::rocksdb::index
