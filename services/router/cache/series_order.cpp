#include "services/router/cache/series_order.hpp"

#include <algorithm>

#include <simdjson.h>

namespace vigia::router::cache {

std::optional<DecodedLabels> decode_labels(std::string_view json) {
  DecodedLabels labels;
  try {
    simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(json);
    simdjson::ondemand::document document = parser.iterate(padded);
    for (auto field : document.get_object()) {
      std::string name(std::string_view(field.unescaped_key()));
      labels.emplace_back(std::move(name), std::string_view(field.value().get_string()));
    }
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
  return labels;
}

int compare_labels(const DecodedLabels& left, const DecodedLabels& right) {
  const std::size_t both = std::min(left.size(), right.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (const int names = left[i].first.compare(right[i].first); names != 0) return names;
    if (const int values = left[i].second.compare(right[i].second); values != 0) return values;
  }
  if (left.size() == right.size()) return 0;
  return left.size() < right.size() ? -1 : 1;
}

}  // namespace vigia::router::cache
