#include <algorithm>

#include "libs/base/check.hpp"
#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/internal/http2_heads.hpp"
#include "libs/net/internal/http2_session.hpp"

namespace vigia::net::internal {
namespace {

// Past this much over the header limit the client is not merely wrong.
constexpr std::size_t kHeaderAbuseFactor = 16;
// A head on its way is counted in steps; most are smaller than one and counted when whole.
constexpr std::size_t kHeadStepBytes = 2048;

}  // namespace

const nghttp2_session_callbacks* Http2Session::callbacks() {
  static const Http2Callbacks shared = [] {
    nghttp2_session_callbacks* made = nullptr;
    CHECK(nghttp2_session_callbacks_new(&made) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, Contained<on_begin_frame>::call);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made,
                                                            Contained<on_begin_headers>::call);
    nghttp2_session_callbacks_set_on_header_callback(made, Contained<on_header>::call);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, Contained<on_frame>::call);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made,
                                                                 Contained<on_invalid_frame>::call);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, Contained<on_data>::call);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, Contained<on_sent>::call);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, Contained<on_close>::call);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(made, on_unknown_bytes);
    nghttp2_session_callbacks_set_unpack_extension_callback(made, on_unknown);
    return Http2Callbacks(made);
  }();
  return shared.get();
}

int Http2Session::on_begin_frame(nghttp2_session* /*session*/, const nghttp2_frame_hd* head,
                                 void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  session.floods_.see_frame(head->length);
  const bool carries_data = head->type == NGHTTP2_DATA &&
                            (head->length > 0 || (head->flags & NGHTTP2_FLAG_END_STREAM) != 0);
  if (carries_data) {
    const Http2Stream* stream = session.find(head->stream_id);
    if (stream == nullptr || (stream->is_answered && !stream->takes_data())) {
      session.end_unless(session.floods_.discarded(head->length, session.host_.now()));
    }
  } else if (head->type != NGHTTP2_HEADERS) {
    session.end_unless(session.floods_.control_frame(session.host_.now()));
  }
  return 0;
}

/// Frames of unknown type are ignored (RFC 9113 §5.5), but only those that nghttp2 is told to read
/// pass on_begin_frame, which charges them.
int Http2Session::on_unknown_bytes(nghttp2_session* /*session*/, const nghttp2_frame_hd* /*head*/,
                                   const std::uint8_t* /*bytes*/, std::size_t /*size*/,
                                   void* /*self*/) {
  return 0;
}

int Http2Session::on_unknown(nghttp2_session* /*session*/, void** payload,
                             const nghttp2_frame_hd* /*head*/, void* /*self*/) {
  *payload = nullptr;
  return 0;
}

int Http2Session::on_begin_headers(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                   void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto stream = std::make_unique<Http2Stream>();
  stream->started = session.host_.now();
  stream->head_bytes = session.host_.head_bytes();
  stream->head.peer = session.host_.peer();
  stream->head.is_encrypted = session.host_.is_encrypted();
  stream->head.transport = Transport::kHttp2;
  session.streams_[frame->hd.stream_id] = std::move(stream);
  return 0;
}

int Http2Session::on_header(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                            const std::uint8_t* name, std::size_t name_size,
                            const std::uint8_t* value, std::size_t value_size,
                            std::uint8_t /*flags*/, void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  Http2Stream* stream = session.find(frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const std::size_t limit = session.host_.core().settings.header_bytes_max;
  stream->header_bytes += name_size + value_size + kHeaderOverheadBytes;
  // Up to this the fields are decoded and thrown away, since HPACK's table is the connection's: to
  // skip them would garble the next request's head. Past it the connection is ended.
  if (stream->header_bytes > limit * kHeaderAbuseFactor) return NGHTTP2_ERR_CALLBACK_FAILURE;
  // Trailers are read and not kept; what is over the limit is refused once the frame is whole.
  if (stream->header_bytes > limit || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (stream->header_bytes >= stream->head_bytes.amount() + kHeadStepBytes) {
    stream->head_bytes.set(stream->header_bytes);
  }
  add_field(stream->head, view(name, name_size), view(value, value_size));
  return 0;
}

int Http2Session::on_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Http2Stream* stream = session.find(frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const bool is_whole = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    session.begin_request(frame->hd.stream_id, *stream, is_whole);
  } else if (is_whole) {
    session.end_request(frame->hd.stream_id, *stream);
  }
  return 0;
}

int Http2Session::on_invalid_frame(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/,
                                   int /*fault*/, void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  session.end_unless(session.floods_.fault(session.host_.now()));
  return 0;
}

int Http2Session::on_data(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t id,
                          const std::uint8_t* bytes, std::size_t size, void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  Http2Stream* stream = session.find(id);
  if (stream == nullptr || !stream->takes_data()) {
    // The connection's window goes back, since other streams live on it; the stream's does not.
    nghttp2_session_consume_connection(session.machine_.get(), size);
    return 0;
  }
  nghttp2_session_consume(session.machine_.get(), id, size);
  stream->body_bytes += size;
  if (stream->exchange) {
    stream->exchange->take(view(bytes, size));
    session.resume(static_cast<std::uint64_t>(id));
    return 0;
  }
  if (auto answer = stream->taken().take(view(bytes, size))) {
    session.respond(id, *stream, std::move(*answer));
  }
  return 0;
}

ssize_t Http2Session::on_read(nghttp2_session* session, std::int32_t id, std::uint8_t* room,
                              std::size_t size, std::uint32_t* flags,
                              nghttp2_data_source* /*source*/, void* self) {
  auto& own = *static_cast<Http2Session*>(self);
  Http2Stream* stream = own.find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  bool is_end = false;
  const auto read = stream->read_body({room, size}, is_end, own.host_, own.unsent_bytes_);
  if (!read) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  stream->is_deferred = *read == 0 && !is_end;
  if (stream->is_deferred) return NGHTTP2_ERR_DEFERRED;
  if (is_end) *flags |= NGHTTP2_DATA_FLAG_EOF;
  stream->paced_bytes += *read;
  // Progress is what has left for the socket; counted in steps, so that one byte a minute is none.
  if (is_end || stream->paced_bytes >= kPaceBytes) {
    stream->progressed = own.host_.now();
    stream->paced_bytes = 0;
  }
  if (is_end && stream->head.transport == Transport::kGrpc) {
    // A gRPC answer ends with its status as trailers, and only they may end the stream.
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    if (stream->exchange) stream->exchange->write_status(stream->response);
    std::vector<Header> trailers;
    append_grpc_trailers(trailers, stream->response);
    const auto pairs = pairs_of(trailers);
    if (nghttp2_submit_trailer(session, id, pairs.data(), pairs.size()) != 0) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
  }
  return static_cast<ssize_t>(*read);
}

int Http2Session::on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
  auto& own = *static_cast<Http2Session*>(self);
  const auto type = frame->hd.type;
  if (type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR) {
    // The server resets for a fault of the client's; one that provokes resets pays as one that
    // resets (CVE-2025-8671). A reset with NO_ERROR is our own way to end an early answer.
    own.end_unless(own.floods_.fault(own.host_.now()));
  }
  const bool is_end = (type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  // Answered before the request was whole: from here on kDiscardTime runs.
  if (is_end && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
    Http2Stream* stream = own.find(frame->hd.stream_id);
    if (stream != nullptr) stream->ended = own.host_.now();
  }
  return 0;
}

int Http2Session::on_close(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t /*fault*/,
                           void* self) {
  auto& own = *static_cast<Http2Session*>(self);
  Http2Stream* stream = own.find(id);
  if (stream != nullptr) {
    if (!stream->is_whole && !stream->is_answered) {
      own.end_unless(own.floods_.taken_back(stream->body_bytes, own.host_.now()));
    }
    if (stream->waits_since) std::erase(own.waiting_, id);
    stream->count_unsent(0, own.unsent_bytes_);
  }
  own.streams_.erase(id);
  own.host_.forget(static_cast<std::uint64_t>(id));
  return 0;
}

}  // namespace vigia::net::internal
