// One answer while it comes from a store.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/net/client.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/spool/spool.hpp"
#include "services/router/spool/spool_file.hpp"

namespace vigia::router::spool {

/// Keeps an answer in memory while it is small, and has a large one checked, scanned and written
/// piece by piece on threads that may wait (Later). When they are behind, the store waits. Each
/// byte counts when it comes, in its customer's share of memory up to kSpooledBytesMin and in that
/// of the disk from there on; where either is full the rest is not taken.
///
/// The client's thread calls take and finish; the rest is for who is told by finish, and then for
/// one thread at a time.
class ArrivingBody : public std::enable_shared_from_this<ArrivingBody> {
 public:
  /// What waits in memory to be written, at the most, beside one piece that is written.
  static constexpr std::size_t kPendingBytesMax = 512U << 10U;

  struct Shares {
    access::ByteShares::HeldBytes memory;
    access::ByteShares::HeldBytes disk;
  };
  /// The spool must outlive it.
  ArrivingBody(const Spool& spool, Shares shares, Later later);

  net::PieceVerdict take(std::string_view piece);
  /// How to go on after kLater. Called on any thread, by then or from then on.
  void on_room(std::function<void()> resume);
  /// The last piece was taken. `done` is called on this thread where the answer is small, else on
  /// one of Later's when all is written: a fault where it could not be (see `fault`).
  void finish(Task<void(Result<void>)> done);
  /// Nothing of it is wanted any more: what waits is let go.
  void abandon();

  /// Why take has said kRefused, or the rest was no answer: kOverLimit, or kCorrupt.
  std::optional<Error> fault() const;
  bool is_stored() const { return is_large_; }
  /// A small one. Once.
  std::string take_text() { return std::move(text_); }
  /// A large one. Once.
  Result<wire::prometheus_api::Envelope> take_envelope();

 private:
  class Work;

  net::PieceVerdict take_small(std::string_view piece);
  /// Counts so many bytes more of a large one.
  Result<void> make_room_locked(std::size_t bytes);
  void begin_work();
  void work();
  Result<void> store(std::string_view batch);
  void end_work(Result<void> stored);
  void break_off() noexcept;

  const Spool& spool_;
  const Later later_;
  // Of the client's thread until finish.
  std::optional<access::ByteShares::HeldBytes> memory_;
  std::optional<access::ByteShares::HeldBytes> disk_;
  std::string text_;
  bool is_large_ = false;
  // Of the thread that works.
  std::shared_ptr<SpoolFile> file_;  // shared with whoever reads it
  wire::prometheus_api::EnvelopeScanner scanner_;

  mutable std::mutex mutex_;
  std::string pending_;
  bool is_working_ = false;  // a task is under way, or will be
  bool is_waiting_ = false;  // take has said kLater
  bool is_over_ = false;     // no piece comes any more
  std::optional<Error> fault_;
  std::function<void()> resume_;
  Task<void(Result<void>)> done_;
};

}  // namespace vigia::router::spool
