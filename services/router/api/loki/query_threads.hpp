// Threads for queries that wait for storage page by page.
#pragma once

#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "libs/service/worker_pool.hpp"
#include "services/router/upstream/turns.hpp"

namespace vigia::router::api::loki {

/// Four at once, one of a customer's; who waits goes on customer by customer. A query that runs is
/// ended by its own time and by its client's leaving. Any thread; the destructor from one that is
/// none of its own.
class QueryThreads {
 public:
  QueryThreads();
  QueryThreads(const QueryThreads&) = delete;
  QueryThreads& operator=(const QueryThreads&) = delete;

  /// Runs `work` once, on one of the threads. At the program's end it is let go unrun.
  void run(const std::string& customer, Task<void()> work);

 private:
  static constexpr std::size_t kThreads = 4;

  const SystemClock clock_;
  upstream::Turns turns_;
  service::WorkerPool pool_;
};

}  // namespace vigia::router::api::loki
