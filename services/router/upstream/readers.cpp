#include "services/router/upstream/readers.hpp"

#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "libs/base/fault.hpp"
#include "libs/service/heap.hpp"

namespace vigia::router::upstream {
namespace {

// A third of what an equal thread would get.
constexpr int kNice = 5;

id_t gettid_of_this() { return static_cast<id_t>(gettid()); }

}  // namespace

// As many turns as threads, so that a job waits in its customer's row and never in the pool's.
Readers::Readers()
    : turns_({.at_once_max = kThreads, .per_customer_max = 1, .slow_per_customer_max = 1}, clock_),
      pool_(kThreads, kThreads) {}

void Readers::read(const std::string& customer, Task<void()> work) {
  ++unread_;
  turns_.take(customer, [this, work = std::move(work)](std::shared_ptr<Turns::Turn> turn) mutable {
    pool_.submit([this, work = std::move(work), turn = std::move(turn)]() mutable {
      run(std::exchange(work, nullptr));
      turn.reset();
    });
  });
}

void Readers::run(Task<void()> work) {
  static thread_local bool is_behind = false;
  // Where it may not be lowered it stays as it is: the answers are the same.
  if (!std::exchange(is_behind, true)) (void)setpriority(PRIO_PROCESS, gettid_of_this(), kNice);
  contain_faults("a large answer", work);
  work = nullptr;
  if (--unread_ == 0) service::return_freed_pages();
}

}  // namespace vigia::router::upstream
