// What is asked of the side queue, changing nothing.
#include <algorithm>

#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {
bool SideQueue::holds_records(const CustomerId& customer, Signal signal) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer.text());
  if (found == customers_.end()) return false;
  const auto& entries = found->second.entries;
  return std::any_of(entries.begin(), entries.end(), [signal](const auto& entry) {
    return entry.second.item.head.holds_records && entry.second.item.head.signal == signal;
  });
}

bool SideQueue::holds_fresh(const CustomerId& customer, Signal signal) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer.text());
  if (found == customers_.end()) return false;
  const auto& entries = found->second.entries;
  const TimePoint now = clock_.steady();
  return std::any_of(entries.begin(), entries.end(), [signal, now](const auto& entry) {
    const SideItem& item = entry.second.item;
    return !is_suspect(item.head) && item.head.signal == signal && item.not_before <= now;
  });
}

bool SideQueue::holds_any(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  return customers_.count(customer.text()) > 0;
}

bool SideQueue::is_at_share(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  return held_.count(customer) > 0;
}

std::size_t SideQueue::suspects(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer.text());
  if (found == customers_.end()) return 0;
  const auto& entries = found->second.entries;
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(),
                    [](const auto& entry) { return is_suspect(entry.second.item.head); }));
}

/// Half of the share is for what comes out, so that its other half still says what came in.
bool SideQueue::takes_units(const Customer& customer) const {
  return !keeps(customer) || customer.unit_bytes < settings_.customer_bytes_max / 2;
}

bool SideQueue::has_room_for_units(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer.text());
  return found == customers_.end() || takes_units(found->second);
}

SideQueueStats SideQueue::stats() const {
  const std::lock_guard lock(mutex_);
  SideQueueStats stats;
  stats.bytes = bytes_;
  for (const auto& [id, customer] : customers_) {
    stats.entries += customer.entries.size();
    for (const auto& [number, waiting] : customer.entries) {
      stats.items += waiting.item.head.items;
      const std::int64_t received_ms = waiting.item.head.received_ms;
      if (stats.oldest_received_ms == 0 || received_ms < stats.oldest_received_ms)
        stats.oldest_received_ms = received_ms;
    }
  }
  return stats;
}

std::map<CustomerId, std::uint64_t> SideQueue::room_by_customer() const {
  const std::lock_guard lock(mutex_);
  std::map<CustomerId, std::uint64_t> rooms;
  for (const auto& [id, customer] : customers_)
    rooms.emplace(customer.entries.begin()->second.item.head.customer, customer.room());
  return rooms;
}

std::map<std::string, std::uint64_t> SideQueue::items_by_customer() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::uint64_t> items;
  for (const auto& [id, customer] : customers_) items.emplace(id, customer.items);
  return items;
}

std::map<CustomerId, std::int64_t> SideQueue::oldest_by_customer() const {
  const std::lock_guard lock(mutex_);
  std::map<CustomerId, std::int64_t> oldest;
  for (const auto& [id, customer] : customers_) {
    for (const auto& [number, waiting] : customer.entries) {
      const SideHead& head = waiting.item.head;
      const auto [place, is_first] = oldest.try_emplace(head.customer, head.received_ms);
      if (!is_first) place->second = std::min(place->second, head.received_ms);
    }
  }
  return oldest;
}

std::uint64_t SideQueue::damaged() const {
  const std::lock_guard lock(mutex_);
  return damaged_;
}

}  // namespace vigia::collector::side
