#include "services/storage/api/event_taking.hpp"

#include <algorithm>

#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/json_cost.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::api {
namespace {

constexpr store::TimestampNs kNsPerMs = 1'000'000;

}  // namespace

Result<Taken> take_span(const store::EventView& event, JaegerTrace& trace,
                        lanes::AnswerMemory& memory) {
  const JsonCost cost = trace.cost_of(event);
  if (cost.memory() > kItemMemoryMax) return Taken::kTooLarge;
  const bool is_full = trace.bytes() + cost.json > kAnswerBytesMax;
  if (is_full || trace.spans() == kTraceSpansMax) return Taken::kNoMore;
  // Taken before it is written, by the upper bound of its size, and the rest given back after:
  // memory that is asked for too late has been used already.
  const std::size_t needed = kTraceCopies * cost.json + cost.scratch;
  if (auto fits = memory.add(needed); !fits) {
    if (fits.error().code != ErrorCode::kOverLimit) return forward(fits);
    return trace.spans() == 0 ? Taken::kTooLarge : Taken::kNoMore;
  }
  const std::size_t before = trace.bytes();
  trace.add(event, cost);
  memory.release(needed - std::min(needed, kTraceCopies * (trace.bytes() - before)));
  return Taken::kYes;
}

store::TimestampNs to_ns(TimestampMs time_ms) {
  return static_cast<store::TimestampNs>(std::max<TimestampMs>(time_ms, 0)) * kNsPerMs;
}

store::TimestampNs last_ns(TimestampMs end_ms) {
  return end_ms == INT64_MAX ? UINT64_MAX : to_ns(end_ms) + kNsPerMs - 1;
}

bool is_before(std::string_view span, store::TimestampNs from_ns) {
  if (from_ns == 0) return false;
  const store::TimestampNs start_ns = store::outline_of(span).start_ns;
  return start_ns != 0 && start_ns < from_ns;
}

store::TimestampNs kept_from_ns(const std::function<TimestampMs(const CustomerId&)>& kept_from,
                                const CustomerId& customer) {
  return kept_from ? to_ns(kept_from(customer)) : 0;
}

}  // namespace vigia::storage::api
