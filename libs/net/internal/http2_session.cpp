#include "libs/net/internal/http2_session.hpp"

#include <charconv>
#include <cstring>
#include <deque>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/net/internal/control_budget.hpp"
#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/internal/intake.hpp"
#include "libs/net/internal/response_head.hpp"

namespace vigia::net::internal {

namespace {

// What a client may send ahead of an acknowledgement: 4 MiB fill a line of 300 Mbit/s at 100 ms.
// Bodies that come in are bounded by the budgets, not by the windows.
constexpr std::uint32_t kStreamWindowBytes = 4U << 20U;
constexpr int kConnectionWindowBytes = 16 << 20;
// Fewer and larger frames are cheaper; clients that can, use it.
constexpr std::uint32_t kFrameBytesMax = 1U << 20U;
// Past this much over the header limit the client is not merely wrong.
constexpr std::size_t kHeaderAbuseFactor = 16;
// CVE-2023-44487: resets in a burst, then a second.
constexpr std::uint64_t kResetBurst = 1000;
constexpr std::uint64_t kResetsPerSecond = 33;
// CVE-2024-27316.
constexpr std::size_t kContinuationsMax = 8;
constexpr std::size_t kOutboundAcksMax = 1000;
// What a fault of the client's costs that makes the server reset a stream (CVE-2025-8671).
constexpr double kFaultTokens = 20;
// A head on its way is counted in steps; most are smaller than one and counted when whole.
constexpr std::size_t kHeadStepBytes = 2048;
constexpr double kRequestTokens = 8;
// Past CONTINUATION.
constexpr unsigned kUnknownTypesBegin = 0x0a;
constexpr unsigned kUnknownTypesLast = 0xff;
constexpr std::size_t kTimeoutDigitsMax = 8;
// More than a year means no deadline, and must not overflow.
constexpr std::int64_t kTimeoutHoursMax = 24L * 365;
constexpr double kSentTokensPerByte = 4.0 / 16384;
// DATA that no request takes: on streams that are gone or answered. 40 MiB at once, ten windows of
// a stream whose client has not heard yet that it is refused; then 2 MiB/s.
constexpr double kDiscardedTokensPerByte = 1.0 / 4096;
constexpr std::size_t kFrameHeadBytes = 9;
// A preface and a head that is not whole.
constexpr std::uint64_t kUnseenBytesMax = 64;
// Bodies that are taken back before their end: 160 MiB at once, then 8 MiB/s.
constexpr double kTakenBackTokensPerByte = 1.0 / 16384;

// After an early answer the client's stream gets no more window, so that it stops sending and
// reads; after this time the stream is reset. Reset at once, curl 7 would not show the answer.
constexpr Duration kDiscardTime = std::chrono::seconds(2);

// What a stream costs beside its answer's body: itself, nghttp2's, the headers.
constexpr std::size_t kStreamBytes = 2048;

struct Stream {
  RequestAssembly& taken() {
    CHECK(intake.has_value());
    return *intake;
  }

  RequestHead head;
  std::size_t header_bytes = 0;
  Holding head_bytes;  // until there is an intake
  std::optional<RequestAssembly> intake;
  TimePoint started;
  std::optional<TimePoint> deadline;  // of the client: grpc-timeout
  TimePoint progressed;               // of the answer: when kPaceBytes of it had gone
  std::size_t paced_bytes = 0;        // of the answer, gone since then
  std::size_t body_bytes = 0;         // come of the request
  bool is_head_method = false;
  bool is_whole = false;                 // the request
  std::optional<TimePoint> waits_since;  // whole, and held back while answers are not read
  bool is_answered = false;
  std::size_t unsent_bytes = 0;    // what the answer is counted with
  std::optional<TimePoint> ended;  // the answer is sent, the request still comes
  Response response;
  std::size_t offset = 0;
};

struct SessionDeleter {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};
struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};
struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv pair_of(const Header& header) {
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // only read
  };
  return {bytes(header.name), bytes(header.value), header.name.size(), header.value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

std::vector<nghttp2_nv> pairs_of(const std::vector<Header>& headers) {
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(headers.size());
  for (const Header& header : headers) pairs.push_back(pair_of(header));
  return pairs;
}

/// A callback of nghttp2's. What it throws must not pass through C code: it is noted, and ends the
/// session.
template <auto callback>
struct Contained;
template <typename Answer, typename... Arguments, Answer (*callback)(Arguments...)>
struct Contained<callback> {
  static Answer call(Arguments... arguments) {
    Answer answer = NGHTTP2_ERR_CALLBACK_FAILURE;
    contain_faults("an HTTP/2 frame", [&] { answer = callback(arguments...); });
    return answer;
  }
};

class Http2Session final : public ProtocolSession {
 public:
  explicit Http2Session(SessionHost& host);

  void receive(std::string_view bytes) override;
  void end_input() override { is_dead_ = true; }
  void fill() override;
  std::size_t unsent_bytes() const override { return unsent_bytes_; }
  void answer(std::uint64_t id, Response response) override;
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

  Stream* find(std::int32_t id);
  void add_header(Stream& stream, std::string_view name, std::string_view value);
  void begin_request(std::int32_t id, Stream& stream, bool is_whole);
  std::optional<Response> admit(Stream& stream);
  void end_request(std::int32_t id, Stream& stream);
  void hand_over(std::int32_t id, Stream& stream);
  void hand_over_waiting();
  void respond(std::int32_t id, Stream& stream, Response response);
  void count_unsent(Stream& stream, std::size_t bytes);
  void respond_grpc(std::int32_t id, Stream& stream);
  void respond_http(std::int32_t id, Stream& stream);
  void submit(std::int32_t id, const std::vector<Header>& headers, bool has_body);
  ssize_t read_body(Stream& stream, std::uint8_t* room, std::size_t size, std::uint32_t& flags);
  void tick_stream(std::int32_t id, Stream& stream);
  void spend(double tokens);
  void discard(std::uint64_t bytes);
  void end(std::uint32_t fault);

  SessionHost& host_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  std::unordered_map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::deque<std::int32_t> waiting_;  // streams that are held back
  std::size_t unsent_bytes_ = 0;      // of all streams
  std::size_t outstanding_ = 0;  // given to the handler and not answered, gone streams included
  ControlBudget budget_;
  std::uint64_t received_bytes_ = 0;
  std::uint64_t seen_bytes_ = 0;  // of frames that nghttp2 told of, those under way in full
  bool is_draining_ = false;
  bool has_said_goodbye_ = false;
  bool is_dead_ = false;
};

const nghttp2_session_callbacks* Http2Session::callbacks() {
  static const std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter> shared = [] {
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
    return std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>(made);
  }();
  return shared.get();
}

Http2Session::Http2Session(SessionHost& host) : host_(host), budget_(host.now()) {
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  const std::unique_ptr<nghttp2_option, OptionDeleter> owner(option);
  // Nothing is kept of streams that are gone; on_begin_frame charges what still comes for them.
  nghttp2_option_set_no_closed_streams(option, 1);
  // The window is given back in on_data, once the bytes are taken: a stream that is refused gets no
  // more of it, which is how its client learns to stop.
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst, kResetsPerSecond);
  nghttp2_option_set_max_continuations(option, kContinuationsMax);
  nghttp2_option_set_max_outbound_ack(option, kOutboundAcksMax);
  for (unsigned type = kUnknownTypesBegin; type <= kUnknownTypesLast; ++type) {
    nghttp2_option_set_user_recv_extension_type(option, static_cast<std::uint8_t>(type));
  }
  nghttp2_session* session = nullptr;
  CHECK(nghttp2_session_server_new2(&session, callbacks(), this, option) == 0);
  session_.reset(session);
  const ServerSettings& settings = host_.core().settings;
  const std::array<nghttp2_settings_entry, 4> entries = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(settings.streams_max)},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kFrameBytesMax},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(settings.header_bytes_max)},
  }};
  CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries.data(), entries.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                              kConnectionWindowBytes) == 0);
}

void Http2Session::receive(std::string_view bytes) {
  received_bytes_ += bytes.size();
  const ssize_t used = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    fill();  // the GOAWAY that says why, if there is one
    is_dead_ = true;
  }
  // Frames on streams that are gone pass by nghttp2's callbacks: they are what is over.
  if (received_bytes_ > seen_bytes_ + kUnseenBytesMax) {
    discard(received_bytes_ - seen_bytes_);
    seen_bytes_ = received_bytes_;
  }
}

/// Only as much as the output takes: nghttp2 keeps the rest as frames not yet made, and bodies wait
/// in their streams, where they are counted.
void Http2Session::fill() {
  hand_over_waiting();
  while (!is_dead_ && host_.output().size() < kOutputBytesMax) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) is_dead_ = true;
    if (size <= 0) return;
    host_.output().append(view(bytes, static_cast<std::size_t>(size)));
    // A client that reads a large answer sends window updates all the time: what it takes pays for
    // them.
    budget_.earn(static_cast<double>(size) * kSentTokensPerByte);
  }
}

bool Http2Session::is_done() const {
  if (is_dead_) return true;
  // After the GOAWAY the session would go on reading for ever; what is still to write is the end.
  if (has_said_goodbye_ && streams_.empty()) {
    return nghttp2_session_want_write(session_.get()) == 0;
  }
  return nghttp2_session_want_read(session_.get()) == 0 &&
         nghttp2_session_want_write(session_.get()) == 0;
}

Stream* Http2Session::find(std::int32_t id) {
  const auto entry = streams_.find(id);
  return entry == streams_.end() ? nullptr : entry->second.get();
}

void Http2Session::end(std::uint32_t fault) {
  nghttp2_session_terminate_session(session_.get(), fault);
}

void Http2Session::discard(std::uint64_t bytes) {
  spend(1 + static_cast<double>(bytes) * kDiscardedTokensPerByte);
}

void Http2Session::spend(double tokens) {
  if (!budget_.spend(tokens, host_.now())) end(NGHTTP2_ENHANCE_YOUR_CALM);
}

int Http2Session::on_begin_frame(nghttp2_session* /*session*/, const nghttp2_frame_hd* head,
                                 void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  // Charged by the head, before a byte of the frame has come: a client that sends heads alone pays.
  session.seen_bytes_ += kFrameHeadBytes + head->length;
  const bool carries_data = head->type == NGHTTP2_DATA &&
                            (head->length > 0 || (head->flags & NGHTTP2_FLAG_END_STREAM) != 0);
  if (carries_data) {
    const Stream* stream = session.find(head->stream_id);
    if (stream == nullptr || stream->is_answered) session.discard(head->length);
  } else if (head->type != NGHTTP2_HEADERS) {
    session.spend(1);
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
  auto stream = std::make_unique<Stream>();
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
  Stream* stream = session.find(frame->hd.stream_id);
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
  session.add_header(*stream, view(name, name_size), view(value, value_size));
  return 0;
}

void Http2Session::add_header(Stream& stream, std::string_view name, std::string_view value) {
  RequestHead& head = stream.head;
  if (name == ":method") {
    head.method = value;
  } else if (name == ":path") {
    const std::size_t question = value.find('?');
    head.path = value.substr(0, question);
    if (question != std::string_view::npos) head.query = value.substr(question + 1);
  } else if (name == ":authority") {
    // RFC 9113 §8.3.1: :authority takes the place of Host, which handlers look for.
    head.headers.add("host", value);
  } else if (!name.starts_with(':')) {
    head.headers.add(name, value);
    if (name == "content-type" && value.starts_with("application/grpc") &&
        (value.size() == 16 || value[16] == '+' || value[16] == ';')) {
      head.transport = Transport::kGrpc;
    }
  }
}

int Http2Session::on_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Stream* stream = session.find(frame->hd.stream_id);
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
  static_cast<Http2Session*>(self)->spend(kFaultTokens);
  return 0;
}

std::optional<Response> Http2Session::admit(Stream& stream) {
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
  std::optional<std::uint64_t> length;
  if (const std::string_view text = headers.get("content-length"); !text.empty()) {
    std::uint64_t value = 0;
    const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault == std::errc()) length = value;
  }
  return stream.taken().admit(length);
}

void Http2Session::begin_request(std::int32_t id, Stream& stream, bool is_whole) {
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
  if (is_whole) {
    end_request(id, stream);
  } else if (stream.taken().head().headers.get("expect") == "100-continue") {
    const std::vector<Header> headers = {{":status", "100"}};
    const auto pairs = pairs_of(headers);
    nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, id, nullptr, pairs.data(),
                           pairs.size(), nullptr);
  }
}

int Http2Session::on_data(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t id,
                          const std::uint8_t* bytes, std::size_t size, void* self) {
  auto& session = *static_cast<Http2Session*>(self);
  Stream* stream = session.find(id);
  if (stream == nullptr || stream->is_answered || !stream->intake) {
    // The connection's window goes back, since other streams live on it; the stream's does not.
    nghttp2_session_consume_connection(session.session_.get(), size);
    return 0;
  }
  nghttp2_session_consume(session.session_.get(), id, size);
  stream->body_bytes += size;
  if (auto answer = stream->taken().take(view(bytes, size))) {
    session.respond(id, *stream, std::move(*answer));
  }
  return 0;
}

void Http2Session::end_request(std::int32_t id, Stream& stream) {
  stream.is_whole = true;
  if (stream.is_answered || !stream.intake) return;
  budget_.earn(kRequestTokens);
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
    Stream* stream = find(id);
    if (stream != nullptr && !stream->is_answered) hand_over(id, *stream);
  }
}

void Http2Session::hand_over(std::int32_t id, Stream& stream) {
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
  Stream* stream = find(stream_id);
  // The client has reset the stream, or its deadline has passed: the work is done and for nobody.
  if (stream == nullptr || stream->is_answered) return;
  respond(stream_id, *stream, std::move(response));
}

void Http2Session::respond(std::int32_t id, Stream& stream, Response response) {
  // An answer without room is replaced by a short one rather than held: else a client that asks and
  // never reads would fill memory with answers.
  if (!host_.has_room_for(response.body.size())) {
    response = stream.taken().refuse(answers_unread());
  }
  stream.is_answered = true;
  stream.progressed = host_.now();
  stream.response = std::move(response);
  stream.intake.reset();  // not to be held with the answer
  if (stream.head.transport == Transport::kGrpc) {
    respond_grpc(id, stream);
  } else {
    respond_http(id, stream);
  }
  count_unsent(stream, kStreamBytes + stream.response.body.size());
}

void Http2Session::count_unsent(Stream& stream, std::size_t bytes) {
  unsent_bytes_ += bytes - stream.unsent_bytes;  // less is more, modulo 2^64
  stream.unsent_bytes = bytes;
}

void Http2Session::respond_grpc(std::int32_t id, Stream& stream) {
  Response& response = stream.response;
  response.stream = nullptr;
  response.shared_body = nullptr;
  std::vector<Header> headers = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"date", date_text()}};
  for (const Header& header : response.headers) {
    if (is_connection_header(header.name) || header.name == "content-type") continue;
    headers.push_back({header.name, clean_value(header.value)});
  }
  // "Trailers-Only" of the gRPC protocol: one HEADERS frame says all.
  if (effective_grpc_code(response) != GrpcCode::kOk) {
    append_grpc_trailers(headers, response);
    response.body = std::string();
    submit(id, headers, false);
    return;
  }
  headers.push_back({"grpc-accept-encoding", "identity,deflate,gzip,zstd"});
  response.body.insert(0, grpc_prefix(response.body.size(), false));
  submit(id, headers, true);
}

void Http2Session::respond_http(std::int32_t id, Stream& stream) {
  Response& response = stream.response;
  std::vector<Header> headers = {{":status", std::to_string(response.status)},
                                 {"date", date_text()}};
  for (const Header& header : response.headers) {
    if (is_connection_header(header.name)) continue;
    headers.push_back({header.name, clean_value(header.value)});
  }
  const bool may_have = may_have_body(response.status);
  if (may_have && !response.stream) {
    headers.push_back({"content-length", std::to_string(response.content().size())});
  }
  if (!may_have || stream.is_head_method) {
    response.body = std::string();
    response.shared_body = nullptr;
    response.stream = nullptr;
  }
  submit(id, headers, !response.content().empty() || response.stream);
}

void Http2Session::submit(std::int32_t id, const std::vector<Header>& headers, bool has_body) {
  const auto pairs = pairs_of(headers);
  nghttp2_data_provider provider{};
  provider.read_callback = Contained<on_read>::call;
  const int fault = nghttp2_submit_response(session_.get(), id, pairs.data(), pairs.size(),
                                            has_body ? &provider : nullptr);
  if (fault != 0) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
  }
}

ssize_t Http2Session::on_read(nghttp2_session* session, std::int32_t id, std::uint8_t* room,
                              std::size_t size, std::uint32_t* flags,
                              nghttp2_data_source* /*source*/, void* self) {
  auto& own = *static_cast<Http2Session*>(self);
  Stream* stream = own.find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const ssize_t read = own.read_body(*stream, room, size, *flags);
  const bool is_end = (*flags & NGHTTP2_DATA_FLAG_EOF) != 0;
  stream->paced_bytes += static_cast<std::size_t>(std::max<ssize_t>(read, 0));
  // Progress is what has left for the socket; counted in steps, so that one byte a minute is none.
  if (is_end || stream->paced_bytes >= kPaceBytes) {
    stream->progressed = own.host_.now();
    stream->paced_bytes = 0;
  }
  if (is_end && stream->head.transport == Transport::kGrpc) {
    // A gRPC answer ends with its status as trailers, and only they may end the stream.
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    std::vector<Header> trailers;
    append_grpc_trailers(trailers, stream->response);
    const auto pairs = pairs_of(trailers);
    if (nghttp2_submit_trailer(session, id, pairs.data(), pairs.size()) != 0) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
  }
  return read;
}

ssize_t Http2Session::read_body(Stream& stream, std::uint8_t* room, std::size_t size,
                                std::uint32_t& flags) {
  std::size_t read = 0;
  Response& response = stream.response;
  while (read < size) {
    if (stream.offset == response.content().size() && response.stream) {
      // One piece at a time, asked for when the one before has gone: the answer is never in memory
      // whole. Where it fails the stream is reset: an answer that just ended would look whole.
      Result<std::string> piece = response.stream();
      if (!piece || !host_.has_room_for(piece->size())) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      }
      if (piece->empty()) response.stream = nullptr;
      response.body = std::move(*piece);
      response.shared_body = nullptr;
      stream.offset = 0;
      count_unsent(stream, kStreamBytes + response.body.size());
    }
    const std::string& body = response.content();
    if (stream.offset == body.size()) break;
    const std::size_t count = std::min(size - read, body.size() - stream.offset);
    std::memcpy(room + read, body.data() + stream.offset, count);
    stream.offset += count;
    read += count;
  }
  if (stream.offset == response.content().size() && !response.stream) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
  }
  return static_cast<ssize_t>(read);
}

int Http2Session::on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
  auto& own = *static_cast<Http2Session*>(self);
  const auto type = frame->hd.type;
  if (type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR) {
    // The server resets for a fault of the client's; one that provokes resets pays as one that
    // resets (CVE-2025-8671). A reset with NO_ERROR is our own way to end an early answer.
    own.spend(kFaultTokens);
  }
  const bool is_end = (type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  // Answered before the request was whole: from here on kDiscardTime runs.
  if (is_end && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
    Stream* stream = own.find(frame->hd.stream_id);
    if (stream != nullptr) stream->ended = own.host_.now();
  }
  return 0;
}

int Http2Session::on_close(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t /*fault*/,
                           void* self) {
  auto& own = *static_cast<Http2Session*>(self);
  Stream* stream = own.find(id);
  if (stream != nullptr) {
    // Bodies that are sent nearly whole and taken back cost memory and nothing else would count
    // them.
    if (!stream->is_whole && !stream->is_answered)
      own.spend(static_cast<double>(stream->body_bytes) * kTakenBackTokensPerByte);
    if (stream->waits_since) std::erase(own.waiting_, id);
    own.count_unsent(*stream, 0);
  }
  own.streams_.erase(id);
  own.host_.forget(static_cast<std::uint64_t>(id));
  return 0;
}

void Http2Session::tick() {
  // A copy: what a tick answers may close streams and change the map.
  std::vector<std::int32_t> ids;
  ids.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  for (const std::int32_t id : ids) {
    if (Stream* stream = find(id)) tick_stream(id, *stream);
  }
  if (is_draining_ && !has_said_goodbye_) {
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                          nullptr, 0);
    has_said_goodbye_ = true;
  }
}

void Http2Session::tick_stream(std::int32_t id, Stream& stream) {
  const TimePoint now = host_.now();
  const Duration timeout = host_.core().settings.request_timeout;
  if (stream.ended) {
    if (now - *stream.ended < kDiscardTime) return;
    // RFC 9113 §8.1: the answer is whole, the rest of the request is not wanted.
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    stream.ended = now;
    return;
  }
  if (stream.is_answered) {
    if (now - stream.progressed >= host_.core().answer_timeout()) {
      nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
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

void Http2Session::drain() {
  // Two steps (RFC 9113 §6.8): a client's requests that are on their way are still taken.
  is_draining_ = true;
  nghttp2_submit_shutdown_notice(session_.get());
}

}  // namespace

std::optional<Duration> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kTimeoutDigitsMax + 1) return std::nullopt;
  std::int64_t count = 0;
  const std::string_view digits = text.substr(0, text.size() - 1);
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (fault != std::errc() || end != digits.data() + digits.size() || count < 0) {
    return std::nullopt;
  }
  switch (text.back()) {
    case 'H':
      return std::chrono::hours(std::min(count, kTimeoutHoursMax));
    case 'M':
      return std::chrono::minutes(count);
    case 'S':
      return std::chrono::seconds(count);
    case 'm':
      return std::chrono::milliseconds(count);
    case 'u':
      return std::chrono::microseconds(count);
    case 'n':
      return std::chrono::nanoseconds(count);
    default:
      return std::nullopt;
  }
}

std::unique_ptr<ProtocolSession> make_http2_session(SessionHost& host) {
  return std::make_unique<Http2Session>(host);
}

}  // namespace vigia::net::internal
