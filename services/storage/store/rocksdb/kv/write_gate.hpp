// Lets writers pass together, and one that must see no other write go alone.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace vigia::storage::store::rocksdb::kv {

/// Who wants to be alone waits for those inside only: who comes later waits behind it. Thread
/// contract: any thread; not taken twice by one.
class WriteGate {
 public:
  std::shared_lock<std::shared_mutex> enter() {
    const std::lock_guard order(order_);
    return std::shared_lock(inside_);
  }
  std::unique_lock<std::shared_mutex> enter_alone() {
    const std::lock_guard order(order_);
    return std::unique_lock(inside_);
  }

 private:
  std::mutex order_;
  std::shared_mutex inside_;
};

}  // namespace vigia::storage::store::rocksdb::kv
