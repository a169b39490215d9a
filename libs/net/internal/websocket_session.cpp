#include "libs/net/internal/websocket_session.hpp"

#include <optional>
#include <utility>
#include <variant>

#include "libs/net/internal/control_budget.hpp"
#include "libs/net/internal/websocket_frames.hpp"

namespace vigia::net::internal {
namespace {

// Of ControlBudget's tokens: a hundred frames at once, five a second in the long run. Clients ping
// a few times a minute, and answer our pings.
constexpr double kFrameTokens = 100;

class WebSocketSession final : public ProtocolSession {
 public:
  WebSocketSession(SessionHost& host, std::shared_ptr<WebSocketTalk> talk)
      : host_(host),
        talk_(std::move(talk)),
        reader_(host.core().settings.websocket_message_bytes_max),
        frames_(host.now()),
        heard_(host.now()) {}
  ~WebSocketSession() override { end_talk(); }
  WebSocketSession(const WebSocketSession&) = delete;
  WebSocketSession& operator=(const WebSocketSession&) = delete;

  void receive(std::string_view bytes) override;
  void end_input() override { end(); }
  void fill() override;
  std::size_t unsent_bytes() const override { return 0; }
  void answer(std::uint64_t /*id*/, Response /*response*/) override {}
  void resume(std::uint64_t /*id*/) override {}  // each fill() asks
  bool awaits(std::uint64_t /*id*/) const override { return false; }
  // Also while the client takes nothing: else nobody would see that it says good-bye. What it can
  // make wait of answers to its frames, the budget of frames bounds.
  bool wants_input() const override { return !is_done_; }
  bool is_done() const override { return is_done_; }
  bool must_linger() const override { return true; }
  bool must_reset() const override { return must_reset_; }
  void tick() override;
  bool is_idle() const override { return false; }
  void end_idle() override {}
  void drain() override { close(websocket_code::kGoingAway, "the server ends; come again"); }

 private:
  void heed(WebSocketEvent event);
  void send(WebSocketOpcode opcode, std::string payload);
  void send_message(std::string message);
  void close(std::uint16_t code, std::string_view reason);
  void end();
  void end_talk();

  SessionHost& host_;
  std::shared_ptr<WebSocketTalk> talk_;  // shared with its maker; null once it was told the end
  WebSocketReader reader_;
  ControlBudget frames_;
  TimePoint heard_;                  // the last time that anything came
  std::optional<TimePoint> pinged_;  // and nothing has come since
  bool is_done_ = false;
  bool must_reset_ = false;
};

void WebSocketSession::receive(std::string_view bytes) {
  heard_ = host_.now();
  pinged_.reset();
  while (!is_done_) {
    auto event = reader_.take(bytes);
    if (!event) return;
    heed(std::move(*event));
  }
}

void WebSocketSession::heed(WebSocketEvent event) {
  using Kind = WebSocketEvent::Kind;
  if (event.kind == Kind::kFault) return close(event.code, event.payload);
  if (event.kind == Kind::kClose) {
    return close(event.code == 0 ? websocket_code::kNormal : event.code, "");
  }
  // Parts of messages do not pass here: how many a message may have, the reader bounds.
  if (!frames_.spend(kFrameTokens, host_.now())) {
    return close(websocket_code::kPolicy, "too many frames");
  }
  if (event.kind == Kind::kPing) {
    send(WebSocketOpcode::kPong, std::move(event.payload));
  } else if (event.kind == Kind::kMessage) {
    talk_->receive(std::move(event.payload));
  }
}

void WebSocketSession::send(WebSocketOpcode opcode, std::string payload) {
  host_.output().append(std::string_view(websocket_frame_head(opcode, payload.size())));
  host_.output().append(std::move(payload));
}

void WebSocketSession::send_message(std::string message) {
  if (host_.has_room_for(message.size())) return send(WebSocketOpcode::kText, std::move(message));
  // Of all that this address has not read. A gap in a row of messages would look like none.
  must_reset_ = true;
  end();
}

void WebSocketSession::fill() {
  while (!is_done_ && host_.output().size() < kOutputBytesMax && !host_.is_full()) {
    WebSocketOut next = talk_->next();
    if (std::holds_alternative<std::monostate>(next)) return;
    if (auto* message = std::get_if<std::string>(&next)) {
      send_message(std::move(*message));
    } else {
      const auto& wish = std::get<WebSocketClose>(next);
      close(wish.code, wish.reason);
    }
  }
}

/// The client's answer to it is read, and thrown away, while the connection lingers.
void WebSocketSession::close(std::uint16_t code, std::string_view reason) {
  if (is_done_) return;
  send(WebSocketOpcode::kClose, websocket_close_payload(code, reason));
  end();
}

void WebSocketSession::end() {
  is_done_ = true;
  end_talk();
}

void WebSocketSession::end_talk() {
  const auto talk = std::exchange(talk_, nullptr);
  if (talk) contain_faults("the end of a websocket", [&] { talk->ended(); });
}

void WebSocketSession::tick() {
  if (is_done_) return;
  const ServerSettings& settings = host_.core().settings;
  if (pinged_) {
    // Nobody is there to be told: a host that vanished says nothing, not even that.
    if (host_.now() - *pinged_ < settings.websocket_pong_timeout) return;
    must_reset_ = true;
    host_.output().pop(host_.output().size());
    return end();
  }
  // Who does not take what waits for it is the connection's to end, by its pace.
  if (host_.now() - heard_ < settings.websocket_ping_interval || !host_.output().is_empty()) return;
  send(WebSocketOpcode::kPing, "");
  pinged_ = host_.now();
}

}  // namespace

std::unique_ptr<ProtocolSession> make_websocket_session(SessionHost& host,
                                                        std::shared_ptr<WebSocketTalk> talk) {
  return std::make_unique<WebSocketSession>(host, std::move(talk));
}

}  // namespace vigia::net::internal
