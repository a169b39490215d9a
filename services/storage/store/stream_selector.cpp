#include "services/storage/store/stream_selector.hpp"

#include <utility>

#include <xxhash.h>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::store {
namespace {

// Attributes that matchers know by another name.
constexpr std::pair<std::string_view, std::string_view> kLabelNames[] = {
    {"customer.id", "customer_id"},
    {"node.id", "node_id"},
    {"node.region", "node_region"},
    {"service.name", "service_name"}};

// A walk over records of ever new resources must not keep them all.
constexpr std::size_t kKnownMax = 10'000;

bool has_all(const LabelMatchers& matchers, std::string_view resource) {
  std::vector<Label> labels;
  append_stream_labels(labels, resource);
  const Labels sorted = Labels::from(std::move(labels));
  std::vector<LabelTexts> views;
  for (const Label& label : sorted) views.emplace_back(label.name, label.value);
  return all_match(matchers, views);
}

}  // namespace

void append_stream_labels(std::vector<Label>& labels, std::string_view resource) {
  wire::otlp::for_each_attribute({resource, wire::otlp::ResourceField::kAttributes.number},
                                 [&](const wire::otlp::KeyValueView& attribute) {
                                   // Ours to set: no attribute that is called so takes its place.
                                   if (attribute.key == kCustomerLabel) return;
                                   std::string name(attribute.key);
                                   for (const auto& [from, to] : kLabelNames) {
                                     if (name == from) name = to;
                                   }
                                   std::string value;
                                   wire::otlp::append_value_text(value, attribute.value);
                                   // Names nobody, and takes the own name's place as little.
                                   if (name == kCustomerLabel && value.empty()) return;
                                   labels.push_back({std::move(name), std::move(value)});
                                 });
}

// By a hash of 64 bits: who finds two resources with one hash is told of his own records alone.
bool StreamSelector::wants(std::string_view resource) {
  if (matchers_ == nullptr) return true;
  if (resource.size() > kStreamResourceBytesMax) return false;
  const std::uint64_t hash = XXH3_64bits(resource.data(), resource.size());
  if (const auto at = known_.find(hash); at != known_.end()) return at->second;
  if (known_.size() == kKnownMax) known_.clear();
  return known_.emplace(hash, has_all(*matchers_, resource)).first->second;
}

}  // namespace vigia::storage::store
