// One client's connection: socket, protocol, output, deadlines.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "libs/net/internal/core.hpp"

namespace vigia::net::internal {

/// Lives on one loop. Shared with that loop and, weakly, with the answers on their way to it.
class ClientConnection final : public SessionHost,
                               public std::enable_shared_from_this<ClientConnection> {
 public:
  /// `place`: its part of the server's connections.
  ClientConnection(ServerCore& core, std::shared_ptr<Mailbox> mailbox, Fd socket, std::string peer,
                   Holding place);
  ~ClientConnection() override;

  // `buffer` is the loop's, shared by all its connections.
  void on_ready(std::uint32_t events, std::string& buffer, TimePoint now);
  void answer(std::uint64_t id, Response response, TimePoint now);
  void resume(std::uint64_t id, TimePoint now);
  /// Tells `told` when the client leaves before request `id` is answered; at once where it has.
  void watch(std::uint64_t id, Task<void()> told);
  /// To all who watch: the client is gone.
  void tell_gone();
  /// Writes what is ready.
  void flush();
  /// Nothing is under way on it: a tick could do no more than end it for having been unused.
  bool is_resting() const;
  void tick(TimePoint now, Duration idle_timeout);
  void drain(TimePoint now);

  /// Closes without a word, whatever state it is in.
  void abandon() { is_closed_ = true; }
  bool is_closed() const { return is_closed_; }
  /// Bytes wait inside that no event will tell of.
  bool must_read_again() const;
  int fd() const { return channel_.fd(); }
  /// What epoll should wait for now.
  std::uint32_t wanted_events() const;
  std::uint32_t registered_events = 0;  // kept by the loop
  // Kept by the loop: whether it is in the list to flush, and who comes behind it there.
  bool is_queued = false;
  std::shared_ptr<ClientConnection> next_queued;

  // SessionHost
  std::shared_ptr<Responder::Target> make_target(std::uint64_t id, bool takes_gzip) override;
  ServerCore& core() override { return core_; }
  TimePoint now() const override { return now_; }
  const std::string& peer() const override { return peer_; }
  void forget(std::uint64_t id) override;
  Holding head_bytes() const override { return head_bytes_.beside(); }
  bool has_room_for(std::size_t bytes) override;
  bool is_full() override;
  bool is_encrypted() const override { return channel_.is_encrypted(); }
  OutputQueue& output() override { return output_; }

 private:
  void read(std::string& buffer);
  void deliver(std::string_view bytes);
  void choose_session();
  void switch_session();
  bool write();
  void write_answers();
  std::size_t unread_bytes() const;
  void count_unread(std::size_t bytes);
  void restart_pace();
  void finish();
  bool wants_input() const;

  ServerCore& core_;
  std::shared_ptr<Mailbox> mailbox_;  // shared with the loop and the answers' targets
  ByteChannel channel_;
  std::string peer_;
  Holding place_;
  Holding head_bytes_;    // empty: where its sessions' holdings come from
  Holding answer_bytes_;  // in the peer's name; opened with the first that does not leave at once
  OutputQueue output_;
  std::string first_;  // until the protocol is known
  std::unique_ptr<ProtocolSession> session_;
  std::map<std::uint64_t, Task<void()>> watchers_;  // of requests without an answer
  const std::size_t unread_bytes_max_;
  TimePoint now_;
  TimePoint opened_;
  TimePoint received_;
  TimePoint paced_;  // the last time that there was no output, or kPaceBytes of it had moved
  std::size_t paced_bytes_ = 0;  // moved since then
  std::optional<TimePoint> linger_until_;
  bool waits_to_write_ = false;
  bool reads_once_writable_ = false;  // TLS has to write before it can go on to read
  bool has_input_ended_ = false;
  bool is_draining_ = false;
  bool is_closed_ = false;
};

}  // namespace vigia::net::internal
