#include "services/storage/api/metadata_batch.hpp"

#include <algorithm>
#include <array>

#include <xxhash.h>

#include "libs/base/utf8.hpp"
#include "libs/wire/remote_write/metadata.hpp"

namespace vigia::storage::api {
namespace {

using wire::remote_write::MetadataView;

bool is_good(const ingest::MetadataText& text) {
  return text.metric.size() <= store::kMetricBytesMax &&
         wire::remote_write::is_metric_name(text.metric) &&
         text.unit.size() <= store::kUnitBytesMax && is_utf8(text.unit) && is_utf8(text.help);
}

// That what one customer says is not taken for said by another.
std::uint64_t seen_key(const CustomerId& customer, const ingest::MetadataHash& hash) {
  const std::array<std::uint64_t, 2> both = {hash.metric, hash.content};
  const std::uint64_t own = XXH3_64bits(customer.text().data(), customer.text().size());
  return XXH3_64bits_withSeed(both.data(), sizeof(both), own);
}

bool is_same(const MetadataView& left, const MetadataView& right) {
  return left.type == right.type && left.family == right.family &&
         left.unit.data() == right.unit.data() && left.unit.size() == right.unit.size() &&
         left.help.data() == right.help.data() && left.help.size() == right.help.size();
}

}  // namespace

// Series of one metric follow each other, mostly.
void MetadataBatch::add_of_series(const CustomerId& customer, const MetadataView& metadata) {
  if (!is_stored_ || !metadata.is_there()) return;
  MetadataView family = metadata;
  // By 1.0's name, of which a classic histogram or a summary has several series.
  family.family = wire::remote_write::family_of(metadata.type, metadata.family);
  if (is_same(family, last_) && last_customer_ == customer.text()) return;
  last_ = family;
  last_customer_ = customer.text();
  add(customer, family);
}

void MetadataBatch::add(const CustomerId& customer, const MetadataView& metadata) {
  if (!is_stored_) return;
  // Before it is looked at: in 2.0 a text is as long as the request, and every series may name it.
  if (metadata.family.size() > store::kMetricBytesMax ||
      metadata.unit.size() > store::kUnitBytesMax) {
    ++counts_.received;
    ++counts_.refused;
    return;
  }
  const auto type = static_cast<std::uint8_t>(
      metadata.type <= store::kMetricTypeMax ? metadata.type : 0);  // as one that is not known
  ingest::MetadataText text{metadata.family, type, metadata.unit,
                            utf8_beginning(metadata.help, store::kHelpBytesMax)};
  const ingest::MetadataHash hash = ingest::hash_metadata(text);
  const std::uint64_t key = seen_key(customer, hash);
  if (seen_.contains(key)) return;
  ++counts_.received;
  const bool is_one_too_many = seen_.size() == kRequestMetadataMax;
  if (!is_one_too_many) seen_.insert(key);
  if (is_one_too_many || !is_good(text)) {
    ++counts_.refused;
    return;
  }
  if (is_stored_(customer, hash)) {
    ++counts_.known;
    return;
  }
  if (text.help.size() < metadata.help.size()) ++counts_.cut;
  owned_by(customer).push_back(
      {std::string(text.metric), type, std::string(text.unit), std::string(text.help), 0});
}

std::vector<store::MetricMetadata>& MetadataBatch::owned_by(const CustomerId& customer) {
  const auto at = std::find_if(owned_.begin(), owned_.end(),
                               [&](const auto& one) { return one.customer == customer; });
  if (at != owned_.end()) return at->metrics;
  return owned_.emplace_back(ingest::OwnedMetadata{customer, {}}).metrics;
}

}  // namespace vigia::storage::api
