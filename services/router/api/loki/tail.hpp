// One live tail: lines go to its client as they come to storage.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "libs/net/stream_waker.hpp"
#include "libs/net/websocket.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/access/access.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/access/in_flight.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/api/loki/log_question.hpp"
#include "services/router/api/loki/page_ask.hpp"
#include "services/router/api/loki/query_threads.hpp"
#include "services/router/api/loki/tail_arrivals.hpp"
#include "services/router/api/loki/tail_queue.hpp"
#include "services/router/api/loki/work_watch.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

struct TailQuestion {
  LogQuestion lines;  ///< `wish.lines`: how many of before its begin
  Duration delay{0};  ///< lines are given so much later, in the order of their times
};

/// What a tail works with; must outlive it.
struct TailParts {
  stores::Stores& stores;
  QueryThreads& threads;
  const access::Access& access;
  service::Counter& lines;    ///< that were found
  service::Counter& dropped;  ///< of these, given up
};

/// Its position is a number of storage's: what came up to it was given, so that a line that comes
/// late is given once, too, and after a fault of storage's it goes on where it stood. The client's
/// connection asks it for messages on its event loop; `pulse` comes from a thread that all tails
/// share; what a page costs is worked on one of the query threads, in the customer's turn.
class Tail final : public net::WebSocketTalk, public std::enable_shared_from_this<Tail> {
 public:
  /// How long one lasts at the most; then its client opens another, as with Loki.
  static constexpr std::chrono::hours kTimeMax{1};
  static constexpr std::chrono::seconds kPulse{1};

  /// `opening`: by its Authorization the caller is identified anew. `upto`: how far storage is now.
  Tail(const TailParts& parts, TailQuestion question, net::RequestHead opening,
       access::InFlight::Place place, std::uint64_t upto);

  /// For net::Response.
  const std::shared_ptr<net::StreamWaker>& waker() const { return waker_; }
  /// Looks whether it may go on, and asks storage where nothing is under way. Some once a second.
  void pulse();
  /// Nobody reads it any more.
  bool is_over() const { return interest_->is_lost(); }

  // WebSocketTalk
  net::WebSocketOut next() override;
  void ended() override;

 private:
  /// What is read of storage until the position moves.
  struct Reading {
    ArrivalRange arrived;
    std::deque<LogRange> ranges;  ///< what is left of them
    std::string cursor = {};      ///< in the first
    std::size_t pages = 0;
    bool is_history = false;
  };

  bool may_go_on();
  void close(std::uint16_t code, std::string reason);
  void refuse(const Error& error);
  void rest() { is_busy_ = false; }

  void ask_arrivals();
  void take_arrivals(const Result<net::ClientResponse>& answer);
  std::optional<std::uint64_t> due(std::uint64_t upto);
  void ask_page();
  void receive(Result<net::ClientResponse> answer);
  void take(const std::string& page);
  Result<bool> add(const LogRecord& record, WorkWatch& watch);
  void count();
  bool has_enough() const;
  void go_on(PageEnd end);
  void end_range();
  void end_reading();

  const TailParts parts_;
  LogQuestion question_;
  const Duration delay_;
  const net::RequestHead opening_;
  const TimePoint ends_;
  const std::shared_ptr<net::StreamWaker> waker_ = std::make_shared<net::StreamWaker>();
  const std::shared_ptr<access::Interest> interest_ = std::make_shared<access::Interest>();
  TailQueue queue_;

  std::mutex mutex_;
  std::optional<access::InFlight::Place> place_;  // guarded by mutex_, as the next
  std::optional<net::WebSocketClose> close_;

  // Of whoever has set is_busy_.
  std::atomic<bool> is_busy_{false};
  std::uint64_t position_;
  struct Seen {
    TimePoint when;
    std::uint64_t upto;
  };
  std::deque<Seen> seen_;  // what has come, and is to be given later
  std::optional<Reading> reading_;
  std::vector<TailLine> history_;  // the last one first
  std::size_t history_bytes_ = 0;
  std::int64_t looked_ns_ = 0;  // of the line that was looked at last
  std::uint64_t lines_counted_ = 0;
  std::uint64_t dropped_counted_ = 0;
  std::optional<access::ByteShares::HeldBytes> page_held_;
};

}  // namespace vigia::router::api::loki
