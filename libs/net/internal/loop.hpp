// An event loop: one thread, one listening socket, the connections that it accepted.
#pragma once

#include <array>
#include <optional>
#include <thread>
#include <unordered_map>

#include <sys/epoll.h>

#include "libs/net/internal/connection.hpp"

namespace vigia::net::internal {

/// start, stop and the destructor from one thread.
class Loop {
 public:
  Loop(ServerCore& core, Fd listener);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  void start();
  /// Accepts no more; ends when the last connection has, or at the deadline.
  void begin_stop(TimePoint deadline);
  void join();

 private:
  void run();
  bool turn();
  void on_event(const epoll_event& event);
  template <typename Work>
  void attend(ClientConnection& connection, Work&& work);
  int wait_ms() const;
  void accept_all();
  bool accept_one();
  void handle_mail();
  /// Connections to flush and settle, each once however much it was told. Linked through
  /// themselves: adding one needs no memory, so none is left behind for want of it.
  class Touched {
   public:
    void add(std::shared_ptr<ClientConnection> connection) noexcept;
    /// The first that was added; null where there is none.
    std::shared_ptr<ClientConnection> take() noexcept;

   private:
    std::shared_ptr<ClientConnection> first_;
    ClientConnection* last_ = nullptr;
  };
  void begin_watch(Mailbox::Watch watch, Touched& touched);
  static void resume_body(const Mailbox::Resumed& resumed, TimePoint now, Touched& touched);
  void give_answer(Mailbox::PostedAnswer answer, Touched& touched);
  void read_again();
  void tick();
  void settle(ClientConnection& connection);
  void remove(ClientConnection& connection);
  void refresh_now() { now_ = SystemClock().steady(); }

  ServerCore& core_;
  Fd listener_;
  Fd epoll_;
  std::shared_ptr<Mailbox> mailbox_;  // shared with the targets of answers
  std::array<epoll_event, 256> events_{};
  std::string buffer_;
  std::unordered_map<ClientConnection*, std::shared_ptr<ClientConnection>> connections_;
  std::vector<std::shared_ptr<ClientConnection>> removed_;  // kept until their events are handled
  std::vector<std::weak_ptr<ClientConnection>> again_;
  TimePoint now_;
  TimePoint next_tick_;
  TimePoint next_resting_;  // when connections that rest are looked at too
  std::optional<TimePoint> stop_deadline_;
  bool is_accepting_ = false;
  bool is_out_of_files_ = false;  // at the last accept
  std::thread thread_;
};

}  // namespace vigia::net::internal
