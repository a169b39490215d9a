#include "services/router/upstream/readers.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "libs/base/fault.hpp"
#include "libs/service/heap.hpp"

namespace vigia::router::upstream {
namespace {

// A third of what an equal thread would get.
constexpr int kNice = 5;

constexpr std::size_t kThreadsMin = 2;

std::size_t one_per_core() {
  return std::max<std::size_t>(kThreadsMin, std::thread::hardware_concurrency());
}

id_t gettid_of_this() { return static_cast<id_t>(gettid()); }

}  // namespace

// As many turns as threads, so that a job waits in its customer's row and never in the pool's.
Readers::Readers(std::size_t threads)
    : threads_(threads == 0 ? one_per_core() : threads),
      turns_({.at_once_max = threads_, .per_customer_max = 1, .slow_per_customer_max = 1}, clock_),
      pool_(threads_, threads_) {}

void Readers::read(const std::string& customer, std::size_t bytes, Task<void()> work) {
  ++unread_;
  read_bytes_ += bytes;
  take_turn(customer, [this, work = std::move(work)]() mutable {
    run(std::exchange(work, nullptr));
    end_read();
  });
}

void Readers::end_read() {
  if (--unread_ > 0 || read_bytes_ < kReturnedBytesMin) return;
  read_bytes_ = 0;
  ++returns_;
  service::return_freed_pages();
}

void Readers::run_part(const std::string& customer, Task<void()> work) {
  take_turn(customer,
            [this, work = std::move(work)]() mutable { run(std::exchange(work, nullptr)); });
}

void Readers::take_turn(const std::string& customer, Task<void()> work) {
  turns_.take(customer, [this, work = std::move(work)](std::shared_ptr<Turns::Turn> turn) mutable {
    pool_.submit([this, work = std::move(work), turn = std::move(turn)]() mutable {
      work();
      work = nullptr;
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
}

}  // namespace vigia::router::upstream
