#include "services/router/api/loki/query_threads.hpp"

#include <memory>
#include <utility>

namespace vigia::router::api::loki {

// As many turns as threads, so that a query waits in its customer's row and never in the pool's.
QueryThreads::QueryThreads()
    : turns_({.at_once_max = kThreads, .per_customer_max = 1, .slow_per_customer_max = 1}, clock_),
      pool_(kThreads, kThreads) {}

void QueryThreads::run(const std::string& customer, Task<void()> work) {
  using upstream::Turns;
  turns_.take(customer, [this, work = std::move(work)](std::shared_ptr<Turns::Turn> turn) mutable {
    pool_.submit([work = std::move(work), turn = std::move(turn)]() mutable {
      work();
      work = nullptr;
      turn.reset();
    });
  });
}

}  // namespace vigia::router::api::loki
