#include "services/storage/api/service_calls.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::size_t kNode = 64;  // of a map, and what an allocation takes besides
// Spans of one resource come behind each other: its service is looked for once. A larger one is not
// copied for that.
constexpr std::size_t kResourceBytesMax = 64U << 10U;

/// 0 where it is none.
std::uint64_t span_id(std::string_view bytes) {
  std::uint64_t id = 0;
  if (bytes.size() == sizeof(id)) std::memcpy(&id, bytes.data(), sizeof(id));
  return id;
}

}  // namespace

Result<ServiceCalls::ServiceNumber> ServiceCalls::number_of(std::string_view resource) {
  if (!resource_.empty() && resource == resource_) return number_;
  const std::string_view name = store::service_of(resource);
  auto at = numbers_.find(name);
  if (at == numbers_.end()) {
    if (auto fits = memory_.add(name.size() + 2 * kNode); !fits) return forward(fits);
    at = numbers_.emplace(name, static_cast<ServiceNumber>(names_.size())).first;
    names_.push_back(&at->first);
  }
  number_ = at->second;
  resource_.assign(resource.size() <= kResourceBytesMax ? resource : std::string_view());
  return number_;
}

Result<void> ServiceCalls::add(const store::EventView& span, bool outside) {
  const store::SpanOutline outline = store::outline_of(span.item);
  const auto service = number_of(span.resource);
  if (!service) return forward(service);
  const std::uint64_t id = span_id(outline.span_id);
  if (id != 0) trace_.push_back({id, span_id(outline.parent_id), *service, outside});
  return {};
}

// Of one span several versions may be stored: those that say the same are one.
Result<void> ServiceCalls::end_trace() {
  const auto place = [](const SpanPlace& span) {
    return std::tie(span.id, span.parent, span.service);
  };
  std::sort(trace_.begin(), trace_.end());
  const auto end = std::unique(
      trace_.begin(), trace_.end(),
      [&](const SpanPlace& left, const SpanPlace& right) { return place(left) == place(right); });
  trace_.erase(end, trace_.end());
  Result<void> counted;
  for (const SpanPlace& span : trace_) {
    if (span.is_outside || span.parent == 0) continue;
    const auto parent =
        std::lower_bound(trace_.begin(), trace_.end(), span.parent,
                         [](const SpanPlace& one, std::uint64_t id) { return one.id < id; });
    const bool is_there = parent != trace_.end() && parent->id == span.parent;
    if (!is_there || parent->service == span.service) continue;
    counted = count(parent->service, span.service);
    if (!counted) break;
  }
  trace_.clear();
  return counted;
}

Result<void> ServiceCalls::count(ServiceNumber parent, ServiceNumber child) {
  const auto [at, is_new] = counts_.try_emplace({parent, child}, 0);
  if (is_new) {
    if (auto fits = memory_.add(2 * kNode); !fits) {
      counts_.erase(at);
      return fits;
    }
  }
  ++at->second;
  return {};
}

std::vector<ServiceCalls::CountedCall> ServiceCalls::calls() const {
  std::vector<CountedCall> calls;
  calls.reserve(counts_.size());
  for (const auto& [pair, count] : counts_) {
    calls.push_back({*names_[pair.first], *names_[pair.second], count});
  }
  std::sort(calls.begin(), calls.end(), [](const CountedCall& left, const CountedCall& right) {
    return std::tie(left.parent, left.child) < std::tie(right.parent, right.child);
  });
  return calls;
}

}  // namespace vigia::storage::api
