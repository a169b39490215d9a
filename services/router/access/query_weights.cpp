#include "services/router/access/query_weights.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

namespace vigia::router::access {
namespace {

constexpr std::size_t kEntryBytes = 256;  // beside its text
constexpr std::size_t kCustomerBytes = 512;
constexpr TimestampMs kSlackMin = 60'000;  // a page that is refreshed once a minute

std::uint64_t length_of(const promql::TimeRange& range) {
  // Without signs: the two may lie further apart than a signed number reaches.
  return static_cast<std::uint64_t>(range.to_ms) - static_cast<std::uint64_t>(range.from_ms);
}

bool is_light(const QueryCost& cost) {
  return cost.samples <= QueryWeights::kLightSamplesMax &&
         cost.bytes <= QueryWeights::kLightBytesMax;
}

}  // namespace

/// Steps and length by powers of two: a page's last hour and its last day are remembered apart.
std::string QueryWeights::key_of(const QueryShape& shape) {
  return fmt::format("{} {} {}", std::bit_width(shape.steps),
                     std::bit_width(length_of(shape.touches)), shape.text);
}

bool QueryWeights::is_like(const Seen& seen, const QueryShape& shape) {
  if (shape.steps > seen.steps + seen.steps / 4 + 2) return false;
  const auto tenth = static_cast<TimestampMs>(length_of(seen.touches) / 10);
  const TimestampMs slack = std::max(kSlackMin, tenth);
  // Times may lie at the ends of what a number holds.
  const auto is_near = [slack](TimestampMs earlier, TimestampMs later) {
    return earlier <= later ||
           static_cast<std::uint64_t>(earlier) - static_cast<std::uint64_t>(later) <=
               static_cast<std::uint64_t>(slack);
  };
  return is_near(seen.touches.from_ms, shape.touches.from_ms) &&
         is_near(shape.touches.to_ms, seen.touches.to_ms);
}

Weight QueryWeights::weigh(const std::string& customer, const QueryShape& shape) {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  if (found == customers_.end()) return Weight::kUnknown;
  Customer& own = found->second;
  own.used_at = ++uses_;
  const auto entry = own.by_key.find(key_of(shape));
  if (entry == own.by_key.end() || !is_like(*entry->second, shape)) {
    return own.is_suspect ? Weight::kHeavy : Weight::kUnknown;
  }
  own.seen.splice(own.seen.begin(), own.seen, entry->second);
  return is_light(entry->second->cost) ? Weight::kLight : Weight::kHeavy;
}

std::optional<std::uint64_t> QueryWeights::samples_of(const std::string& customer,
                                                      const QueryShape& shape) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  if (found == customers_.end()) return std::nullopt;
  const auto entry = found->second.by_key.find(key_of(shape));
  if (entry == found->second.by_key.end() || !is_like(*entry->second, shape)) return std::nullopt;
  const std::uint64_t samples = entry->second->cost.samples;
  return samples == QueryCost::kUnknownSamples ? std::nullopt : std::optional(samples);
}

void QueryWeights::note(const std::string& customer, const QueryShape& shape, QueryCost cost) {
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = customers_.try_emplace(customer);
  Customer& own = place->second;
  if (is_new) bytes_ += kCustomerBytes;
  own.used_at = ++uses_;
  own.is_suspect = !is_light(cost);
  std::string key = key_of(shape);
  if (key.size() <= kTextBytesMax) {
    if (const auto old = own.by_key.find(key); old != own.by_key.end()) {
      own.seen.splice(own.seen.end(), own.seen, old->second);
      forget_last(own);
    }
    const std::size_t size = key.size() + kEntryBytes;
    own.seen.push_front({std::move(key), shape.touches, shape.steps, cost});
    own.by_key.emplace(own.seen.front().key, own.seen.begin());
    own.bytes += size;
    bytes_ += size;
  }
  while (own.bytes > kCustomerBytesMax) forget_last(own);
  make_room();
}

void QueryWeights::forget_last(Customer& customer) {
  const Seen& last = customer.seen.back();
  const std::size_t size = last.key.size() + kEntryBytes;
  customer.by_key.erase(last.key);
  customer.seen.pop_back();
  customer.bytes -= size;
  bytes_ -= size;
}

/// Whoever was here least lately goes as a whole.
void QueryWeights::make_room() {
  while (bytes_ > kTotalBytesMax) {
    const auto oldest = std::min_element(
        customers_.begin(), customers_.end(),
        [](const auto& a, const auto& b) { return a.second.used_at < b.second.used_at; });
    bytes_ -= oldest->second.bytes + kCustomerBytes;
    customers_.erase(oldest);
  }
}

std::size_t QueryWeights::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace vigia::router::access
