#include "libs/wire/prometheus/label_set.hpp"

#include <algorithm>

#include "libs/model/labels.hpp"
#include "libs/wire/prometheus/names.hpp"

namespace vigia::wire::prometheus {
namespace {

/// Whether one of the parts of "a;b" is `value`.
bool has_part(std::string_view joined, std::string_view value) {
  for (;;) {
    const std::size_t end = joined.find(';');
    if (joined.substr(0, end) == value) return true;
    if (end == std::string_view::npos) return false;
    joined.remove_prefix(end + 1);
  }
}

}  // namespace

void append_attribute_labels(std::vector<LabelPair>& out, const otlp::Attributes& attributes,
                             std::string_view prefix) {
  std::vector<otlp::KeyValueView> entries;
  otlp::for_each_attribute(
      attributes, [&entries](const otlp::KeyValueView& entry) { entries.push_back(entry); });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& left, const auto& right) { return left.key < right.key; });
  const auto begin = static_cast<std::ptrdiff_t>(out.size());
  std::string_view last_key;
  bool has_last = false;
  for (const otlp::KeyValueView& entry : entries) {
    // Keys are unique by the specification; of a key sent twice the first value counts.
    if (has_last && entry.key == last_key) continue;
    last_key = entry.key;
    has_last = true;
    std::string name = label_name(entry.key);
    if (name.empty() || name == kCustomerLabel) continue;
    if (!prefix.empty()) name = label_name(std::string(prefix) + name);
    std::string value;
    otlp::append_value_text(value, entry.value);
    if (value.empty()) continue;
    const auto same = std::find_if(out.begin() + begin, out.end(),
                                   [&name](const LabelPair& label) { return label.first == name; });
    if (same == out.end()) {
      out.emplace_back(std::move(name), std::move(value));
    } else if (!has_part(same->second, value)) {
      same->second += ';';
      same->second += value;
    }
  }
}

}  // namespace vigia::wire::prometheus
