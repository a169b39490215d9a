#include "services/router/json/metadata.hpp"

#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "libs/base/json_text.hpp"
#include "libs/model/labels.hpp"

namespace vigia::router::json {
namespace {

namespace dom = simdjson::dom;

// Of an entry of the tree, beside its text.
constexpr std::size_t kEntryBytes = 128;

std::string entry_of(dom::element said) {
  return fmt::format(
      R"({{"type":{},"help":{},"unit":{}}})", std::string(simdjson::minify(said["type"])),
      std::string(simdjson::minify(said["help"])), std::string(simdjson::minify(said["unit"])));
}

bool is_of(dom::element target, const std::optional<CustomerId>& customer) {
  if (!customer) return true;
  std::string_view value;
  return target[kCustomerLabel].get_string().get(value) == simdjson::SUCCESS &&
         value == customer->text();
}

template <typename Walk>
Result<MetricMetadata> walked(std::string_view json, const Walk& walk) {
  try {
    dom::parser parser;
    MetricMetadata found;
    walk(parser.parse(json.data(), json.size()).value(), found);
    return found;
  } catch (const simdjson::simdjson_error&) {
    return fail(ErrorCode::kCorrupt, "what a store says of metrics cannot be read");
  }
}

}  // namespace

void MetricMetadata::add(std::string_view metric, std::string entry) {
  auto at = entries_.find(metric);
  if (at == entries_.end()) {
    at = entries_.try_emplace(std::string(metric)).first;
    bytes_ += metric.size() + kEntryBytes;
  }
  const std::size_t size = entry.size() + kEntryBytes;
  if (at->second.insert(std::move(entry)).second) bytes_ += size;
}

void MetricMetadata::add(const MetricMetadata& other) {
  for (const auto& [metric, entries] : other.entries_) {
    for (const std::string& entry : entries) add(metric, entry);
  }
}

Result<MetricMetadata> MetricMetadata::read(std::string_view json) {
  return walked(json, [](dom::element root, MetricMetadata& found) {
    for (const dom::key_value_pair metric : root.get_object()) {
      for (const dom::element said : metric.value.get_array()) {
        found.add(metric.key, entry_of(said));
      }
    }
  });
}

Result<MetricMetadata> MetricMetadata::read_targets(std::string_view json,
                                                    const std::optional<CustomerId>& customer,
                                                    std::string_view asked) {
  return walked(json, [&](dom::element root, MetricMetadata& found) {
    for (const dom::element item : root.get_array()) {
      // The store was asked for this customer's targets alone: this is the second fence.
      if (customer && !is_of(item["target"], customer)) continue;
      std::string_view metric = asked;
      if (asked.empty()) metric = item["metric"].get_string();
      found.add(metric, entry_of(item));
    }
  });
}

bool MetricMetadata::write(const MetadataLimits& limits, std::string& out) const {
  out += '{';
  std::size_t written = 0;
  for (const auto& [metric, entries] : entries_) {
    if (limits.metrics && written == *limits.metrics) break;
    if (written++ > 0) out += ',';
    append_json_text(out, metric);
    out += ":[";
    std::size_t count = 0;
    for (const std::string& entry : entries) {
      if (limits.each > 0 && count == limits.each) break;
      if (count++ > 0) out += ',';
      out += entry;
    }
    out += ']';
  }
  out += '}';
  return written == entries_.size();
}

}  // namespace vigia::router::json
