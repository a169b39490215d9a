#include "services/storage/store/rocksdb/events/search_memory.hpp"

#include <algorithm>
#include <utility>

#include <xxhash.h>

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::events {

LatestSpans SearchMemory::take(customers::CustomerNumber customer, std::uint64_t question) {
  const std::lock_guard lock(mutex_);
  std::erase_if(searches_, [&](const Search& search) {
    return clock_.steady() >= search.kept_at + kRememberedFor;
  });
  const auto at = std::find_if(searches_.begin(), searches_.end(), [&](const Search& search) {
    return search.customer.value == customer.value && search.question == question;
  });
  if (at == searches_.end()) return {};
  LatestSpans spans = std::move(at->spans);
  searches_.erase(at);
  return spans;
}

void SearchMemory::keep(customers::CustomerNumber customer, std::uint64_t question,
                        LatestSpans spans) {
  while (spans.size() > kRememberedTracesOfOne) spans.erase(spans.begin());
  if (spans.empty()) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(searches_, [&](const Search& search) {
    return search.customer.value == customer.value && search.question == question;
  });
  const std::size_t more = spans.size();
  while (traces_of(customer) + more > kRememberedTracesOfOne) drop_oldest_of(customer);
  while (traces_of({}) + more > kRememberedTraces) drop_oldest_of({});
  searches_.push_back({customer, question, clock_.steady(), std::move(spans)});
}

std::size_t SearchMemory::traces() const {
  const std::lock_guard lock(mutex_);
  return traces_of({});
}

// Of all where none is named. The lock is held.
std::size_t SearchMemory::traces_of(std::optional<customers::CustomerNumber> customer) const {
  std::size_t traces = 0;
  for (const Search& search : searches_) {
    if (!customer || search.customer.value == customer->value) traces += search.spans.size();
  }
  return traces;
}

void SearchMemory::drop_oldest_of(std::optional<customers::CustomerNumber> customer) {
  const auto at = std::find_if(searches_.begin(), searches_.end(), [&](const Search& search) {
    return !customer || search.customer.value == customer->value;
  });
  if (at != searches_.end()) searches_.erase(at);
}

std::uint64_t question_of(const TraceQuery& query) {
  std::string text;
  append_u64(text, query.from_ns);
  append_u64(text, query.to_ns);
  append_u64(text, query.shortest_ns);
  append_u64(text, query.longest_ns);
  append_sized(text, query.service);
  append_sized(text, query.operation);
  for (const TagMatch& tag : query.tags) {
    append_sized(text, tag.key);
    append_sized(text, tag.value);
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace vigia::storage::store::rocksdb::events
