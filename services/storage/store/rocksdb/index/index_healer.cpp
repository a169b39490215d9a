#include "services/storage/store/rocksdb/index/index_healer.hpp"

#include <algorithm>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

constexpr Duration kLookFirst = std::chrono::seconds(1);
constexpr Duration kLookMax = std::chrono::minutes(1);

}  // namespace

Duration next_look(Duration before, bool is_whole) {
  return is_whole ? kLookFirst : std::clamp(before * 2, kLookFirst, kLookMax);
}

IndexHealer::IndexHealer(SeriesIndex& index, const kv::OrderedStore& store)
    : index_(index), store_(store), thread_([this] { run(); }) {}

IndexHealer::~IndexHealer() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void IndexHealer::run() {
  std::optional<std::uint64_t> seen;  // repairs of the store that it is whole after
  bool is_told = false;               // of a failure, once until it is over
  Duration look = kLookFirst;
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    const bool is_sound = contain_faults("storage: healing of the index", [&] {
      const std::uint64_t repairs = store_.repairs();
      if (seen == repairs) return;
      const auto healed = index_.make_whole([this] { return !is_stopping_; });
      if (healed) seen = repairs;
      look = next_look(look, healed.has_value());
      if (!healed && !is_told && !is_stopping_) {
        service::log_warn("the index is not whole yet, trying again",
                          {{"error", healed.error().message}});
      }
      is_told = !healed;
    });
    if (!is_sound) look = next_look(look, false);  // one that comes each time must not spin
    lock.lock();
    wake_.wait_for(lock, look, [this] { return is_stopping_.load(); });
  }
}

}  // namespace vigia::storage::store::rocksdb::index
