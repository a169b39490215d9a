#include "services/router/api/loki/log_labels.hpp"

#include <algorithm>
#include <utility>

#include "services/router/api/loki/level.hpp"
#include "services/router/api/loki/stream_query.hpp"

namespace vigia::router::api::loki {
namespace {

// What a resource says of its stream; storage's matchers know the same names.
constexpr std::pair<std::string_view, std::string_view> kOfResource[] = {
    {"customer.id", "customer_id"},
    {"environment", "environment"},
    {"node.id", "node_id"},
    {"service.name", "service_name"}};

std::string_view stream_label_of(std::string_view key) {
  for (const auto& [attribute, label] : kOfResource) {
    if (key == attribute) return label;
  }
  return {};
}

bool is_stream_label(std::string_view name) {
  return std::find(kStreamLabels.begin(), kStreamLabels.end(), name) != kStreamLabels.end();
}

void append_metadata(std::vector<Label>& labels, std::string_view key, std::string value) {
  std::string name = metadata_name(key);
  if (name.empty()) return;
  if (is_stream_label(name)) name += "_extracted";
  labels.push_back({std::move(name), std::move(value)});
}

}  // namespace

std::string metadata_name(std::string_view key) {
  std::string name;
  if (!key.empty() && key.front() >= '0' && key.front() <= '9') name += '_';
  for (const char c : key) {
    const bool is_word =
        c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_word ? c : '_';
  }
  return name;
}

Labels stream_labels(const LogRecord& record) {
  std::vector<Label> labels;
  for (const auto& [key, value] : record.resource) {
    const std::string_view name = stream_label_of(key);
    // An empty name of the customer's names nobody (is_of), and takes the own one's place as
    // little.
    if (name.empty() || (name == kCustomerLabel && value.empty())) continue;
    labels.push_back({std::string(name), value});
  }
  labels.push_back({"level", std::string(level_of(record.severity))});
  return Labels::from(std::move(labels));
}

Labels stream_labels(const CustomerId& customer, const CountedStream& stream) {
  return Labels::from({{std::string(kCustomerLabel), customer.text()},
                       {"environment", std::string(stream.environment)},
                       {"level", std::string(level_of(stream.severity))},
                       {"node_id", std::string(stream.node_id)},
                       {"service_name", std::string(stream.service_name)}});
}

Labels structured_metadata(const LogRecord& record) {
  std::vector<Label> labels;
  for (const auto& [key, value] : record.resource) {
    if (stream_label_of(key).empty()) append_metadata(labels, key, value);
  }
  for (const auto& [key, value] : record.attributes) append_metadata(labels, key, value);
  // Last, so that no attribute is taken for them where the record has its own.
  if (!record.trace_id.empty()) labels.push_back({"trace_id", std::string(record.trace_id)});
  if (!record.span_id.empty()) labels.push_back({"span_id", std::string(record.span_id)});
  if (level_of(record.severity) == "unknown" && !record.severity.empty()) {
    labels.push_back({"severity_text", std::string(record.severity)});
  }
  return Labels::from(std::move(labels));
}

}  // namespace vigia::router::api::loki
