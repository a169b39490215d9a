#include "services/storage/store/rocksdb/kv/damage_queue.hpp"

#include <algorithm>
#include <utility>

namespace vigia::storage::store::rocksdb::kv {

bool DamageQueue::add(std::uint64_t table, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  // Otherwise every read of a damaged place would start the mending again, and find nothing to do.
  if (hopeless_.contains(table)) return false;
  const auto at = put_off_.find(table);
  // The pause is kept whatever readers meet: they come many times a second.
  if (at != put_off_.end() && at->second.is_waiting) return true;
  found_.emplace(table, reason);
  wake_.notify_all();
  return true;
}

void DamageQueue::put_off(std::uint64_t table, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  PutOff& off = put_off_[table];
  off.reason = reason;
  off.pause = std::clamp(off.pause * 2, kDamagePauseFirst, kDamagePauseMax);
  off.due = clock_.steady() + off.pause;
  off.is_waiting = true;
  found_.erase(table);  // met again while it was tried
}

void DamageQueue::settle(std::uint64_t table) {
  const std::lock_guard lock(mutex_);
  put_off_.erase(table);
}

void DamageQueue::give_up(std::uint64_t table) {
  const std::lock_guard lock(mutex_);
  hopeless_.insert(table);
  put_off_.erase(table);
}

bool DamageQueue::has_put_off() const {
  const std::lock_guard lock(mutex_);
  return !put_off_.empty();
}

DamageQueue::Found DamageQueue::wait(Duration patience) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, patience, [this] { return is_stopping_ || !found_.empty(); });
  Found found = std::exchange(found_, {});
  const TimePoint now = clock_.steady();
  for (auto& [table, off] : put_off_) {
    if (!off.is_waiting || off.due > now) continue;
    off.is_waiting = false;
    found.emplace(table, off.reason);
  }
  return found;
}

void DamageQueue::stop() {
  const std::lock_guard lock(mutex_);
  is_stopping_ = true;
  wake_.notify_all();
}

bool DamageQueue::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

}  // namespace vigia::storage::store::rocksdb::kv
