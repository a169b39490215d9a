// SeriesIndex: the searches.
#include <string>
#include <utility>

#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb::index {

namespace {

// 's', customer, the name's end, the series.
constexpr std::size_t kSeriesKeyMin = 1 + 4 + 1 + 8;

}  // namespace

SeriesWalk::SeriesWalk(kv::OrderedStore& store, const Wanted& wanted, const WorkLimit& limit)
    : wanted_(wanted),
      limit_(limit),
      malformed_(std::make_unique<kv::MalformedRows>(store, "a series' row that is malformed")) {
  const auto name = equality_on(wanted.matchers, kNameLabel);
  const std::string prefix = name.has_value() ? index_key::metric(wanted.customer, *name)
                                              : index_key::all_series(wanted.customer);
  scan_ = store.scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
}

SeriesWalk::~SeriesWalk() = default;

Result<std::optional<FoundSeries>> SeriesWalk::next() {
  while (scan_ != nullptr && scan_->next()) {
    if (auto checked = limit_.check(); !checked) return forward(checked);
    const DayRange days = days_of_row(scan_->value());
    const auto labels = decode_label_views(scan_->value());
    if (!labels || scan_->key().size() < kSeriesKeyMin) {
      malformed_->add(kv::Family::kIndex, *scan_);
      continue;
    }
    // The days are in the row itself: a series that has long gone costs no look at its chunks.
    if (days != kNoDays && !days.overlaps(wanted_.days)) continue;
    if (!all_match(wanted_.matchers, *labels)) continue;
    std::string_view id = scan_->key().substr(scan_->key().size() - sizeof(std::uint64_t));
    bool ok = true;
    const SeriesId series{kv::take_key_u64(id, ok)};
    return std::optional<FoundSeries>(FoundSeries{series, to_labels(*labels)});
  }
  // A scan that has ended must not be asked again.
  const auto ended = std::exchange(scan_, nullptr);
  if (ended == nullptr) return std::optional<FoundSeries>();
  if (auto status = ended->status(); !status) return forward(status);
  return std::optional<FoundSeries>();
}

Result<std::optional<Labels>> SeriesIndex::labels_of(customers::CustomerNumber customer,
                                                     store::SeriesId series) const {
  const auto copy = store_.get(kv::Family::kIdentity, index_key::copy(customer, series));
  if (!copy) return tl::unexpected<Error>(copy.error());
  if (!copy->has_value()) return std::optional<Labels>();
  const auto labels = decode_label_views(**copy);
  if (!labels) return tl::unexpected<Error>(labels.error());
  return std::optional<Labels>(to_labels(*labels));
}

Result<void> SeriesIndex::label_names(customers::CustomerNumber customer, const TextQuery& query,
                                      const TextVisit& visit, const WorkLimit& limit) const {
  const DayRange days = without_expired(customer, query.days);
  const std::string prefix = index_key::all_labels(customer);
  // Behind all values of the name after which it begins.
  const std::string from =
      query.after.empty() ? prefix : kv::after_prefix(index_key::label(customer, query.after));
  const auto scan = store_.scan(kv::Family::kIndex, from, kv::after_prefix(prefix));
  while (scan->next()) {
    if (auto checked = limit.check(); !checked) return checked;
    if (!days_of_value(scan->value()).overlaps(days)) continue;
    const std::string_view rest = scan->key().substr(prefix.size());
    const std::string name(rest.substr(0, rest.find('\0')));
    if (!visit(name)) return {};
    // Over all values of the name at once: a name may have a million of them.
    scan->seek(kv::after_prefix(index_key::label(customer, name)));
  }
  return scan->status();
}

Result<void> SeriesIndex::label_values(customers::CustomerNumber customer, std::string_view name,
                                       const TextQuery& query, const TextVisit& visit,
                                       const WorkLimit& limit) const {
  const DayRange days = without_expired(customer, query.days);
  const std::string prefix = index_key::label(customer, name);
  // The smallest text behind another is that text and a NUL.
  const std::string from = query.after.empty() ? prefix : prefix + query.after + '\0';
  const auto scan = store_.scan(kv::Family::kIndex, from, kv::after_prefix(prefix));
  while (scan->next()) {
    if (auto checked = limit.check(); !checked) return checked;
    if (!days_of_value(scan->value()).overlaps(days)) continue;
    if (!visit(scan->key().substr(prefix.size()))) return {};
  }
  return scan->status();
}

}  // namespace vigia::storage::store::rocksdb::index
