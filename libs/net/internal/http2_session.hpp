// HTTP/2 (RFC 9113) and gRPC's calls on one connection, on nghttp2.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/net/internal/core.hpp"
#include "libs/net/internal/http2_floods.hpp"
#include "libs/net/internal/http2_machine.hpp"
#include "libs/net/internal/http2_stream.hpp"

namespace vigia::net::internal {

/// What every HTTP/2 client sends first.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The server's side of one connection. Sources by what they are about: http2_session.cpp the
/// connection, http2_callbacks.cpp what nghttp2 tells, http2_requests.cpp the requests. All of it
/// runs on the connection's event loop.
class Http2Session final : public ProtocolSession {
 public:
  explicit Http2Session(SessionHost& host)
      : host_(host),
        machine_(make_http2_machine(callbacks(), this, host.core().settings)),
        floods_(host.now()) {}

  void receive(std::string_view bytes) override;
  void end_input() override { is_dead_ = true; }
  void fill() override;
  std::size_t unsent_bytes() const override { return unsent_bytes_; }
  void answer(std::uint64_t id, Response response) override;
  void resume(std::uint64_t id) override;
  bool awaits(std::uint64_t id) const override {
    const auto entry = streams_.find(static_cast<std::int32_t>(id));
    return entry != streams_.end() && !entry->second->is_answered;
  }
  bool wants_input() const override { return !is_dead_ && host_.output().size() < kOutputBytesMax; }
  bool is_done() const override;
  bool must_linger() const override { return false; }
  void tick() override;
  bool is_idle() const override { return streams_.empty() && outstanding_ == 0; }
  void end_idle() override { end(NGHTTP2_NO_ERROR); }
  void drain() override;

 private:
  // nghttp2's callbacks; `self` is the session.
  static int on_begin_frame(nghttp2_session* session, const nghttp2_frame_hd* head, void* self);
  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int on_unknown_bytes(nghttp2_session* session, const nghttp2_frame_hd* head,
                              const std::uint8_t* bytes, std::size_t size, void* self);
  static int on_unknown(nghttp2_session* session, void** payload, const nghttp2_frame_hd* head,
                        void* self);
  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                       std::size_t value_size, std::uint8_t flags, void* self);
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int on_invalid_frame(nghttp2_session* session, const nghttp2_frame* frame, int fault,
                              void* self);
  static int on_data(nghttp2_session* session, std::uint8_t flags, std::int32_t id,
                     const std::uint8_t* bytes, std::size_t size, void* self);
  static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t fault, void* self);
  static ssize_t on_read(nghttp2_session* session, std::int32_t id, std::uint8_t* room,
                         std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                         void* self);
  static const nghttp2_session_callbacks* callbacks();

  Http2Stream* find(std::int32_t id);
  void begin_request(std::int32_t id, Http2Stream& stream, bool is_whole);
  std::optional<Response> admit(Http2Stream& stream);
  bool begin_exchange(std::int32_t id, Http2Stream& stream);
  void tick_exchange(Http2Stream& stream);
  void end_request(std::int32_t id, Http2Stream& stream);
  void hand_over(std::int32_t id, Http2Stream& stream);
  void hand_over_waiting();
  void respond(std::int32_t id, Http2Stream& stream, Response response);
  void submit(std::int32_t id, const std::vector<Header>& headers, bool has_body);
  void tick_stream(std::int32_t id, Http2Stream& stream);
  void end(std::uint32_t fault) { nghttp2_session_terminate_session(machine_.get(), fault); }
  void end_unless(bool may_go_on) {
    if (!may_go_on) end(NGHTTP2_ENHANCE_YOUR_CALM);
  }

  SessionHost& host_;
  Http2Machine machine_;
  Http2Floods floods_;
  std::unordered_map<std::int32_t, std::unique_ptr<Http2Stream>> streams_;
  std::deque<std::int32_t> waiting_;  // streams that are held back
  std::size_t unsent_bytes_ = 0;      // of all streams
  std::size_t outstanding_ = 0;  // given to the handler and not answered, gone streams included
  bool is_draining_ = false;
  bool has_said_goodbye_ = false;
  bool is_dead_ = false;
};

/// `host` outlives the session.
std::unique_ptr<ProtocolSession> make_http2_session(SessionHost& host);

}  // namespace vigia::net::internal
