#include "services/storage/kv/damage_queue.hpp"

#include <utility>

namespace vigia::storage {

bool DamageQueue::add(std::uint64_t table, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (hopeless_.contains(table)) return false;
  found_.emplace(table, reason);
  wake_.notify_all();
  return true;
}

void DamageQueue::give_up(std::uint64_t table) {
  const std::lock_guard lock(mutex_);
  hopeless_.insert(table);
}

DamageQueue::Found DamageQueue::wait(Duration patience) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, patience, [this] { return is_stopping_ || !found_.empty(); });
  return std::exchange(found_, {});
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

}  // namespace vigia::storage
