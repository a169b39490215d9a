#include "services/router/upstream/readers.hpp"

#include <utility>

namespace vigia::router {

// As many turns as threads, so that a job waits in its customer's row and never in the pool's.
Readers::Readers()
    : turns_({.at_once_max = kThreads, .per_customer_max = 1, .slow_per_customer_max = 1}, clock_),
      pool_(kThreads, kThreads) {}

void Readers::read(const std::string& customer, std::function<void()> work) {
  turns_.take(customer, [this, work = std::move(work)](std::shared_ptr<Turns::Turn> turn) {
    pool_.submit([work, turn = std::move(turn)]() mutable {
      work();
      turn.reset();
    });
  });
}

}  // namespace vigia::router
