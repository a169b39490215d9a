#include "services/storage/store/rocksdb/events/span_indexer.hpp"

#include <algorithm>

#include <xxhash.h>

#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

constexpr std::size_t kIdAt = 2 * sizeof(std::uint32_t);  // behind day and customer
constexpr std::uint32_t kKindMax = 255;                   // one byte; beyond is no kind
// A service is named once a resource, and its row stands on each day that a span of it claims: of
// small spans with a day each it may be so many times their size, and so much more. Names of up to
// some 200 bytes, and longer ones of few days, always stand.
constexpr std::size_t kServiceRowsToSpans = 4;
constexpr std::size_t kServiceRowsFree = 64U << 10U;

class TagHasher final : public TagVisitor {
 public:
  explicit TagHasher(TagHashes& tags) : tags_(tags) {}
  bool on_tag(std::string_view key, const TagValue& value) override {
    return tags_.add(hash_tag(key, value.as_text(scratch_)));
  }

 private:
  TagHashes& tags_;
  std::string scratch_;
};

}  // namespace

OriginTags::OriginTags(std::string_view resource, std::string_view scope)
    : service(service_of(resource)), service_hash(search_key::hash_of(service)) {
  TagHasher hasher(tags);
  visit_origin_tags(resource, scope, hasher);
}

void SpanIndexer::add(std::string_view key, std::string_view span,
                      const std::shared_ptr<const OriginTags>& origin) {
  std::string_view rest = key;
  bool ok = true;
  const std::uint32_t day = kv::take_key_u32(rest, ok);
  const std::string_view trace = key.substr(0, kIdAt + kTraceIdBytes);
  if (trace != trace_) {
    end_trace();
    trace_ = trace;
  }
  span_bytes_ += span.size();
  const SpanOutline outline = outline_of(span);
  const TimestampNs time_ns = event_key::filed_ns(day, outline.start_ns);
  const Place place{day, origin->service_hash, search_key::bucket_of(time_ns)};
  TraceSummary& summary = summaries_[place];
  summary.earliest_ns = std::min(summary.earliest_ns, time_ns);
  summary.latest_ns = std::max(summary.latest_ns, time_ns);
  const std::uint8_t duration = rough_duration(outline.duration_ns());
  summary.shortest = std::min(summary.shortest, duration);
  summary.longest = std::max(summary.longest, duration);
  summary.operations.push_back(search_key::hash_of(outline.name));
  TagHasher hasher(summary.tags);
  visit_span_tags(span, hasher);
  Block& block = blocks_.try_emplace(place, std::get<2>(place)).first->second;
  if (block.origins.insert(origin.get()).second) {
    block.builder.add_common(origin->tags);
    if (origins_.empty() || origins_.back() != origin) origins_.push_back(origin);
  }
  add_names(day, outline.name, outline.kind, *origin);
}

void SpanIndexer::end_trace() {
  for (auto& [place, summary] : summaries_) {
    blocks_.at(place).builder.add(std::string_view(trace_).substr(kIdAt), std::move(summary));
  }
  summaries_.clear();
}

// Once a batch, and of names that are written already not even that.
void SpanIndexer::add_names(std::uint32_t day, std::string_view name, std::uint32_t kind,
                            const OriginTags& origin) {
  if (origin.service.size() > kListedNameMax || name.size() > kListedNameMax) return;
  const std::uint64_t own = (std::uint64_t{day} << 32U) | customer_.value;
  const std::uint64_t seed = names_.seed() ^ own;
  const std::uint64_t hash = XXH3_64bits_withSeed(name.data(), name.size(), seed) ^
                             (origin.service_hash * 0x9e3779b97f4a7c15U) ^ kind;
  if (!names_.is_first(hash)) return;
  std::string key = search_key::operations(day, customer_, origin.service_hash);
  key += name;
  key += '\0';
  key += static_cast<char>(kind <= kKindMax ? kind : 0);
  names_.add(hash, {kv::Family::kSpans, std::move(key), ""});
  const std::string& service = origin.service;
  const std::uint64_t service_name = XXH3_64bits_withSeed(service.data(), service.size(), ~seed);
  std::string row = search_key::services(day, customer_).append(service);
  if (service_bytes_ + row.size() > kServiceRowsFree + kServiceRowsToSpans * span_bytes_) return;
  if (!names_.is_first(service_name)) return;
  service_bytes_ += row.size();
  names_.add(service_name, {kv::Family::kSpans, std::move(row), ""});
}

std::vector<kv::KeyValue> SpanIndexer::finish(std::uint64_t repairs) {
  end_trace();
  std::vector<kv::KeyValue> rows;
  for (auto& [place, block] : blocks_) {
    const auto& [day, service, bucket] = place;
    std::string value = block.builder.finish();
    std::string key = search_key::block(search_key::blocks(day, customer_, service), bucket, value);
    rows.push_back({kv::Family::kSpans, std::move(key), std::move(value)});
  }
  names_.finish(repairs, rows);
  return rows;
}

}  // namespace vigia::storage::store::rocksdb::events
