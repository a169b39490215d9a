#include "libs/net/internal/http2_session.hpp"

namespace vigia::net::internal {

void Http2Session::receive(std::string_view bytes) {
  const ssize_t used = nghttp2_session_mem_recv(
      machine_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    fill();  // the GOAWAY that says why, if there is one
    is_dead_ = true;
  }
  end_unless(floods_.read(bytes.size(), host_.now()));
}

/// Only as much as the output takes: nghttp2 keeps the rest as frames not yet made, and bodies wait
/// in their streams, where they are counted.
void Http2Session::fill() {
  hand_over_waiting();
  while (!is_dead_ && host_.output().size() < kOutputBytesMax) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(machine_.get(), &bytes);
    if (size < 0) is_dead_ = true;
    if (size <= 0) return;
    host_.output().append(view(bytes, static_cast<std::size_t>(size)));
    floods_.sent(static_cast<std::size_t>(size));
  }
}

bool Http2Session::is_done() const {
  if (is_dead_) return true;
  // After the GOAWAY the session would go on reading for ever; what is still to write is the end.
  if (has_said_goodbye_ && streams_.empty()) {
    return nghttp2_session_want_write(machine_.get()) == 0;
  }
  return nghttp2_session_want_read(machine_.get()) == 0 &&
         nghttp2_session_want_write(machine_.get()) == 0;
}

Http2Stream* Http2Session::find(std::int32_t id) {
  const auto entry = streams_.find(id);
  return entry == streams_.end() ? nullptr : entry->second.get();
}

void Http2Session::tick() {
  // A copy: what a tick answers may close streams and change the map.
  std::vector<std::int32_t> ids;
  ids.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  for (const std::int32_t id : ids) {
    if (Http2Stream* stream = find(id)) tick_stream(id, *stream);
  }
  if (is_draining_ && !has_said_goodbye_) {
    nghttp2_submit_goaway(machine_.get(), NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(machine_.get()), NGHTTP2_NO_ERROR,
                          nullptr, 0);
    has_said_goodbye_ = true;
  }
}

void Http2Session::drain() {
  // Two steps (RFC 9113 §6.8): a client's requests that are on their way are still taken.
  is_draining_ = true;
  nghttp2_submit_shutdown_notice(machine_.get());
}

std::unique_ptr<ProtocolSession> make_http2_session(SessionHost& host) {
  return std::make_unique<Http2Session>(host);
}

}  // namespace vigia::net::internal
