// Large bodies are unpacked and given to the handler on threads of their own, since an event loop
// that works on megabytes answers none of its other connections meanwhile.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libs/net/budget.hpp"
#include "libs/net/server.hpp"

namespace vigia::net::internal {

struct ServerCore;

/// A whole request whose body is too much work for an event loop (BodyCosts), packed or not.
struct LargeRequest {
  Request request;
  std::string encoding;  ///< of the body; "": none, or the handler's own
  Responder responder;
  // Of the server's budgets, given back when the body is the handler's.
  Holding head_bytes;
  Holding body_bytes;
};

/// What workers do several of at once; of larger bodies one at a time takes memory. So the bodies
/// in work take (workers - 1) × 4 MiB + body_bytes_max.
inline constexpr std::size_t kSeveralBytesMax = 4U << 20U;

/// While the server's budgets are shut.
Error no_room_for_large();

/// The server's answer to a body that cannot be unpacked; 415 for an unknown encoding.
Response refuse_packed(ServerCore& core, const RequestHead& head, const Error& error,
                       std::string_view encoding);

/// A few threads for all loops of a server, begun with the first large body; what cannot be begun
/// then is tried again with each that comes. Bodies wait in lanes
/// by RequestHead::owner, whose turn goes round; one owner never has all of the threads, so that a
/// body of another waits for none of its own. `post` from any loop; `stop` and the destructor from
/// the server's owner, when the loops have ended.
class BodyWorkers {
 public:
  explicit BodyWorkers(ServerCore& core);
  ~BodyWorkers() { stop(); }
  BodyWorkers(const BodyWorkers&) = delete;
  BodyWorkers& operator=(const BodyWorkers&) = delete;

  /// Takes the request over. One of an owner with kOwnWaitingMax there, or, where kWaitingMax wait
  /// of all owners, the last of the longest lane, is answered with kUnavailable instead; and so is
  /// each while there is no thread at all.
  void post(LargeRequest large);
  /// What still waits is dropped, and so answered as every dropped request is.
  void stop();

  static constexpr std::size_t kOwnWaitingMax = 256;
  /// Sixteen owners at their bound. A waiting request is some KiB beside what its holdings count.
  static constexpr std::size_t kWaitingMax = 16 * kOwnWaitingMax;

 private:
  struct Lane;
  struct Job {
    LargeRequest large;
    std::uint64_t number = 0;  // in the order of arrival
    bool is_single = false;    // larger than kSeveralBytesMax: one at a time
    std::pair<const std::string, Lane>* lane = nullptr;  // that counts it, while it is in work
  };
  struct Lane {
    std::deque<Job> several;
    std::deque<Job> single;
    std::size_t running = 0;
    std::size_t waiting() const { return several.size() + single.size(); }
    bool is_unused() const { return waiting() == 0 && running == 0; }
  };

  void begin_threads() noexcept;
  void run();
  bool turn();
  std::optional<Job> take() noexcept;
  std::deque<Job>* next_of(Lane& lane);
  /// All of it or, where it throws, nothing.
  void put(Job job);
  void end(std::pair<const std::string, Lane>& lane, bool was_single) noexcept;
  std::optional<Job> make_room(const std::string& owner);
  bool work(Job& job);
  Result<std::string> unpack(const Job& job) const;
  bool work_alone(Job& job);
  void refuse(LargeRequest large, const Error& error);

  ServerCore& core_;
  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::unordered_map<std::string, Lane> lanes_;  // by owner
  std::deque<std::string> turns_;                // owners with something that waits
  std::size_t waiting_ = 0;
  std::uint64_t last_number_ = 0;
  bool is_single_running_ = false;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vigia::net::internal
