// Makes the rows by which the spans of a batch are found: written with them, in one write.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/rocksdb/events/name_rows.hpp"
#include "services/storage/store/rocksdb/events/span_block.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// What all spans of a resource and a scope have in common.
struct OriginTags {
  /// Throws protozero::exception on damaged bytes.
  OriginTags(std::string_view resource, std::string_view scope);
  std::string service;
  std::uint64_t service_hash;
  TagHashes tags{kCommonTagsMax};
};

/// Of one customer. Thread contract: one thread.
class SpanIndexer {
 public:
  /// `known` must outlive it.
  SpanIndexer(customers::CustomerNumber customer, KnownNames& known)
      : customer_(customer), names_(known) {}

  /// A span that is written, by its key; in the order of their keys, so that those of one trace
  /// come one after the other. Throws protozero::exception on damaged bytes.
  void add(std::string_view key, std::string_view span,
           const std::shared_ptr<const OriginTags>& origin);
  /// The rows of all that was added. `repairs`: the store's.
  std::vector<kv::KeyValue> finish(std::uint64_t repairs);
  /// Once they are written.
  void note_written() { names_.note_written(); }

 private:
  using Place = std::tuple<std::uint32_t, std::uint64_t, std::uint32_t>;  // day, service, bucket
  struct Block {
    explicit Block(std::uint32_t bucket) : builder(bucket) {}
    SpanBlockBuilder builder;
    std::unordered_set<const OriginTags*> origins;
  };

  void end_trace();
  void add_names(std::uint32_t day, std::string_view name, std::uint32_t kind,
                 const OriginTags& origin);

  const customers::CustomerNumber customer_;
  std::string trace_;                        // day and id of the one that is added to
  std::map<Place, TraceSummary> summaries_;  // of that trace
  std::map<Place, Block> blocks_;
  std::vector<std::shared_ptr<const OriginTags>> origins_;  // keeps those of the blocks
  NameRows names_;
  std::size_t span_bytes_ = 0;     // of all that was added
  std::size_t service_bytes_ = 0;  // of rows of services
};

}  // namespace vigia::storage::store::rocksdb::events
