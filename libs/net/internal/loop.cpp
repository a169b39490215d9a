#include "libs/net/internal/loop.hpp"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"

namespace vigia::net::internal {

namespace {

constexpr std::size_t kReadBytes = 256U << 10U;
constexpr Duration kTickInterval = std::chrono::milliseconds(100);
// Of those that rest, thousands are looked at for nothing: what may end them is a matter of
// seconds.
constexpr Duration kRestingInterval = std::chrono::seconds(1);
constexpr int kAcceptsMax = 64;
constexpr std::string_view kWhere = "a connection";

/// False where the kernel has no room for another watch.
bool try_add(int epoll, int fd, std::uint32_t events, void* target) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = target;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void set_interest(int epoll, int operation, int fd, std::uint32_t events, void* target) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = target;
  CHECK(epoll_ctl(epoll, operation, fd, &event) == 0);
}

}  // namespace

/// A list through the connections themselves: it needs no memory, so a loop that has none left can
/// still flush and close.
void Loop::Touched::add(std::shared_ptr<ClientConnection> connection) noexcept {
  if (std::exchange(connection->is_queued, true)) return;
  ClientConnection* const added = connection.get();
  (first_ ? last_->next_queued : first_) = std::move(connection);
  last_ = added;
}

std::shared_ptr<ClientConnection> Loop::Touched::take() noexcept {
  if (!first_) return nullptr;
  std::shared_ptr<ClientConnection> taken = std::move(first_);
  first_ = std::move(taken->next_queued);
  taken->is_queued = false;
  return taken;
}

Loop::Loop(ServerCore& core, Fd listener)
    : core_(core),
      listener_(std::move(listener)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      mailbox_(std::make_shared<Mailbox>()),
      buffer_(kReadBytes, '\0'),
      now_(SystemClock().steady()),
      next_tick_(now_ + kTickInterval) {
  CHECK(epoll_.is_open());
  set_interest(epoll_.get(), EPOLL_CTL_ADD, mailbox_->event_fd(), EPOLLIN, mailbox_.get());
  set_interest(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), EPOLLIN, &listener_);
  is_accepting_ = true;
}

Loop::~Loop() {
  if (thread_.joinable()) {
    begin_stop(SystemClock().steady());
    thread_.join();
  }
}

void Loop::start() {
  thread_ = std::thread([this] { run(); });
}

void Loop::begin_stop(TimePoint deadline) {
  mailbox_->post([this, deadline] {
    if (stop_deadline_) {
      stop_deadline_ = std::min(*stop_deadline_, deadline);
      return;
    }
    stop_deadline_ = deadline;
    listener_ = Fd();
    is_accepting_ = false;
    for (const auto& [key, connection] : connections_) {
      if (!contain_faults(kWhere, [&] { connection->drain(now_); })) connection->abandon();
    }
    next_tick_ = now_;
  });
}

void Loop::join() {
  if (thread_.joinable()) thread_.join();
}

int Loop::wait_ms() const {
  if (!again_.empty()) return 0;
  // A server without clients does not wake up ten times a second.
  if (connections_.empty() && is_accepting_ && !stop_deadline_) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_tick_ - now_);
  return static_cast<int>(std::max<std::int64_t>(left.count() + 1, 0));
}

void Loop::run() {
  mailbox_->set_owner(std::this_thread::get_id());
  for (bool goes_on = true; goes_on;) {
    contain_faults("an event loop's turn", [&] { goes_on = turn(); });
  }
  mailbox_->close();
  connections_.clear();
}

/// False where it was the last.
bool Loop::turn() {
  const int count =
      epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), wait_ms());
  refresh_now();
  // Closed connections stay in removed_ until the turn's end: further events of this turn still
  // point at them.
  for (int i = 0; i < std::max(count, 0); ++i) on_event(events_[static_cast<std::size_t>(i)]);
  read_again();
  handle_mail();
  if (now_ >= next_tick_) tick();
  // Writing may have let a waiting request go to the handler, which may have answered at once.
  mailbox_->wake_if_waiting();
  removed_.clear();
  return !stop_deadline_ || (!connections_.empty() && now_ < *stop_deadline_);
}

void Loop::on_event(const epoll_event& event) {
  if (event.data.ptr == mailbox_.get()) {
    mailbox_->clear_event();
  } else if (event.data.ptr == &listener_) {
    contain_faults("accepting connections", [this] { accept_all(); });
  } else {
    auto& connection = *static_cast<ClientConnection*>(event.data.ptr);
    attend(connection, [&] { connection.on_ready(event.events, buffer_, now_); });
  }
}

/// A fault of ours in one connection's work ends that connection, and no other.
template <typename Work>
void Loop::attend(ClientConnection& connection, Work&& work) {
  if (!connection.is_closed() && !contain_faults(kWhere, work)) connection.abandon();
  // What it has no memory for is settled at the next tick.
  contain_faults(kWhere, [&] { settle(connection); });
}

void Loop::accept_all() {
  // Bounded, so that a flood of connections leaves the others their turn.
  for (int i = 0; i < kAcceptsMax && is_accepting_; ++i) {
    if (!accept_one()) return;
  }
}

/// False where none waits, or none can be taken now.
bool Loop::accept_one() {
  SocketAddress peer;
  peer.length = sizeof peer.storage;
  Fd socket(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.is_open()) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The listening socket stays ready: look again at the next tick instead of spinning.
      set_interest(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), 0, &listener_);
      is_accepting_ = false;
      is_out_of_files_ = true;
    }
    return false;
  }
  is_out_of_files_ = false;
  std::string name = peer.text();
  Holding place = core_.budgets->connections.open(core_.share_of(name));
  place.set(1);
  // Closed without a word: an answer would cost what there is none of.
  if (place.is_over()) {
    core_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  const int on = 1;
  // Answers are written whole; Nagle would hold the last packet for the client's delayed
  // acknowledgement, 40 ms.
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto connection = std::make_shared<ClientConnection>(core_, mailbox_, std::move(socket),
                                                       std::move(name), std::move(place));
  connection->registered_events = EPOLLIN;
  if (!try_add(epoll_.get(), connection->fd(), EPOLLIN, connection.get())) {
    core_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  connections_.emplace(connection.get(), connection);
  return true;
}

/// Brings epoll up to date after a connection has done something.
void Loop::settle(ClientConnection& connection) {
  if (connection.is_closed()) {
    remove(connection);
    return;
  }
  if (connection.must_read_again()) again_.push_back(connection.weak_from_this());
  const std::uint32_t wanted = connection.wanted_events();
  if (wanted == connection.registered_events) return;
  set_interest(epoll_.get(), EPOLL_CTL_MOD, connection.fd(), wanted, &connection);
  connection.registered_events = wanted;
}

void Loop::remove(ClientConnection& connection) {
  const auto entry = connections_.find(&connection);
  if (entry == connections_.end()) return;
  removed_.push_back(entry->second);  // first: nothing behind it may throw half-way
  set_interest(epoll_.get(), EPOLL_CTL_DEL, connection.fd(), 0, nullptr);
  connections_.erase(entry);
  connection.tell_gone();
}

void Loop::read_again() {
  // OpenSSL holds bytes that epoll knows nothing of. A copy, since a connection that still has some
  // puts itself in again, for the next turn.
  const auto waiting = std::exchange(again_, {});
  for (const auto& weak : waiting) {
    const auto connection = weak.lock();
    if (!connection || connection->is_closed()) continue;
    attend(*connection, [&] { connection->on_ready(EPOLLIN, buffer_, now_); });
  }
}

void Loop::begin_watch(Mailbox::Watch watch, Touched& touched) {
  auto connection = watch.connection.lock();
  const bool is_there = connection && !connection->is_closed();
  contain_faults(kWhere, [&] {
    if (!is_there) return watch.told();
    connection->watch(watch.id, std::move(watch.told));
  });
  if (is_there) touched.add(std::move(connection));
}

void Loop::resume_body(const Mailbox::Resumed& resumed, TimePoint now, Touched& touched) {
  auto connection = resumed.connection.lock();
  if (!connection || connection->is_closed()) return;
  if (!contain_faults(kWhere, [&] { connection->resume(resumed.id, now); })) connection->abandon();
  touched.add(std::move(connection));
}

void Loop::give_answer(Mailbox::PostedAnswer answer, Touched& touched) {
  auto connection = answer.connection.lock();
  if (!connection || connection->is_closed()) return;
  const bool is_good = contain_faults(
      kWhere, [&] { connection->answer(answer.id, std::move(answer.response), now_); });
  if (!is_good) connection->abandon();
  touched.add(std::move(connection));
}

void Loop::handle_mail() {
  Touched touched;
  // Answers make room for requests that wait in a connection, whose answers come here again.
  while (true) {
    Mailbox::Content content = mailbox_->take();
    if (content.is_empty()) break;
    for (Mailbox::Watch& watch : content.watches) begin_watch(std::move(watch), touched);
    for (Mailbox::PostedAnswer& answer : content.answers) give_answer(std::move(answer), touched);
    for (const Mailbox::Resumed& one : content.resumed) resume_body(one, now_, touched);
    for (const auto& task : content.tasks) contain_faults("an event loop's task", task);
  }
  while (const auto connection = touched.take()) {
    attend(*connection, [&] { connection->flush(); });
  }
}

void Loop::tick() {
  next_tick_ = now_ + kTickInterval;
  if (!is_accepting_ && !stop_deadline_) {
    is_accepting_ = true;
    set_interest(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), EPOLLIN, &listener_);
  }
  const ServerSettings& settings = core_.settings;
  const bool is_crowded =
      is_out_of_files_ || core_.budgets->connections.total() >= core_.budgets->connections.max();
  const Duration idle_timeout = is_crowded
                                    ? std::min(settings.idle_timeout, settings.idle_timeout_crowded)
                                    : settings.idle_timeout;
  core_.return_freed_memory(now_);
  const bool looks_at_resting = now_ >= next_resting_;
  if (looks_at_resting) next_resting_ = now_ + kRestingInterval;
  // A copy: what ticks may be removed.
  std::vector<std::shared_ptr<ClientConnection>> due;
  for (const auto& [key, connection] : connections_) {
    if (looks_at_resting || !connection->is_resting()) due.push_back(connection);
  }
  for (const auto& connection : due) {
    attend(*connection, [&] { connection->tick(now_, idle_timeout); });
  }
}

}  // namespace vigia::net::internal
