// SeriesIndex: the searches.
#include <string>

#include "services/storage/index/index_key.hpp"
#include "services/storage/index/series_index.hpp"
#include "services/storage/kv/key.hpp"

namespace vigia::storage {

Result<void> SeriesIndex::select(CustomerNumber customer, const LabelMatchers& matchers,
                                 const std::function<bool(SelectedSeries)>& visit) const {
  const auto name = equality_on(matchers, kNameLabel);
  const std::string prefix =
      name.has_value() ? index_key::metric(customer, *name) : index_key::all_series(customer);
  const auto scan = store_.scan(Family::kIndex, prefix, after_prefix(prefix));
  while (scan->next()) {
    const auto labels = decode_label_views(scan->value());
    if (!labels) return tl::unexpected<Error>(labels.error());
    if (!all_match(matchers, *labels)) continue;
    if (scan->key().size() < sizeof(std::uint64_t)) {
      return fail(ErrorCode::kCorrupt, "cold store: a damaged series row");
    }
    std::string_view id = scan->key().substr(scan->key().size() - sizeof(std::uint64_t));
    bool ok = true;
    const SeriesId series{take_key_u64(id, ok)};
    if (!visit({customer, series, to_labels(*labels)})) return {};
  }
  return scan->status();
}

Result<std::vector<std::string>> SeriesIndex::label_names(CustomerNumber customer,
                                                          std::size_t limit) const {
  std::vector<std::string> names;
  const std::string prefix = index_key::all_labels(customer);
  const auto scan = store_.scan(Family::kIndex, prefix, after_prefix(prefix));
  while (names.size() < limit && scan->next()) {
    const std::string_view rest = scan->key().substr(prefix.size());
    names.emplace_back(rest.substr(0, rest.find('\0')));
    scan->seek(after_prefix(index_key::label(customer, names.back())));
  }
  if (auto status = scan->status(); !status) return forward(status);
  return names;
}

Result<std::vector<std::string>> SeriesIndex::label_values(CustomerNumber customer,
                                                           std::string_view name,
                                                           std::size_t limit) const {
  std::vector<std::string> values;
  const std::string prefix = index_key::label(customer, name);
  const auto scan = store_.scan(Family::kIndex, prefix, after_prefix(prefix));
  while (values.size() < limit && scan->next()) {
    values.emplace_back(scan->key().substr(prefix.size()));
  }
  if (auto status = scan->status(); !status) return forward(status);
  return values;
}

}  // namespace vigia::storage
