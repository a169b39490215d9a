#include "services/router/api/loki/stream_cache.hpp"

#include <algorithm>
#include <unordered_set>

namespace vigia::router::api::loki {
namespace {

constexpr std::size_t kNodeBytes = 96;  // of a map, beside what it holds
constexpr std::size_t kStretchBytes = kNodeBytes + 128;

std::size_t bytes_of(const Labels& labels) {
  std::size_t bytes = kNodeBytes;
  for (const Label& label : labels) bytes += sizeof label + label.name.size() + label.value.size();
  return bytes;
}

/// Beside what is counted already.
std::size_t bytes_of(const StreamCache::Streams& streams,
                     std::unordered_set<const Labels*>& counted) {
  std::size_t bytes = kStretchBytes + streams.capacity() * sizeof streams[0];
  for (const auto& [labels, amounts] : streams) {
    if (counted.insert(labels.get()).second) bytes += bytes_of(*labels);
  }
  return bytes;
}

}  // namespace

std::shared_ptr<const StreamCache::Streams> StreamCache::find(const std::string& customer,
                                                              const std::string& selector,
                                                              std::uint64_t stretch) {
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const auto whose = customers_.find(customer);
  if (whose == customers_.end()) return nullptr;
  const auto of = whose->second.selectors.find(selector);
  if (of == whose->second.selectors.end()) return nullptr;
  const auto at = of->second.stretches.find(stretch);
  if (at == of->second.stretches.end() || now - at->second.kept >= kStretchKept) return nullptr;
  whose->second.used = of->second.used = now;
  return at->second.streams;
}

void StreamCache::keep(const std::string& customer, const std::string& selector,
                       std::uint64_t first, std::vector<Streams> stretches) {
  const TimePoint now = clock_.steady();
  std::vector<Stretch> kept;
  std::unordered_set<const Labels*> counted;
  for (Streams& streams : stretches) {
    const std::size_t bytes = bytes_of(streams, counted);
    kept.push_back({now, std::make_shared<const Streams>(std::move(streams)), bytes});
  }
  const std::lock_guard lock(mutex_);
  const auto whose = customers_.try_emplace(customer).first;
  whose->second.used = now;
  forget_old(whose->second, now);
  const auto [of, is_new] = whose->second.selectors.try_emplace(selector);
  of->second.used = now;
  if (is_new) count(whose->second, of->second, kNodeBytes + sizeof(Selector) + selector.size());
  for (Stretch& stretch : kept) {
    const std::uint64_t number = first++;
    if (!make_room(whose, selector, stretch.bytes)) continue;
    Stretch& place = of->second.stretches[number];
    uncount(whose->second, of->second, place.bytes);
    count(whose->second, of->second, stretch.bytes);
    place = std::move(stretch);
  }
}

std::size_t StreamCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void StreamCache::count(Customer& customer, Selector& selector, std::size_t bytes) {
  selector.bytes += bytes;
  customer.bytes += bytes;
  bytes_ += bytes;
}

void StreamCache::uncount(Customer& customer, Selector& selector, std::size_t bytes) {
  selector.bytes -= bytes;
  customer.bytes -= bytes;
  bytes_ -= bytes;
}

void StreamCache::forget_old(Customer& customer, TimePoint now) {
  for (auto of = customer.selectors.begin(); of != customer.selectors.end();) {
    const auto selector = of++;
    forget_old(selector->second, customer, now);
    if (selector->second.stretches.empty()) forget(customer, selector);
  }
}

void StreamCache::forget_old(Selector& selector, Customer& customer, TimePoint now) {
  std::erase_if(selector.stretches, [&](const auto& one) {
    if (now - one.second.kept < kStretchKept) return false;
    uncount(customer, selector, one.second.bytes);
    return true;
  });
}

void StreamCache::forget(Customer& customer, Selectors::iterator selector) {
  customer.bytes -= selector->second.bytes;
  bytes_ -= selector->second.bytes;
  customer.selectors.erase(selector);
}

bool StreamCache::make_room(Customers::iterator whose, const std::string& selector,
                            std::size_t bytes) {
  Customer& customer = whose->second;
  while (customer.bytes + bytes > kCustomerBytesMax) {
    auto oldest = customer.selectors.end();
    for (auto at = customer.selectors.begin(); at != customer.selectors.end(); ++at) {
      if (at->first == selector) continue;
      if (oldest == customer.selectors.end() || at->second.used < oldest->second.used) oldest = at;
    }
    if (oldest == customer.selectors.end()) return false;
    forget(customer, oldest);
  }
  while (bytes_ + bytes > kBytesMax) {
    auto oldest = customers_.end();
    for (auto at = customers_.begin(); at != customers_.end(); ++at) {
      if (at == whose) continue;
      if (oldest == customers_.end() || at->second.used < oldest->second.used) oldest = at;
    }
    if (oldest == customers_.end()) return false;
    bytes_ -= oldest->second.bytes;
    customers_.erase(oldest);
  }
  return true;
}

}  // namespace vigia::router::api::loki
