#include "libs/net/internal/connection.hpp"

#include <algorithm>

#include <sys/epoll.h>

#include "libs/net/internal/http1_session.hpp"
#include "libs/net/internal/http2_session.hpp"

namespace vigia::net::internal {

namespace {

// After so many reads the loop's other connections have their turn.
constexpr int kReadsMax = 16;
// TLS gives at most one record (16 KiB) a read.
constexpr int kTlsReadsMax = 64;
constexpr int kWriteRoundsMax = 16;
// What may wait before it is counted; it is exact after each flush.
constexpr std::size_t kCountStepBytes = 16U << 10U;
// How long a client may still be sending after an answer that ended the connection.
constexpr Duration kLinger = std::chrono::seconds(2);

}  // namespace

ClientConnection::ClientConnection(ServerCore& core, std::shared_ptr<Mailbox> mailbox, Fd socket,
                                   std::string peer, Holding place)
    : core_(core),
      mailbox_(std::move(mailbox)),
      channel_(std::move(socket), core.current_tls().get()),
      peer_(std::move(peer)),
      place_(std::move(place)),
      head_bytes_(core.budgets->heads.open(core.share_of(peer_))),
      unread_bytes_max_(core.unread_bytes_max(peer_)),
      now_(SystemClock().steady()),
      opened_(now_),
      received_(now_),
      paced_(now_) {
  core_.connections.fetch_add(1, std::memory_order_relaxed);
}

ClientConnection::~ClientConnection() { core_.connections.fetch_sub(1, std::memory_order_relaxed); }

std::shared_ptr<Responder::Target> ClientConnection::make_target(std::uint64_t id,
                                                                 bool takes_gzip) {
  return std::make_shared<MailboxTarget>(mailbox_, weak_from_this(), id, takes_gzip);
}

bool ClientConnection::wants_input() const {
  if (has_input_ended_) return false;
  return linger_until_ || !session_ || session_->wants_input();
}

std::uint32_t ClientConnection::wanted_events() const {
  std::uint32_t events = 0;
  if (wants_input()) events |= EPOLLIN;
  if (waits_to_write_ || reads_once_writable_) events |= EPOLLOUT;
  // While a request is worked on nothing is read, and nobody would see the client leave.
  if (!watchers_.empty()) events |= EPOLLRDHUP;
  return events;
}

bool ClientConnection::must_read_again() const {
  return !is_closed_ && wants_input() && channel_.has_pending();
}

void ClientConnection::on_ready(std::uint32_t events, std::string& buffer, TimePoint now) {
  now_ = now;
  if ((events & EPOLLERR) != 0) {
    // A client that breaks TLS off says why, then closes: both may be here at once.
    if (channel_.is_in_handshake() && wants_input()) read(buffer);
    is_closed_ = true;
    return;
  }
  if ((events & EPOLLHUP) != 0 && !wants_input()) {
    is_closed_ = true;
    return;
  }
  if ((events & EPOLLRDHUP) != 0) tell_gone();
  // TLS may have to read in order to write and the other way round.
  const bool may_read = (events & (EPOLLIN | EPOLLHUP)) != 0 || channel_.is_encrypted();
  if (may_read && wants_input()) read(buffer);
  if (!is_closed_) flush();
}

void ClientConnection::read(std::string& buffer) {
  const bool is_tls = channel_.is_encrypted();
  reads_once_writable_ = false;
  const int reads_max = is_tls ? kTlsReadsMax : kReadsMax;
  for (int i = 0; i < reads_max && wants_input() && !is_closed_; ++i) {
    const IoResult result = channel_.read(buffer.data(), buffer.size());
    if (result.state == IoState::kWaitRead) return;
    if (result.state == IoState::kWaitWrite) {
      reads_once_writable_ = true;
      return;
    }
    if (result.state == IoState::kClosed) {
      has_input_ended_ = true;
      if (const std::string& why = channel_.handshake_fault(); !why.empty()) {
        core_.refuse_tls(peer_, why);
      }
      if (!session_ || linger_until_) {
        is_closed_ = true;
      } else {
        session_->end_input();
      }
      return;
    }
    received_ = now_;
    deliver(std::string_view(buffer).substr(0, result.bytes));
    if (!is_tls && result.bytes < buffer.size()) return;  // the socket is empty
  }
}

void ClientConnection::deliver(std::string_view bytes) {
  if (linger_until_) return;
  if (session_) {
    session_->receive(bytes);
    return;
  }
  first_ += bytes;
  choose_session();
  if (!session_) return;
  const std::string first = std::exchange(first_, {});
  session_->receive(first);
}

/// HTTP/2 begins with its preface, whether by prior knowledge or by ALPN; all else is HTTP/1.1.
void ClientConnection::choose_session() {
  const std::size_t known = std::min(first_.size(), kHttp2Preface.size());
  if (first_.compare(0, known, kHttp2Preface, 0, known) != 0) {
    session_ = make_http1_session(*this);
  } else if (known == kHttp2Preface.size()) {
    session_ = make_http2_session(*this);
  }
  if (session_ && is_draining_) session_->drain();
}

void ClientConnection::watch(std::uint64_t id, Task<void()> told) {
  if (is_closed_ || !session_ || !session_->awaits(id)) return told();
  watchers_[id] = std::move(told);
}

void ClientConnection::forget(std::uint64_t id) {
  const auto watcher = watchers_.extract(id);
  if (!watcher.empty()) contain_faults("who waits for a client to leave", watcher.mapped());
}

void ClientConnection::tell_gone() {
  // Taken out first: whoever is told may ask for something of this connection.
  const auto watchers = std::exchange(watchers_, {});
  for (const auto& [id, told] : watchers) {
    contain_faults("who waits for a client to leave", told);
  }
}

void ClientConnection::answer(std::uint64_t id, Response response, TimePoint now) {
  now_ = now;
  watchers_.erase(id);
  if (response.waker) {
    response.waker->attach([mailbox = mailbox_, connection = weak_from_this(), id] {
      mailbox->post(Mailbox::Resumed{connection, id});
    });
  }
  if (!session_ || is_closed_) return;
  session_->answer(id, std::move(response));
  switch_session();
}

void ClientConnection::switch_session() {
  auto next = session_->take_successor();
  if (!next.session) return;
  session_ = std::move(next.session);
  received_ = now_;
  if (is_draining_) session_->drain();
  if (!next.bytes.empty()) session_->receive(next.bytes);
  if (has_input_ended_) session_->end_input();
}

void ClientConnection::resume(std::uint64_t id, TimePoint now) {
  now_ = now;
  if (session_ && !is_closed_) session_->resume(id);
}

std::size_t ClientConnection::unread_bytes() const {
  return output_.own_bytes() + (session_ ? session_->unsent_bytes() : 0);
}

void ClientConnection::count_unread(std::size_t bytes) {
  // Nearly every answer leaves at once; only what stays is counted in the budget that all share.
  if (bytes <= kSmallAnswerBytes) bytes = 0;
  if (bytes == answer_bytes_.amount()) return;
  if (!answer_bytes_.is_open()) {
    answer_bytes_ = core_.budgets->answers.open(core_.share_of(peer_));
  }
  answer_bytes_.set(bytes);
}

bool ClientConnection::has_room_for(std::size_t bytes) {
  if (bytes <= kSmallAnswerBytes) return true;
  // Claimed first and judged then, since all loops share the budget: two that looked first would
  // both find room. What has no room is given back.
  count_unread(unread_bytes() + bytes);
  if (!answer_bytes_.is_over()) return true;
  count_unread(unread_bytes());
  core_.budgets->answers_refused.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool ClientConnection::is_full() {
  const std::size_t unread = unread_bytes();
  if (unread <= kSmallAnswerBytes) return false;
  // Between two flushes many answers may come.
  if (unread >= answer_bytes_.amount() + kCountStepBytes) count_unread(unread);
  return unread >= unread_bytes_max_ || answer_bytes_.is_over();
}

void ClientConnection::flush() {
  if (!session_ || is_closed_) return;
  write_answers();
  count_unread(unread_bytes());
}

void ClientConnection::write_answers() {
  waits_to_write_ = false;
  for (int round = 0; round < kWriteRoundsMax; ++round) {
    // Time without output is no slowness of the client's.
    if (output_.is_empty()) restart_pace();
    session_->fill();
    if (output_.is_empty()) {
      if (session_->is_done()) finish();
      return;
    }
    if (!write()) return;
  }
  // The others' turn. The socket is writable at once again, and the session may have more to say.
  waits_to_write_ = true;
}

void ClientConnection::restart_pace() {
  paced_ = now_;
  paced_bytes_ = 0;
}

/// False where the socket takes no more, or is closed.
bool ClientConnection::write() {
  while (!output_.is_empty()) {
    // Else a head goes alone, and wakes the client once more.
    const std::string_view piece = output_.front();
    const IoResult result = channel_.write(piece, piece.size() < output_.size());
    if (result.state == IoState::kWaitWrite || result.state == IoState::kWaitRead) {
      waits_to_write_ = result.state == IoState::kWaitWrite;
      return false;
    }
    if (result.state == IoState::kClosed) {
      is_closed_ = true;
      return false;
    }
    output_.pop(result.bytes);
    paced_bytes_ += result.bytes;
    if (paced_bytes_ >= kPaceBytes) restart_pace();
  }
  return true;
}

void ClientConnection::finish() {
  if (linger_until_) return;
  if (session_->must_reset()) {
    channel_.reset_on_close();
    is_closed_ = true;
    return;
  }
  if (!session_->must_linger() || has_input_ended_) {
    is_closed_ = true;
    return;
  }
  // Closing with unread bytes would reset the connection, and with it the answer.
  channel_.end_output();
  linger_until_ = now_ + kLinger;
}

bool ClientConnection::is_resting() const {
  return session_ && !linger_until_ && !is_draining_ && output_.is_empty() && session_->is_idle();
}

void ClientConnection::tick(TimePoint now, Duration idle_timeout) {
  now_ = now;
  const ServerSettings& settings = core_.settings;
  if (linger_until_) {
    if (now >= *linger_until_) is_closed_ = true;
    return;
  }
  if (!session_) {
    // One that has said nothing yet may be a client's spare one.
    const bool is_silent = first_.empty() && !core_.is_crowded();
    const Duration timeout = is_silent ? settings.request_timeout : core_.head_timeout();
    const bool is_late = now - opened_ >= timeout;
    if (is_late || is_draining_) is_closed_ = true;
    return;
  }
  const bool is_stalled = !output_.is_empty() && now - paced_ >= core_.answer_timeout();
  if (is_stalled) {
    is_closed_ = true;
    return;
  }
  session_->tick();
  const bool is_unused = session_->is_idle() && now - received_ >= idle_timeout;
  if (is_unused) session_->end_idle();
  flush();
}

void ClientConnection::drain(TimePoint now) {
  now_ = now;
  is_draining_ = true;
  if (session_) {
    session_->drain();
    flush();
  } else {
    is_closed_ = true;
  }
}

}  // namespace vigia::net::internal
