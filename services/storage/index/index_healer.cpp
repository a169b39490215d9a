#include "services/storage/index/index_healer.hpp"

#include <sys/resource.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage {
namespace {

constexpr auto kLook = std::chrono::seconds(1);
constexpr int kNice = 10;

}  // namespace

IndexHealer::IndexHealer(SeriesIndex& index, const OrderedStore& store)
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
  (void)setpriority(PRIO_PROCESS, 0, kNice);  // Linux knows it by thread
  std::optional<std::uint64_t> seen;          // repairs of the store that it is whole after
  bool is_told = false;                       // of a failure, once until it is over
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    contain_faults("storage: healing of the index", [&] {
      const std::uint64_t repairs = store_.repairs();
      if (seen == repairs) return;
      const auto healed = index_.make_whole();
      if (healed) seen = repairs;
      if (!healed && !is_told) {
        service::log_warn("the index is not whole yet, trying again",
                          {{"error", healed.error().message}});
      }
      is_told = !healed;
    });
    lock.lock();
    wake_.wait_for(lock, kLook, [this] { return is_stopping_; });
  }
}

}  // namespace vigia::storage
