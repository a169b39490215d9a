// Chunks on their way to a client that reads as fast as it likes: made on the readers' threads,
// sent by the event loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "libs/net/message.hpp"
#include "libs/net/stream_waker.hpp"
#include "services/storage/read/chunk_stream.hpp"

namespace vigia::storage::api {

/// Some pieces are made ahead; then the thread that makes them is free for others until the client
/// has taken most of them. A thread makes for a moment at a time, then it is others' turn. Once the
/// client is gone no more are made. What is under way lies in the answer's memory, each piece until
/// the next one is asked for. Thread contract: any thread.
class AnswerStream : public std::enable_shared_from_this<AnswerStream> {
 public:
  /// As many bytes of pieces as wait for the client at most, and what one series brings.
  static constexpr std::size_t kAheadBytes = 4U << 20U;
  /// Below that more are made.
  static constexpr std::size_t kResumeBytes = 2U << 20U;

  /// Has a thread run what it is given, in its customer's turn. False: none ever will. Must not
  /// block.
  using GoOn = std::function<bool(Task<void()>)>;

  /// `gone` is what ends the work of `pieces`.
  AnswerStream(std::unique_ptr<read::ChunkStream> pieces, std::shared_ptr<std::atomic<bool>> gone,
               GoOn go_on);

  /// Makes the first pieces, for some seconds at most: the error with which to answer instead,
  /// where there was one meanwhile. Once, by whoever may block.
  Result<void> begin();
  /// Gives it to a response, after `begin`.
  void send_by(net::Response& response);

 private:
  class Turn;
  void make(Duration turn);
  bool has_enough();
  bool keep(Result<std::string> piece);
  Result<std::deque<std::string>> parts_of(std::string piece);
  void break_off() noexcept;
  Result<std::optional<std::string>> take();
  Result<std::optional<std::string>> end_locked() const;
  void go_on();

  std::unique_ptr<read::ChunkStream> pieces_;  // of whoever makes
  const std::shared_ptr<std::atomic<bool>> gone_;
  const GoOn go_on_;
  const std::shared_ptr<net::StreamWaker> waker_ = std::make_shared<net::StreamWaker>();
  std::mutex mutex_;
  // Below: guarded by it. The answer's memory is used by whoever makes, else under it.
  std::deque<std::string> ready_;
  std::size_t ready_bytes_ = 0;
  std::size_t taken_bytes_ = 0;   // of the piece that the client was given last
  std::size_t let_go_bytes_ = 0;  // while somebody makes: to be released by it
  bool is_making_ = true;         // a thread, or a turn that waits for one
  bool is_over_ = false;          // no more pieces come: error_ or is_broken_ say why, if anything
  bool is_broken_ = false;        // by a fault: there may be no memory for words
  std::optional<Error> error_;
};

}  // namespace vigia::storage::api
