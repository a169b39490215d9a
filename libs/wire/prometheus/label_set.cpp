#include "libs/wire/prometheus/label_set.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "libs/model/labels.hpp"
#include "libs/wire/prometheus/names.hpp"

namespace vigia::wire::prometheus {
namespace {

constexpr std::size_t kOthers = 2;             // __name__, le
constexpr std::size_t kOthersBytesMax = 4096;  // with the name, and what encoding adds

/// How many of the labels, from the first on, a series has room for beside the shared ones.
std::size_t fitting(const std::vector<LabelPair>& own, const SharedLabels& shared) {
  std::size_t bytes = shared.bytes.size() + kOthersBytesMax;
  std::size_t count = 0;
  for (const auto& [name, value] : own) {
    bytes += name.size() + value.size();
    if (bytes > kSeriesLabelBytesMax || shared.labels.size() + kOthers + count >= kSeriesLabelsMax)
      break;
    ++count;
  }
  return count;
}

}  // namespace

RejectReason label_fault(const std::vector<LabelPair>& labels, const LabelLimits& limits,
                         std::string& why) {
  constexpr std::size_t kNameShown = 100;
  if (limits.value_bytes == 0) return RejectReason::kNone;
  for (const auto& [name, value] : labels) {
    const bool is_name = name.size() > limits.value_bytes;
    if (!is_name && value.size() <= limits.value_bytes) continue;
    why = fmt::format("label \"{}\" has {} bytes{}, label_value_bytes is {}",
                      name.substr(0, kNameShown), is_name ? name.size() : value.size(),
                      is_name ? " of name" : "", limits.value_bytes);
    return RejectReason::kLabelValueBytes;
  }
  return RejectReason::kNone;
}

RejectReason count_fault(const std::vector<LabelPair>& own, std::size_t shared_count,
                         const LabelLimits& limits, std::string& why) {
  if (limits.labels == 0 || own.size() + shared_count <= limits.labels) return RejectReason::kNone;
  const auto given = static_cast<std::size_t>(std::count_if(
      own.begin(), own.end(), [](const LabelPair& label) { return !label.second.empty(); }));
  if (given + shared_count <= limits.labels) return RejectReason::kNone;
  why = fmt::format("{} labels, labels_per_series is {}", given + shared_count, limits.labels);
  return RejectReason::kLabelsPerSeries;
}

std::size_t bytes_of(const std::vector<LabelPair>& labels) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : labels) bytes += name.size() + value.size();
  return bytes;
}

bool fits_a_series(const std::vector<LabelPair>& own, const SharedLabels& shared) {
  return fits_a_series(own.size(), bytes_of(own), shared);
}

bool fits_a_series(std::size_t own_labels, std::size_t own_bytes, const SharedLabels& shared) {
  return shared.labels.size() + kOthers + own_labels <= kSeriesLabelsMax &&
         shared.bytes.size() + kOthersBytesMax + own_bytes <= kSeriesLabelBytesMax;
}

void keep_what_fits(std::vector<LabelPair>& own, const SharedLabels& shared) {
  own.resize(fitting(own, shared));
}

bool has_reserved_job(const std::vector<LabelPair>& own) {
  return std::any_of(own.begin(), own.end(), [](const LabelPair& label) {
    return label.first == "job" && is_reserved_job(label.second);
  });
}

std::uint32_t append_attribute_labels(std::vector<LabelPair>& out,
                                      const otlp::Attributes& attributes,
                                      const AttributeNaming& naming) {
  std::vector<otlp::KeyValueView> entries;
  otlp::for_each_attribute(
      attributes, [&entries](const otlp::KeyValueView& entry) { entries.push_back(entry); });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& left, const auto& right) { return left.key < right.key; });
  std::vector<LabelPair> found;
  std::uint32_t joined = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const otlp::KeyValueView& entry = entries[i];
    // Keys are unique by the specification; of a key sent twice the last value counts.
    if (i + 1 < entries.size() && entries[i + 1].key == entry.key) {
      ++joined;
      continue;
    }
    if (naming.is_left_out != nullptr && naming.is_left_out(entry.key)) continue;
    std::string name = label_name(entry.key);
    if (name.empty() || name == kCustomerLabel) continue;
    if (!naming.prefix.empty())
      name = label_name(fmt::format("{}{}", naming.prefix, entry.key), naming.keeps_utf8);
    else if (naming.keeps_utf8)
      name = label_name(entry.key, true);
    std::string value;
    otlp::append_value_text(value, entry.value);
    if (!value.empty()) found.emplace_back(std::move(name), std::move(value));
  }
  // Sorted, not searched: a sender may give a million keys, all of one name.
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  for (auto next = found.begin(); next != found.end();) {
    LabelPair& label = out.emplace_back(std::move(*next));
    std::unordered_set<std::string> values;
    for (++next; next != found.end() && next->first == label.first; ++next) {
      ++joined;
      if (values.empty()) values.insert(label.second);
      if (!values.insert(next->second).second) continue;
      label.second += ';';
      label.second += next->second;
    }
  }
  return joined;
}

}  // namespace vigia::wire::prometheus
