#include "libs/net/internal/http1_session.hpp"

#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/net/internal/http1_head.hpp"
#include "libs/net/internal/intake.hpp"
#include "libs/net/internal/response_head.hpp"
#include "libs/net/internal/websocket_session.hpp"

namespace vigia::net::internal {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

// A refused body of this size is read and thrown away, so that the connection can go on.
constexpr std::uint64_t kDiscardBytesMax = 256U << 10U;
// Chunk headers and trailers; the header has its own limit.
constexpr std::size_t kUnparsedBytesMax = 16U << 10U;
constexpr int kUpgradeRequired = 426;  // RFC 9110 §15.5.22: it names the protocol

std::string_view view(string_view text) { return {text.data(), text.size()}; }

class Http1Session;

/// Beast's parser, handing what it finds to the session at once, without a copy of the body.
class RequestParser final : public http::basic_parser<true> {
 public:
  explicit RequestParser(Http1Session& session) : session_(session) {}

 private:
  void on_request_impl(http::verb verb, string_view method, string_view target, int version,
                       error_code& fault) override;
  void on_response_impl(int /*code*/, string_view /*reason*/, int /*version*/,
                        error_code& /*fault*/) override {}
  void on_field_impl(http::field field, string_view name, string_view value,
                     error_code& fault) override;
  void on_header_impl(error_code& fault) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         error_code& /*fault*/) override {}
  std::size_t on_body_impl(string_view body, error_code& fault) override;
  void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/,
                            error_code& /*fault*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t rest, string_view body, error_code& fault) override;
  void on_finish_impl(error_code& /*fault*/) override {}

  Http1Session& session_;
};

class Http1Session final : public ProtocolSession {
 public:
  explicit Http1Session(SessionHost& host) : host_(host), unparsed_bytes_(host.head_bytes()) {}

  void receive(std::string_view bytes) override;
  void end_input() override;
  void fill() override;
  std::size_t unsent_bytes() const override { return 0; }
  void answer(std::uint64_t id, Response response) override;
  void resume(std::uint64_t /*id*/) override {}  // each fill() asks
  bool awaits(std::uint64_t id) const override {
    return id == request_id_ && is_answering_ && !stream_;
  }
  bool wants_input() const override { return !is_done_ && !is_answering_ && !is_output_full(); }
  bool is_done() const override { return is_done_; }
  bool must_reset() const override { return must_reset_; }
  bool must_linger() const override { return must_linger_; }
  void tick() override;
  bool is_idle() const override { return !parser_ && !is_answering_; }
  void end_idle() override { is_done_ = true; }
  void drain() override;
  Successor take_successor() override { return std::exchange(successor_, {}); }

  // From the parser.
  void on_request_line(std::string_view method, std::string_view target, int version);
  /// False where the headers are too many.
  bool on_field(std::string_view name, std::string_view value);
  bool is_http10() const { return version_ < 11; }
  void on_head();
  void on_body(std::string_view bytes);

 private:
  /// Requests wait while the answers before them do, or a client that sends and never reads would
  /// pile them up.
  bool is_output_full() const {
    return host_.output().size() >= kOutputBytesMax || host_.is_full();
  }
  void parse(std::string_view& bytes);
  void parse_unparsed();
  bool parse_step(std::string_view& bytes);
  void begin_request();
  void end_request();
  RequestParser& parser() {
    CHECK(parser_.has_value());
    return *parser_;
  }
  RequestAssembly& intake() {
    CHECK(intake_.has_value());
    return *intake_;
  }
  std::optional<std::uint64_t> announced_length();
  void refuse_broken(int status);
  void refuse_early(Response response);
  void send(Response response);
  void send_body(Response response);
  void send_head(const Response& response, bool has_body);
  void become_websocket(Response response);
  void end_response();

  SessionHost& host_;
  std::optional<RequestParser> parser_;  // of the request being read or answered
  RequestHead head_;
  std::size_t header_cost_ = 0;
  std::optional<RequestAssembly> intake_;
  std::string unparsed_;
  Holding unparsed_bytes_;
  std::size_t unparsed_used_ = 0;
  std::uint64_t request_id_ = 0;
  TimePoint started_;
  int version_ = 11;
  BodySource stream_;
  std::string websocket_accept_;  // of the request, where it may become a WebSocket
  Successor successor_;
  bool is_chunked_ = false;
  bool is_head_method_ = false;
  bool is_keep_alive_ = true;
  bool is_discarding_ = false;  // answered before the body was there
  bool is_answering_ = false;   // the request is whole, its answer not yet sent
  bool has_input_ended_ = false;
  bool is_draining_ = false;
  bool is_done_ = false;
  bool must_linger_ = false;
  bool must_reset_ = false;
};

void RequestParser::on_request_impl(http::verb /*verb*/, string_view method, string_view target,
                                    int version, error_code& /*fault*/) {
  session_.on_request_line(view(method), view(target), version);
}

void RequestParser::on_field_impl(http::field field, string_view name, string_view value,
                                  error_code& fault) {
  if (is_header_done()) return;  // a trailer
  // To be ignored there (RFC 9110 §7.8).
  if (field == http::field::upgrade && session_.is_http10()) return;
  if (!session_.on_field(view(name), view(value))) fault = http::error::header_limit;
}

void RequestParser::on_header_impl(error_code& /*fault*/) { session_.on_head(); }

std::size_t RequestParser::on_body_impl(string_view body, error_code& /*fault*/) {
  session_.on_body(view(body));
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t /*rest*/, string_view body,
                                              error_code& /*fault*/) {
  session_.on_body(view(body));
  return body.size();
}

void Http1Session::receive(std::string_view bytes) {
  unparsed_bytes_.set(0);  // what becomes a request is counted as such
  // Bytes of the next requests (pipelining) wait as they came: one request at a time keeps answers
  // in order without a queue of them.
  if (is_answering_ || is_output_full() || !unparsed_.empty()) {
    unparsed_.erase(0, unparsed_used_);
    unparsed_used_ = 0;
    unparsed_ += bytes;
    parse_unparsed();
  } else {
    parse(bytes);
    unparsed_.assign(bytes);
  }
  unparsed_bytes_.set(unparsed_.size());
  const bool is_cut_head = !unparsed_.empty() && parser_ && !intake_;
  if (!is_cut_head || is_done_ || !unparsed_bytes_.is_over()) return;
  refuse_broken(503);
  std::string().swap(unparsed_);  // an assignment would keep the room
  unparsed_bytes_.set(0);
}

/// Goes on with what has waited for the answers before it.
void Http1Session::parse_unparsed() {
  std::string_view bytes = std::string_view(unparsed_).substr(unparsed_used_);
  parse(bytes);
  unparsed_used_ = unparsed_.size() - bytes.size();
  if (bytes.empty() || is_done_) {
    std::string().swap(unparsed_);  // an assignment would keep the room
    unparsed_used_ = 0;
    unparsed_bytes_.set(0);
  }
  // What is left then is the begin of a request that will never be whole.
  if (has_input_ended_ && !is_answering_ && !is_output_full()) is_done_ = true;
}

/// Takes whole steps off the front of `bytes`.
void Http1Session::parse(std::string_view& bytes) {
  while (!bytes.empty() && !is_answering_ && !is_done_ && !is_output_full()) {
    if (!parse_step(bytes)) break;
  }
}

/// False where more bytes are needed.
bool Http1Session::parse_step(std::string_view& bytes) {
  if (!parser_) begin_request();
  error_code fault;
  const std::size_t used =
      parser().put(boost::asio::const_buffer(bytes.data(), bytes.size()), fault);
  bytes.remove_prefix(used);
  if (is_done_) return false;
  if (fault && fault != http::error::need_more) {
    refuse_broken(fault == http::error::header_limit ? 431 : 400);
    return false;
  }
  if (parser().is_done()) {
    end_request();
    return true;
  }
  // Beast asks for more until a line is whole; here is what bounds that line.
  const std::size_t waiting_max =
      parser().is_header_done() ? kUnparsedBytesMax : host_.core().settings.header_bytes_max;
  if (bytes.size() > waiting_max) {
    refuse_broken(431);
    return false;
  }
  return !fault && used > 0 && !bytes.empty();
}

void Http1Session::begin_request() {
  parser_.emplace(*this);
  parser().eager(true);
  parser().header_limit(static_cast<std::uint32_t>(host_.core().settings.header_bytes_max));
  parser().body_limit(boost::none);  // bounded by Intake, which can answer properly
  head_ = RequestHead{};
  header_cost_ = 0;
  head_.peer = host_.peer();
  head_.is_encrypted = host_.is_encrypted();
  started_ = host_.now();
  websocket_accept_.clear();
  is_discarding_ = false;
  is_keep_alive_ = true;
  ++request_id_;
}

void Http1Session::on_request_line(std::string_view method, std::string_view target, int version) {
  version_ = version;
  is_head_method_ = method == "HEAD";
  head_.method = method;
  const std::size_t question = target.find('?');
  head_.path = target.substr(0, question);
  if (question != std::string_view::npos) head_.query = target.substr(question + 1);
}

bool Http1Session::on_field(std::string_view name, std::string_view value) {
  header_cost_ += name.size() + value.size() + kHeaderOverheadBytes;
  if (header_cost_ > host_.core().settings.header_bytes_max) return false;
  head_.headers.add(name, value);
  return true;
}

std::optional<std::uint64_t> Http1Session::announced_length() {
  const auto length = parser().content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

void Http1Session::on_head() {
  const std::optional<Error> fault = check_http1_head(head_, version_, parser().chunked());
  // After a head that two readers could frame differently nobody knows where the next one begins.
  is_keep_alive_ = parser().keep_alive() && !fault;
  // Here, since the head goes to the handler, whose own look must find the same.
  if (head_.headers.count("upgrade") > 0 && !refuse_websocket(head_)) {
    websocket_accept_ = websocket_accept(head_.headers.get("sec-websocket-key"));
  }
  intake_.emplace(host_.core(), std::move(head_), unparsed_bytes_.beside(), host_.now());
  if (fault) {
    is_keep_alive_ = false;
    refuse_early(intake().refuse(*fault));
    return;
  }
  if (auto answer = intake().admit(announced_length())) {
    refuse_early(std::move(*answer));
    return;
  }
  const bool is_waiting = intake().head().headers.get("expect") == "100-continue";
  if (is_waiting && version_ >= 11) {
    host_.output().append(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
  }
}

void Http1Session::on_body(std::string_view bytes) {
  if (is_discarding_ || is_done_) return;
  if (auto answer = intake().take(bytes)) refuse_early(std::move(*answer));
}

void Http1Session::end_request() {
  if (is_discarding_) {
    end_response();
    return;
  }
  is_answering_ = true;
  if (auto answer = intake().finish(host_, request_id_)) send(std::move(*answer));
}

/// Answers before the body has been read.
void Http1Session::refuse_early(Response response) {
  const auto length = announced_length();
  // A client that sends its whole body before it reads must be read to its end, or closing would
  // reset the connection and the answer with it. That is worth it for small bodies; one that waits
  // for 100-continue may send its body or the next request, and the two can't be told apart.
  const bool is_small = length && *length <= kDiscardBytesMax;
  const bool is_waiting = intake().head().headers.get("expect") == "100-continue";
  const bool has_body = parser().chunked() || (length && *length > 0);
  if (has_body && (!is_small || is_waiting)) is_keep_alive_ = false;
  response.stream = nullptr;
  is_discarding_ = true;
  send(std::move(response));
}

/// The bytes are no HTTP: says so and ends.
void Http1Session::refuse_broken(int status) {
  host_.core().requests_refused.fetch_add(1, std::memory_order_relaxed);
  // An answer is on its way already: a second one would be taken for the next request's.
  if (!is_discarding_) {
    Response response;
    response.status = status;
    is_keep_alive_ = false;
    is_head_method_ = false;
    send_head(response, true);
  }
  is_done_ = true;
  must_linger_ = true;
}

void Http1Session::answer(std::uint64_t id, Response response) {
  // Of a request that was refused or given up meanwhile.
  if (id != request_id_ || !is_answering_ || stream_) return;
  send(std::move(response));
  if (!is_answering_) parse_unparsed();
}

void Http1Session::send(Response response) {
  if (response.websocket && !websocket_accept_.empty()) {
    return become_websocket(std::move(response));
  }
  // A fault of our own: the handler has not asked refuse_websocket.
  if (response.websocket) {
    response = intake().refuse({ErrorCode::kInternal, "no WebSocket can be opened here"});
  }
  if (!host_.has_room_for(response.body.size())) response = intake().refuse(answers_unread());
  if (is_draining_) is_keep_alive_ = false;
  const bool has_body = may_have_body(response.status);
  // HTTP/1.0 knows no chunks: there the connection's end is the body's.
  is_chunked_ = has_body && response.stream && version_ >= 11;
  if (response.stream && !is_chunked_) is_keep_alive_ = false;
  send_head(response, has_body);
  BodySource stream = std::move(response.stream);
  if (!has_body || is_head_method_) {
    stream = nullptr;
  } else if (is_chunked_) {
    if (!response.content().empty()) {
      host_.output().append(fmt::format("{:x}\r\n", response.content().size()));
      send_body(std::move(response));
      host_.output().append(std::string_view("\r\n"));
    }
  } else {
    send_body(std::move(response));
  }
  stream_ = std::move(stream);
  if (!stream_ && !is_discarding_) end_response();
  if (!stream_ && is_discarding_ && !is_keep_alive_) {
    is_done_ = true;
    must_linger_ = true;
  }
}

/// Nothing of this connection is HTTP any more: the answer that would end never does.
void Http1Session::become_websocket(Response response) {
  host_.output().append(
      fmt::format("HTTP/1.1 101 Switching Protocols\r\ndate: {}\r\nupgrade: websocket\r\n"
                  "connection: upgrade\r\nsec-websocket-accept: {}\r\n\r\n",
                  date_text(), websocket_accept_));
  successor_ = {make_websocket_session(host_, std::move(response.websocket)),
                unparsed_.substr(unparsed_used_)};
}

void Http1Session::send_body(Response response) {
  if (response.shared_body) {
    host_.output().append(std::move(response.shared_body), std::move(response.held));
  } else {
    host_.output().append(std::move(response.body), std::move(response.held));
  }
}

void Http1Session::send_head(const Response& response, bool has_body) {
  const auto reason = http::obsolete_reason(
      http::int_to_status(static_cast<unsigned>(std::max(response.status, 100))));
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\ndate: {}\r\n", response.status, view(reason), date_text());
  for (const Header& header : response.headers) {
    // The handler does not know the connection; these are this function's to write.
    if (is_connection_header(header.name)) continue;
    head += fmt::format("{}: {}\r\n", clean_value(header.name), clean_value(header.value));
  }
  if (is_chunked_) {
    head += "transfer-encoding: chunked\r\n";
  } else if (has_body && !response.stream) {
    head += fmt::format("content-length: {}\r\n", response.content().size());
  }
  if (response.status == kUpgradeRequired) {
    head += "upgrade: websocket\r\n";
    head += is_keep_alive_ ? "connection: upgrade\r\n" : "connection: close, upgrade\r\n";
  } else if (!is_keep_alive_) {
    head += "connection: close\r\n";
  } else if (version_ < 11) {
    head += "connection: keep-alive\r\n";
  }
  head += "\r\n";
  host_.output().append(std::string_view(head));
}

/// The answer is on its way: on to the next request, or the end.
void Http1Session::end_response() {
  is_answering_ = false;
  is_chunked_ = false;
  stream_ = nullptr;
  intake_.reset();
  parser_.reset();
  if (!is_keep_alive_ || is_draining_ || (has_input_ended_ && unparsed_.empty())) is_done_ = true;
}

void Http1Session::fill() {
  const bool has_held_any = !unparsed_.empty() || has_input_ended_;
  if (has_held_any && !is_answering_ && !is_done_) parse_unparsed();
  while (stream_ && !is_done_ && host_.output().size() < kOutputBytesMax) {
    auto next = stream_();
    if (next && !next->has_value()) return;  // until resume()
    // Without the last chunk the client sees that something is missing.
    if (!next || !host_.has_room_for((*next)->size())) {
      stream_ = nullptr;
      is_done_ = true;
      // To HTTP/1.0 the connection's end is the body's: there only a reset says it.
      must_reset_ = !is_chunked_;
      return;
    }
    std::string& piece = **next;
    const bool is_last = piece.empty();
    if (is_chunked_) host_.output().append(fmt::format("{:x}\r\n", piece.size()));
    host_.output().append(std::move(piece));
    if (is_chunked_) host_.output().append(std::string_view("\r\n"));
    if (!is_last) continue;
    end_response();
    parse_unparsed();
  }
}

void Http1Session::end_input() {
  has_input_ended_ = true;
  if (!is_answering_) parse_unparsed();
}

void Http1Session::tick() {
  if (!parser_ || is_answering_) return;
  const ServerSettings& settings = host_.core().settings;
  const Duration passed = host_.now() - started_;
  if (is_discarding_) {
    if (passed >= settings.request_timeout) is_done_ = true;
    return;
  }
  if (!intake_) {
    if (passed < host_.core().head_timeout()) return;
    is_keep_alive_ = false;
    refuse_broken(408);
    return;
  }
  const bool is_late = passed >= settings.request_timeout;
  if (!is_late && !intake_->is_too_slow(host_.now())) return;
  is_keep_alive_ = false;
  refuse_early(intake().refuse(too_slow(is_late)));
}

void Http1Session::drain() {
  is_draining_ = true;
  if (is_idle()) is_done_ = true;
}

}  // namespace

std::unique_ptr<ProtocolSession> make_http1_session(SessionHost& host) {
  return std::make_unique<Http1Session>(host);
}

}  // namespace vigia::net::internal
