#include "services/router/api/loki/query_threads.hpp"

#include <memory>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace vigia::router::api::loki {
namespace {

// A third of what an equal thread would get: stages may work for seconds, and everybody's answers
// arrive beside them.
constexpr int kNice = 5;

/// Of the calling thread, once. Where it may not be lowered it stays as it is: the answers are the
/// same.
void stand_behind() {
  static thread_local bool is_behind = false;
  if (std::exchange(is_behind, true)) return;
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice));
}

}  // namespace

// As many turns as threads, so that a query waits in its customer's row and never in the pool's.
QueryThreads::QueryThreads()
    : turns_({.at_once_max = kThreads, .per_customer_max = 1, .slow_per_customer_max = 1}, clock_),
      pool_(kThreads, kThreads) {}

void QueryThreads::run(const std::string& customer, Task<void()> work) {
  using upstream::Turns;
  turns_.take(customer, [this, work = std::move(work)](std::shared_ptr<Turns::Turn> turn) mutable {
    pool_.submit([work = std::move(work), turn = std::move(turn)]() mutable {
      stand_behind();
      work();
      work = nullptr;
      turn.reset();
    });
  });
}

}  // namespace vigia::router::api::loki
