// Whose turn it is: what is picked from the side queue to be tried, and how it comes back.
#include <algorithm>

#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {
namespace {

constexpr std::size_t kMergedEntriesMax = 1024;  // files that are open for it, one by one

/// Whether a second entry may be tried in one go with the first.
bool goes_with(const SideHead& first, const SideHead& next) {
  return first.signal == next.signal && first.holds_records == next.holds_records &&
         first.stage == delivery::Parcel::SearchStage::kFresh &&
         next.stage == delivery::Parcel::SearchStage::kFresh;
}

}  // namespace

std::vector<SideItem> SideQueue::take_of(Customer& customer, std::uint64_t& bytes_left) {
  const TimePoint now = clock_.steady();
  const bool takes_records = takes_units(customer);
  const auto is_due = [&](const Waiting& waiting) {
    return !waiting.is_picked && waiting.item.not_before <= now &&
           (takes_records || !waiting.item.head.holds_records);
  };
  // By turns, for there is always some suspect that is due, and all of them are older.
  bool has_due[2] = {false, false};
  for (const auto& [number, waiting] : customer.entries)
    if (is_due(waiting)) has_due[is_suspect(waiting.item.head) ? 1 : 0] = true;
  const bool wants_suspects = has_due[1] && (!has_due[0] || !customer.had_suspects);
  customer.had_suspects = wants_suspects;
  std::vector<SideItem> taken;
  for (auto& [number, waiting] : customer.entries) {
    const SideHead& head = waiting.item.head;
    if (!is_due(waiting) || is_suspect(head) != wants_suspects) continue;
    if (!taken.empty() && !goes_with(taken.front().head, head)) {
      if (taken.front().head.stage != delivery::Parcel::SearchStage::kFresh) break;
      continue;
    }
    if (head.content_bytes > bytes_left && !taken.empty()) break;
    bytes_left -= std::min(bytes_left, head.content_bytes);
    waiting.is_picked = true;
    taken.push_back(waiting.item);
  }
  return taken;
}

std::vector<std::vector<SideItem>> SideQueue::pick(
    std::size_t customers_max, std::uint64_t bytes_max,
    const std::function<bool(const CustomerId&)>& wants) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  std::vector<Customer*> waiting;
  for (auto& [id, customer] : customers_) {
    if (customer.not_before > now) continue;
    const bool is_picked = std::any_of(customer.entries.begin(), customer.entries.end(),
                                       [](const auto& entry) { return entry.second.is_picked; });
    if (!is_picked && wants(customer.entries.begin()->second.item.head.customer))
      waiting.push_back(&customer);
  }
  // Who has waited longest for a turn is first, whatever it holds: in order of names or of amounts
  // the same few would always be served.
  std::sort(waiting.begin(), waiting.end(), [](const Customer* left, const Customer* right) {
    return left->last_turn < right->last_turn;
  });
  std::vector<std::vector<SideItem>> picked;
  const std::uint64_t share =
      bytes_max /
      std::clamp<std::size_t>(waiting.size(), 1, std::max<std::size_t>(1, customers_max));
  std::uint64_t left = bytes_max;
  for (Customer* customer : waiting) {
    if (picked.size() >= customers_max || left == 0) break;
    std::uint64_t own = std::min(share, left);
    const std::uint64_t before = own;
    auto taken = take_of(*customer, own);
    if (taken.empty()) continue;
    // A single entry may be larger than the share; what it takes is everybody's then.
    const bool is_large = own == 0 && taken.size() == 1;
    left -= is_large ? std::min(left, taken.front().head.content_bytes) : before - own;
    customer->last_turn = ++turn_;
    picked.push_back(std::move(taken));
  }
  return picked;
}

void SideQueue::put_back(const std::vector<SideItem>& items, Duration wait) {
  const std::lock_guard lock(mutex_);
  for (const SideItem& item : items) give_back(item, wait, is_suspect(item.head));
}

void SideQueue::postpone(const std::vector<SideItem>& items, Duration wait) {
  const std::lock_guard lock(mutex_);
  for (const SideItem& item : items) give_back(item, wait, true);
}

void SideQueue::give_back(const SideItem& item, Duration wait, bool is_alone) {
  const auto customer = customers_.find(item.head.customer.text());
  if (customer == customers_.end()) return;
  const auto found = customer->second.entries.find(item.number);
  if (found == customer->second.entries.end()) return;
  Waiting& waiting = found->second;
  waiting.is_picked = false;
  ++waiting.item.attempts;
  // One suspect's failure says nothing of the customer's other data; that of good data does.
  (is_alone ? waiting.item.not_before : customer->second.not_before) = clock_.steady() + wait;
}

std::vector<SideItem> SideQueue::pick_mergeable(const CustomerId& customer, Signal signal,
                                                Duration age_span) {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer.text());
  if (found == customers_.end()) return {};
  std::map<Duration::rep, std::vector<Waiting*>> by_age;
  for (auto& [number, waiting] : found->second.entries) {
    const SideHead& head = waiting.item.head;
    if (waiting.is_picked || !is_suspect(head) || head.holds_records || head.signal != signal ||
        head.plain_bytes > kMergedBytesMax / 2)
      continue;
    // An entry keeps the youngest age of what it holds, or something would be given up too early;
    // by spans, or merging again and again would keep it for ever.
    by_age[waiting.item.since.time_since_epoch() / age_span].push_back(&waiting);
  }
  for (const auto& [age, group] : by_age) {
    if (group.size() < kMergeEntries) continue;
    std::vector<SideItem> items;
    std::uint64_t bytes = 0;
    for (Waiting* waiting : group) {
      bytes += waiting->item.head.plain_bytes;
      if (bytes > kMergedBytesMax || items.size() == kMergedEntriesMax) break;
      waiting->is_picked = true;
      items.push_back(waiting->item);
    }
    return items;
  }
  return {};
}

void SideQueue::release(const std::vector<SideItem>& items) {
  const std::lock_guard lock(mutex_);
  for (const SideItem& item : items) {
    const auto customer = customers_.find(item.head.customer.text());
    if (customer == customers_.end()) continue;
    const auto found = customer->second.entries.find(item.number);
    if (found != customer->second.entries.end()) found->second.is_picked = false;
  }
}

void SideQueue::delay(const CustomerId& customer, Duration wait) {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer.text());
  if (found != customers_.end()) found->second.not_before = clock_.steady() + wait;
}

}  // namespace vigia::collector::side
