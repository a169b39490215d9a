#include "services/storage/store/time_spans.hpp"

#include <algorithm>
#include <iterator>

namespace vigia::storage::store {
namespace {

// Nearer ones are one: looking through what lies between costs less than beginning anew.
constexpr TimestampNs kJoinedNs = 1'000'000'000;

bool touches(const TimeSpan& left, const TimeSpan& right) {
  return right.from_ns <= left.to_ns || right.from_ns - left.to_ns <= kJoinedNs;
}

}  // namespace

void TimeSpans::add(const TimeSpan& span) {
  // Nearly every time is in, or close behind, the last one.
  const auto at = std::find_if(spans_.begin(), spans_.end(),
                               [&](const TimeSpan& each) { return touches(each, span); });
  if (at == spans_.end()) {
    spans_.push_back(span);
    return join_nearest();
  }
  if (!touches(span, *at)) {
    spans_.insert(at, span);
    return join_nearest();
  }
  at->from_ns = std::min(at->from_ns, span.from_ns);
  at->to_ns = std::max(at->to_ns, span.to_ns);
  const auto next = std::next(at);
  while (next != spans_.end() && touches(*at, *next)) {
    at->to_ns = std::max(at->to_ns, next->to_ns);
    spans_.erase(next);
  }
}

void TimeSpans::join_nearest() {
  if (spans_.size() <= kSpansMax) return;
  std::size_t best = 0;
  const auto gap = [&](std::size_t i) { return spans_[i + 1].from_ns - spans_[i].to_ns; };
  for (std::size_t i = 1; i + 1 < spans_.size(); ++i) {
    if (gap(i) < gap(best)) best = i;
  }
  spans_[best].to_ns = spans_[best + 1].to_ns;
  spans_.erase(spans_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
}

}  // namespace vigia::storage::store
