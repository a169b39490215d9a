// What the parts of a server share: its settings, its counters, and the way of an answer back to
// the event loop that waits for it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "libs/base/fault.hpp"
#include "libs/net/budget.hpp"
#include "libs/net/host_port.hpp"
#include "libs/net/internal/body_costs.hpp"
#include "libs/net/internal/body_workers.hpp"
#include "libs/net/internal/channel.hpp"
#include "libs/net/internal/output.hpp"
#include "libs/net/internal/peer_address.hpp"
#include "libs/net/internal/responder_target.hpp"
#include "libs/net/internal/watched_tls.hpp"
#include "libs/net/server.hpp"

namespace vigia::net::internal {

class ClientConnection;

// As so many clients a connection of a trusted proxy counts.
inline constexpr std::size_t kProxyClients = 8;

/// Shared by all loops; outlives them.
struct ServerCore {
  ServerCore(ServerSettings server_settings, Handler& server_handler)
      : settings(std::move(server_settings)),
        handler(server_handler),
        budgets(settings.budgets ? settings.budgets : make_budgets(settings)),
        workers(*this) {}

  /// Gives the request to the handler. Where that throws, the responder that it had answers 500.
  void give(Request request, Responder responder) {
    contain_faults("a request", [&] { handler.handle(std::move(request), std::move(responder)); });
  }

  /// No TLS connection came about.
  void refuse_tls(std::string_view peer, std::string_view why) const {
    if (settings.on_tls_refused) settings.on_tls_refused(peer, why);
  }

  /// Of a connection that begins now; null: plain.
  std::shared_ptr<const TlsContext> current_tls() const {
    return tls == nullptr ? nullptr : tls->current();
  }

  const ServerSettings settings;
  Handler& handler;
  const std::shared_ptr<ServerBudgets> budgets;  // shared with other servers of the process
  TrustedProxies proxies;
  std::unique_ptr<WatchedTls> tls;  // null: plain
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> connections_refused{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> requests_refused{0};
  /// Gives freed memory back to the system once answers that were held have gone. At each tick.
  void return_freed_memory(TimePoint now);
  bool is_crowded() const {
    const Budget& places = budgets->connections;
    return places.total() * 2 >= places.max();
  }
  /// Shorter while it is crowded: what is unfinished makes room first.
  Duration head_timeout() const {
    return is_crowded() ? std::min(settings.head_timeout, settings.head_timeout_crowded)
                        : settings.head_timeout;
  }
  /// Shorter while what clients do not read fills the part that is kept for small holders: no
  /// share of one or a few reaches there.
  Duration answer_timeout() const {
    const Budget& answers = budgets->answers;
    const bool is_crowded = answers.total() > answers.max() - answers.max() / 8;
    return is_crowded ? std::min(settings.request_timeout, settings.answer_timeout_crowded)
                      : settings.request_timeout;
  }
  /// The name that a peer's share goes by; "" for a trusted proxy, which stands for many.
  std::string share_of(std::string_view peer) const {
    const std::string_view address = host_of_peer(peer);
    return proxies.contains(address) ? std::string() : share_name(address);
  }
  /// What a connection of this peer may leave unread before its next request waits.
  std::size_t unread_bytes_max(std::string_view peer) const {
    const bool stands_for_many = proxies.contains(host_of_peer(peer));
    return settings.unread_bytes_max * (stands_for_many ? kProxyClients : 1);
  }

  std::mutex return_mutex;
  std::uint64_t answer_bytes_peak = 0;  // since memory last went back; guarded by return_mutex
  TimePoint returned;                   // likewise

  BodyCosts body_costs;
  BodyWorkers workers;  // last: they use all of the above
};

/// What other threads give to an event loop. Any thread.
class Mailbox {
 public:
  struct PostedAnswer {
    std::weak_ptr<ClientConnection> connection;
    std::uint64_t id = 0;
    Response response;
  };
  /// Who wants to be told when the client of a request is gone.
  struct Watch {
    std::weak_ptr<ClientConnection> connection;
    std::uint64_t id = 0;
    Task<void()> told;
  };
  /// A body of which something is ready again.
  struct Resumed {
    std::weak_ptr<ClientConnection> connection;
    std::uint64_t id = 0;
  };
  struct Content {
    std::vector<Resumed> resumed;
    std::vector<Watch> watches;  // of requests whose answers are not before them
    std::vector<PostedAnswer> answers;
    std::vector<Task<void()>> tasks;
    bool is_empty() const {
      return resumed.empty() && watches.empty() && answers.empty() && tasks.empty();
    }
  };

  Mailbox();
  void post(Resumed resumed);
  void post(Watch watch);
  void post(PostedAnswer answer);
  void post(Task<void()> task);
  Content take();
  /// The event file descriptor to wait on; `clear_event` after it was ready.
  int event_fd() const { return event_.get(); }
  void clear_event() const;
  /// The loop's own thread needs no waking.
  void set_owner(std::thread::id owner) { owner_ = owner; }
  /// Makes the loop come back at once where something has been posted by its own thread.
  void wake_if_waiting();
  /// What is posted from now on is dropped.
  void close();

 private:
  template <typename T>
  void post_to(std::vector<T> Content::* list, T item);
  void wake();
  void wake_unless_owner();

  Fd event_;
  std::atomic<std::thread::id> owner_;
  std::mutex mutex_;
  Content content_;
  bool is_closed_ = false;
};

/// The side of a Responder that leads back to a connection.
class MailboxTarget final : public Responder::Target {
 public:
  MailboxTarget(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ClientConnection> connection,
                std::uint64_t id, bool takes_gzip)
      : mailbox_(std::move(mailbox)),
        connection_(std::move(connection)),
        id_(id),
        takes_gzip_(takes_gzip) {}
  void answer(Response response) override;
  void on_gone(Task<void()> told) override;

 private:
  std::shared_ptr<Mailbox> mailbox_;  // shared with the loop, which may end before the answer comes
  std::weak_ptr<ClientConnection> connection_;
  std::uint64_t id_;
  bool takes_gzip_;
};

/// What a session sees of its connection.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  /// Where the handler sends the answer to request `id`; `takes_gzip`: the client has offered it.
  virtual std::shared_ptr<Responder::Target> make_target(std::uint64_t id, bool takes_gzip) = 0;
  virtual ServerCore& core() = 0;
  virtual TimePoint now() const = 0;
  virtual const std::string& peer() const = 0;
  /// Request `id` will get no answer: its client has reset it.
  virtual void forget(std::uint64_t id) = 0;
  /// An empty holding of the server's head bytes, in the peer's name.
  virtual Holding head_bytes() const = 0;
  /// Whether an answer that takes so much memory may be kept until the client has read it. Counted
  /// where not: the session sends the refusal `answers_unread` instead.
  virtual bool has_room_for(std::size_t bytes) = 0;
  /// While the client leaves more unread than it may: no further request of it is begun.
  virtual bool is_full() = 0;
  virtual bool is_encrypted() const = 0;
  virtual OutputQueue& output() = 0;
};

/// A protocol on a connection. All calls on the connection's loop.
class ProtocolSession {
 public:
  virtual ~ProtocolSession() = default;
  /// Takes bytes that came in, all of them.
  virtual void receive(std::string_view bytes) = 0;
  /// The client has closed its side.
  virtual void end_input() = 0;
  /// Puts into the host's output what is ready, until kOutputBytesMax wait there.
  virtual void fill() = 0;
  /// What it holds of answers, beside the host's output.
  virtual std::size_t unsent_bytes() const = 0;
  virtual void answer(std::uint64_t id, Response response) = 0;
  /// The body of answer `id`, which had nothing ready, has: it goes on with the next fill().
  virtual void resume(std::uint64_t id) = 0;
  /// Whether request `id` is whole and has no answer yet.
  virtual bool awaits(std::uint64_t id) const = 0;
  /// False while bytes of the client should wait in the socket.
  virtual bool wants_input() const = 0;
  /// Nothing more to say: close once the output is written.
  virtual bool is_done() const = 0;
  /// After is_done: whether the client may still be sending, so that closing at once could lose it
  /// the answer.
  virtual bool must_linger() const = 0;
  /// Once is_done: the connection ends by a reset, so that nobody takes its end for the answer's.
  virtual bool must_reset() const { return false; }
  /// Checks deadlines.
  virtual void tick() = 0;
  /// No request in flight.
  virtual bool is_idle() const = 0;
  /// Says good-bye to an idle client; done afterwards.
  virtual void end_idle() = 0;
  /// Take no new requests; done when those in flight are.
  virtual void drain() = 0;
  /// Where an answer has switched protocols: who speaks from here on, and what the client has sent
  /// for it already. Then this one has ended.
  struct Successor {
    std::unique_ptr<ProtocolSession> session;
    std::string bytes;
  };
  virtual Successor take_successor() { return {}; }
};

// RFC 9113 §6.5.2: what one header counts beside its text; it costs at least as much in memory.
inline constexpr std::size_t kHeaderOverheadBytes = 32;

// Enough to keep a fast socket busy, small enough for thousands of connections.
inline constexpr std::size_t kOutputBytesMax = 256U << 10U;

// An answer up to this is given to whoever asks, whatever its address has left unread, and a
// connection that holds less is not counted: the refusal would be as large.
inline constexpr std::size_t kSmallAnswerBytes = 4U << 10U;

/// Instead of an answer for which its client's address has no room left.
Error answers_unread();

// What a client has to take of an answer within ServerCore::answer_timeout, on a connection and of
// an HTTP/2 stream: who reads a byte now and then would hold the answer's memory for ever.
inline constexpr std::size_t kPaceBytes = 16U << 10U;

}  // namespace vigia::net::internal
