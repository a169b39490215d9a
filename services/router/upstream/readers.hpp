// Threads on which large answers of stores are read, by turns of the customers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "libs/base/task.hpp"
#include "libs/service/worker_pool.hpp"
#include "services/router/upstream/turns.hpp"

namespace vigia::router::upstream {

/// Reading an answer, merging it with another store's and writing it takes a second where it has
/// 200,000 series. On the thread on which all answers arrive that second is everybody's; here a
/// customer has one thread at most, and who waits goes on customer by customer. There are as many
/// threads as cores, two at least, so that one customer's never keep the others from theirs; they
/// stand behind the program's others where there are too few cores for all. When the last large
/// answer is read, the memory that they took goes back to the system, once they were of
/// kReturnedBytesMin together: to give it back and fault it in again costs an answer of some
/// hundred KiB more than all else that is done with it.
///
/// Any thread; stop and the destructor from one that is none of its own.
class Readers {
 public:
  /// `threads`: 0 for as many as there are cores, two at least.
  explicit Readers(std::size_t threads = 0);
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;
  ~Readers() { stop(); }

  /// Runs `work`, which reads so many bytes of answers, once, on one of the threads. After stop it
  /// is let go unrun.
  void read(const std::string& customer, std::size_t bytes, Task<void()> work);
  /// The same, in the same row, of work that is done piece by piece and leaves no large memory
  /// behind: what a disk has to be waited for.
  void run_part(const std::string& customer, Task<void()> work);
  /// Lets go what waits, and returns when nothing runs any more. Safe twice.
  void stop() { pool_.stop(service::WaitingJobs::kDrop, {}); }

  /// Answers from here on are large: reading less takes less than handing it to another thread.
  static constexpr std::size_t kLargeBytes = 256U << 10U;
  static constexpr std::size_t kReturnedBytesMin = 4U << 20U;
  /// How often memory was given back.
  std::uint64_t returns() const { return returns_; }

 private:
  void end_read();
  void take_turn(const std::string& customer, Task<void()> work);
  void run(Task<void()> work);

  const SystemClock clock_;
  const std::size_t threads_;
  std::atomic<std::size_t> unread_{0};      // given, and not yet let go
  std::atomic<std::size_t> read_bytes_{0};  // since memory was given back
  std::atomic<std::uint64_t> returns_{0};
  Turns turns_;
  service::WorkerPool pool_;
};

}  // namespace vigia::router::upstream
