#include "services/router/cache/kept_answers.hpp"

#include <algorithm>
#include <utility>

namespace vigia::router::cache {
namespace {

constexpr std::size_t kEntryBytes = 256;  // lists, tables and counts around one

}  // namespace

std::size_t KeptAnswers::share(std::size_t customers) const {
  return std::min(settings_.customer_max, settings_.total_max / (customers + 1));
}

std::size_t KeptAnswers::answer_bytes_max() const {
  const std::lock_guard lock(mutex_);
  return share(customers_.size() + 1);
}

void KeptAnswers::drop(Customer& customer, Entries::iterator entry, Entries& gone) {
  customer.bytes -= entry->bytes;
  stats_.bytes -= entry->bytes;
  --stats_.answers;
  customer.by_key.erase(entry->key);
  gone.splice(gone.end(), customer.entries, entry);
}

void KeptAnswers::drop(const std::string& customer, const std::string& key, Entries& gone) {
  const auto owner = customers_.find(customer);
  if (owner == customers_.end()) return;
  const auto found = owner->second.by_key.find(key);
  if (found != owner->second.by_key.end()) drop(owner->second, found->second, gone);
  if (owner->second.entries.empty()) customers_.erase(owner);
}

void KeptAnswers::forget(const std::string& customer, const std::string& key) {
  Entries gone;
  const std::lock_guard lock(mutex_);
  drop(customer, key, gone);
}

std::shared_ptr<const KeptAnswer> KeptAnswers::find(const std::string& customer,
                                                    const std::string& key, std::string_view state,
                                                    TimePoint now) {
  Entries gone;
  const std::lock_guard lock(mutex_);
  const auto owner = customers_.find(customer);
  if (owner == customers_.end()) return nullptr;
  Customer& own = owner->second;
  const auto found = own.by_key.find(key);
  if (found == own.by_key.end()) return nullptr;
  const auto entry = found->second;
  const bool is_outdated = entry->answer->state != state;
  if (is_outdated || now - entry->answer->read_at > kAgeMax) {
    ++(is_outdated ? stats_.outdated : stats_.aged);
    drop(own, entry, gone);
    if (own.entries.empty()) customers_.erase(owner);
    return nullptr;
  }
  own.entries.splice(own.entries.begin(), own.entries, entry);
  return entry->answer;
}

/// In the customer's own share first, of what it used least lately; then of whoever has most, which
/// is somebody over his share where there is one.
bool KeptAnswers::make_room(const std::string& customer, std::size_t bytes, Entries& gone) {
  const auto found = customers_.find(customer);
  const std::size_t most = share(customers_.size() + (found == customers_.end() ? 1 : 0));
  if (bytes > most) return false;
  const auto drop_last = [&](Customer& whose) {
    ++stats_.crowded;
    drop(whose, std::prev(whose.entries.end()), gone);
  };
  if (found != customers_.end()) {
    while (found->second.bytes + bytes > most) drop_last(found->second);
  }
  while (stats_.bytes + bytes > settings_.total_max) {
    const auto largest = std::max_element(
        customers_.begin(), customers_.end(),
        [](const auto& left, const auto& right) { return left.second.bytes < right.second.bytes; });
    drop_last(largest->second);
    if (largest->second.entries.empty()) customers_.erase(largest);
  }
  return true;
}

void KeptAnswers::keep(const std::string& customer, const std::string& key,
                       std::shared_ptr<const KeptAnswer> answer) {
  const std::size_t bytes = kEntryBytes + key.size() + answer->matrix.bytes();
  Entries gone;
  const std::lock_guard lock(mutex_);
  drop(customer, key, gone);
  if (!make_room(customer, bytes, gone)) return;
  Customer& own = customers_[customer];
  own.entries.push_front({key, std::move(answer), bytes});
  own.by_key.emplace(own.entries.front().key, own.entries.begin());
  own.bytes += bytes;
  stats_.bytes += bytes;
  ++stats_.answers;
}

void KeptAnswers::count(KeptPart part) {
  const std::lock_guard lock(mutex_);
  switch (part) {
    case KeptPart::kAll:
      ++stats_.all;
      return;
    case KeptPart::kSome:
      ++stats_.some;
      return;
    case KeptPart::kNothing:
      ++stats_.nothing;
      return;
  }
}

void KeptAnswers::let_old_go(TimePoint now) {
  Entries gone;
  const std::lock_guard lock(mutex_);
  for (auto owner = customers_.begin(); owner != customers_.end();) {
    Customer& own = owner->second;
    for (auto entry = own.entries.begin(); entry != own.entries.end();) {
      const auto next = std::next(entry);
      if (now - entry->answer->read_at > kAgeMax) {
        ++stats_.aged;
        drop(own, entry, gone);
      }
      entry = next;
    }
    owner = own.entries.empty() ? customers_.erase(owner) : std::next(owner);
  }
}

CacheStats KeptAnswers::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace vigia::router::cache
