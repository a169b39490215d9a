// Which stream a log record is of, and whether a query asks for that stream.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/model/labels.hpp"
#include "services/storage/store/label_matcher.hpp"

namespace vigia::storage::store {

/// What is larger is of no stream: only a query for every stream gives its records.
inline constexpr std::size_t kStreamResourceBytesMax = 256U << 10U;

/// The labels of a stream are what its resource says: its attributes under their own names, but
/// customer.id, node.id, node.region and service.name with underscores, as the labels of metrics.
/// Appended, in the resource's order. Throws protozero::exception on damaged bytes.
void append_stream_labels(std::vector<Label>& labels, std::string_view resource);

/// Of one walk: looks at each resource once. Thread contract: one thread.
class StreamSelector {
 public:
  /// `matchers`, null for every stream, must outlive it.
  explicit StreamSelector(const LabelMatchers* matchers) : matchers_(matchers) {}
  /// Throws protozero::exception on damaged bytes.
  bool wants(std::string_view resource);

 private:
  const LabelMatchers* matchers_;
  std::unordered_map<std::uint64_t, bool> known_;  // by the resource's hash
};

}  // namespace vigia::storage::store
