#include "libs/model/labels.hpp"

#include <algorithm>

#include "libs/model/label_name.hpp"

namespace vigia {
namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Labels Labels::from(std::vector<Label> labels) {
  Labels result;
  // Stable: of equal names the one that was given last stays the last, and the merge keeps that.
  std::stable_sort(labels.begin(), labels.end(),
                   [](const Label& left, const Label& right) { return left.name < right.name; });
  for (Label& label : labels) {
    if (!result.labels_.empty() && result.labels_.back().name == label.name) {
      result.labels_.back() = std::move(label);
    } else {
      result.labels_.push_back(std::move(label));
    }
  }
  // Prometheus' rule: an empty label is no label. After the merge, so that an empty one that is
  // given last takes an earlier one away.
  std::erase_if(result.labels_, [](const Label& label) { return label.value.empty(); });
  return result;
}

std::string_view Labels::get(std::string_view name) const {
  const auto found =
      std::lower_bound(labels_.begin(), labels_.end(), name,
                       [](const Label& label, std::string_view key) { return label.name < key; });
  return found != labels_.end() && found->name == name ? std::string_view(found->value)
                                                       : std::string_view();
}

void Labels::set(std::string_view name, std::string_view value) {
  const auto found =
      std::lower_bound(labels_.begin(), labels_.end(), name,
                       [](const Label& label, std::string_view key) { return label.name < key; });
  const bool present = found != labels_.end() && found->name == name;
  // As `from` has it: an empty value is no label, however it came about.
  if (value.empty()) {
    if (present) labels_.erase(found);
  } else if (present) {
    found->value = value;
  } else {
    labels_.insert(found, Label{std::string(name), std::string(value)});
  }
}

std::string to_string(const Labels& labels) {
  const std::string_view metric = labels.metric_name();
  const bool is_quoted = !metric.empty() && !is_classic_metric_name(metric);
  std::string out(is_quoted ? std::string_view() : metric);
  out += '{';
  if (is_quoted) append_quoted(out, metric);
  bool first = !is_quoted;
  for (const Label& label : labels) {
    if (label.name == kNameLabel) continue;
    if (!first) out += ',';
    first = false;
    if (is_classic_label_name(label.name)) {
      out += label.name;
    } else {
      append_quoted(out, label.name);
    }
    out += '=';
    append_quoted(out, label.value);
  }
  out += '}';
  return out;
}

}  // namespace vigia
