#include <algorithm>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/net/internal/http2_heads.hpp"
#include "libs/net/internal/http2_session.hpp"

namespace vigia::net::internal {
namespace {

// After an early answer the client's stream gets no more window, so that it stops sending and
// reads; after this time the stream is reset. Reset at once, curl 7 would not show the answer.
constexpr Duration kDiscardTime = std::chrono::seconds(2);

}  // namespace

std::optional<Response> Http2Session::admit(Http2Stream& stream) {
  const ServerSettings& settings = host_.core().settings;
  if (stream.header_bytes > settings.header_bytes_max) {
    Response response = stream.taken().refuse(
        {ErrorCode::kTooLarge,
         fmt::format("the headers are larger than {} bytes", settings.header_bytes_max)});
    response.status = 431;
    return response;
  }
  // MAX_CONCURRENT_STREAMS counts open streams alone. A client that resets each stream at once
  // keeps to it and still gives the handler work without end (CVE-2023-44487); this counts the
  // work.
  if (outstanding_ >= settings.streams_max) {
    return stream.taken().refuse({ErrorCode::kUnavailable, "too many requests in flight"});
  }
  const Headers& headers = stream.taken().head().headers;
  if (const std::string_view timeout = headers.get("grpc-timeout"); !timeout.empty()) {
    const auto left = parse_grpc_timeout(timeout);
    if (!left) {
      return stream.taken().refuse({ErrorCode::kInvalid, "grpc-timeout cannot be read"});
    }
    stream.deadline = stream.started + *left;
  }
  return stream.taken().admit(content_length(headers));
}

void Http2Session::begin_request(std::int32_t id, Http2Stream& stream, bool is_whole) {
  if (is_draining_ && has_said_goodbye_) return;  // above the GOAWAY's last stream: ignored
  stream.is_head_method = stream.head.method == "HEAD";
  // The head moves to the intake, which counts it exactly.
  stream.head_bytes.set(0);
  stream.intake.emplace(host_.core(), std::move(stream.head), std::move(stream.head_bytes),
                        host_.now());
  if (auto answer = admit(stream)) {
    stream.is_whole = is_whole;
    respond(id, stream, std::move(*answer));
    return;
  }
  const bool is_exchange = begin_exchange(id, stream);
  if (is_whole) {
    end_request(id, stream);
  } else if (is_exchange) {
    return;
  } else if (stream.taken().head().headers.get("expect") == "100-continue") {
    const std::vector<Header> headers = {{":status", "100"}};
    const auto pairs = pairs_of(headers);
    nghttp2_submit_headers(machine_.get(), NGHTTP2_FLAG_NONE, id, nullptr, pairs.data(),
                           pairs.size(), nullptr);
  }
}

/// Its answer begins at once and has nothing ready until a message has come.
bool Http2Session::begin_exchange(std::int32_t id, Http2Stream& stream) {
  const RequestHead& head = stream.taken().head();
  if (head.transport != Transport::kGrpc) return false;
  ServerCore& core = host_.core();
  std::unique_ptr<GrpcTalk> talk;
  if (!contain_faults("opening a call", [&] { talk = core.handler.open_talk(head); })) {
    respond(id, stream,
            stream.taken().refuse({ErrorCode::kInternal, "the call could not be begun"}));
    return true;
  }
  if (!talk) return false;
  const std::size_t bytes_max =
      std::min(core.settings.body_bytes_max, core.handler.body_bytes_max(head));
  stream.exchange = std::make_unique<GrpcExchange>(
      std::move(talk), std::string(head.headers.get("grpc-encoding")), bytes_max,
      core.budgets->bodies.open(head.owner));
  Response response;
  response.stream = [exchange = stream.exchange.get()] { return exchange->next(); };
  respond(id, stream, std::move(response));
  return true;
}

void Http2Session::end_request(std::int32_t id, Http2Stream& stream) {
  stream.is_whole = true;
  if (stream.exchange) {
    floods_.whole_request();
    stream.exchange->end_input();
    resume(static_cast<std::uint64_t>(id));
    return;
  }
  if (stream.is_answered || !stream.intake) return;
  floods_.whole_request();
  // The client's frames are read on, since those that make room for its answers are among them.
  // First come, first served: nobody passes who waits already.
  if (!waiting_.empty() || host_.is_full()) {
    stream.waits_since = host_.now();
    waiting_.push_back(id);
    return;
  }
  hand_over(id, stream);
}

void Http2Session::hand_over_waiting() {
  while (!waiting_.empty() && !host_.is_full()) {
    const std::int32_t id = waiting_.front();
    waiting_.pop_front();
    Http2Stream* stream = find(id);
    if (stream != nullptr && !stream->is_answered) hand_over(id, *stream);
  }
}

void Http2Session::hand_over(std::int32_t id, Http2Stream& stream) {
  stream.waits_since.reset();
  ++outstanding_;
  if (auto answer = stream.taken().finish(host_, static_cast<std::uint64_t>(id))) {
    --outstanding_;
    respond(id, stream, std::move(*answer));
  }
}

void Http2Session::answer(std::uint64_t id, Response response) {
  CHECK(outstanding_ > 0);
  --outstanding_;
  const auto stream_id = static_cast<std::int32_t>(id);
  Http2Stream* stream = find(stream_id);
  // The client has reset the stream, or its deadline has passed: the work is done and for nobody.
  if (stream == nullptr || stream->is_answered) return;
  respond(stream_id, *stream, std::move(response));
}

void Http2Session::respond(std::int32_t id, Http2Stream& stream, Response response) {
  // A fault of our own: refuse_websocket says no to HTTP/2.
  if (response.websocket) {
    response = stream.taken().refuse({ErrorCode::kInternal, "no WebSocket can be opened here"});
  }
  // An answer without room is replaced by a short one rather than held: else a client that asks and
  // never reads would fill memory with answers.
  if (!host_.has_room_for(response.body.size())) {
    response = stream.taken().refuse(answers_unread());
  }
  stream.is_answered = true;
  stream.progressed = host_.now();
  stream.response = std::move(response);
  stream.intake.reset();  // not to be held with the answer
  const bool is_grpc = stream.head.transport == Transport::kGrpc;
  Response& answer = stream.response;
  const auto headers = is_grpc ? begin_grpc_answer(answer, stream.exchange != nullptr)
                               : begin_http_answer(answer, stream.is_head_method);
  submit(id, headers, !answer.content().empty() || answer.stream);
  stream.count_unsent(stream.answer_bytes(), unsent_bytes_);
}

void Http2Session::resume(std::uint64_t id) {
  Http2Stream* stream = find(static_cast<std::int32_t>(id));
  if (stream == nullptr || !std::exchange(stream->is_deferred, false)) return;
  stream->progressed = host_.now();  // until now there was nothing to take
  nghttp2_session_resume_data(machine_.get(), static_cast<std::int32_t>(id));
}

void Http2Session::submit(std::int32_t id, const std::vector<Header>& headers, bool has_body) {
  const auto pairs = pairs_of(headers);
  nghttp2_data_provider provider{};
  provider.read_callback = Contained<on_read>::call;
  const int fault = nghttp2_submit_response(machine_.get(), id, pairs.data(), pairs.size(),
                                            has_body ? &provider : nullptr);
  if (fault != 0) {
    nghttp2_submit_rst_stream(machine_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
  }
}

/// A call that nobody ends would hold its connection's place.
void Http2Session::tick_exchange(Http2Stream& stream) {
  const TimePoint now = host_.now();
  const bool is_late = now - stream.started >= host_.core().settings.request_timeout;
  if (is_late || (stream.deadline && now >= *stream.deadline)) {
    stream.exchange->end({ErrorCode::kDeadline, "the call has lasted as long as it may"});
  } else if (is_draining_) {
    stream.exchange->end({ErrorCode::kUnavailable, "the server ends"});
  }
}

void Http2Session::tick_stream(std::int32_t id, Http2Stream& stream) {
  const TimePoint now = host_.now();
  const Duration timeout = host_.core().settings.request_timeout;
  if (stream.ended) {
    if (now - *stream.ended < kDiscardTime) return;
    // RFC 9113 §8.1: the answer is whole, the rest of the request is not wanted.
    nghttp2_submit_rst_stream(machine_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    stream.ended = now;
    return;
  }
  if (stream.exchange) tick_exchange(stream);
  if (stream.is_answered) {
    // Asked again also where nobody could tell it to go on, as for want of memory.
    if (stream.is_deferred) return resume(static_cast<std::uint64_t>(id));
    if (now - stream.progressed >= host_.core().answer_timeout()) {
      nghttp2_submit_rst_stream(machine_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
      stream.progressed = now;
    }
    return;
  }
  if (!stream.intake) {  // its headers are still coming
    const bool is_late = now - stream.started >= host_.core().head_timeout();
    if (is_late || stream.head_bytes.is_over()) end(NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  if (stream.deadline && now >= *stream.deadline) {
    respond(id, stream, stream.taken().refuse({ErrorCode::kDeadline, "the deadline has passed"}));
  } else if (!stream.is_whole) {
    const bool is_late = now - stream.started >= timeout;
    if (!is_late && !stream.taken().is_too_slow(now)) return;
    respond(id, stream, stream.taken().refuse(too_slow(is_late)));
  } else if (stream.waits_since && now - *stream.waits_since >= timeout) {
    respond(id, stream, stream.taken().refuse(answers_unread()));
  }
}

}  // namespace vigia::net::internal
