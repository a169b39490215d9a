#include "libs/net/internal/transfer.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"

namespace vigia::net::internal {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kHeaderBytesMax = 64U << 10U;
constexpr long kRedirectsMax = 5;
constexpr long kReceiveBufferBytes = 64L << 10U;
constexpr long kSendBufferBytes = 512L << 10U;
// A host that vanishes is noticed after this, rather than after TCP's quarter of an hour: curl
// would go on to use the connection.
constexpr int kUnacknowledgedMaxMs = 20'000;
constexpr long kKeepAliveSeconds = 20;
// Of a call that waits for another's connection: that one may fail.
constexpr int kLooksMax = 4;
constexpr std::string_view kNeverByProxy = "localhost,127.0.0.1,::1";

/// Debian 12's libcurl 7.88 starts HTTP/2 anew on a connection that speaks it already, and fails
/// (curl issue 10634, mended in 8.0). There a request of plain HTTP/2 is sent over a kept
/// connection as it should, and only must not make one, for which it would ask to upgrade HTTP/1.1.
bool can_reuse_prior_knowledge() {
  static const bool can = curl_version_info(CURLVERSION_NOW)->version_num >= 0x080000;
  return can;
}

template <typename T>
void set(CURL* handle, CURLoption option, T value) {
  CHECK(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

long milliseconds_of(Duration duration) {
  return std::max<long>(std::chrono::duration_cast<milliseconds>(duration).count(), 1);
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char letter) {
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
  };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char letter) {
    return letter == '\r' || letter == '\n' || letter == '\0';
  });
}

/// What a callback throws must not pass through C code: it is noted, and breaks the transfer off.
template <std::size_t (*callback)(char*, std::size_t, std::size_t, void*)>
std::size_t contained(char* bytes, std::size_t size, std::size_t count, void* self) {
  std::size_t taken = 0;
  contain_faults("an answer of a neighbour", [&] { taken = callback(bytes, size, count, self); });
  return taken;
}

}  // namespace

Transfer::Transfer(ClientRequest request, bool is_grpc, Done done)
    : request_(std::move(request)), is_grpc_(is_grpc), done_(std::move(done)) {}

Transfer::~Transfer() {
  if (handle_ != nullptr) curl_easy_cleanup(handle_);
  curl_slist_free_all(headers_);
  curl_slist_free_all(connect_to_);
}

Result<void> Transfer::begin(const ClientSettings& settings) {
  const bool is_https = request_.url.starts_with("https://");
  if (!is_https && !request_.url.starts_with("http://")) {
    return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no http(s) URL", request_.url));
  }
  handle_ = curl_easy_init();
  CHECK(handle_ != nullptr);
  set(handle_, CURLOPT_PRIVATE, this);
  set(handle_, CURLOPT_ERRORBUFFER, fault_.data());
  set(handle_, CURLOPT_NOSIGNAL, 1L);
  set(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle_, CURLOPT_URL, request_.url.c_str());
  set(handle_, CURLOPT_TIMEOUT_MS, milliseconds_of(request_.timeout));
  set(handle_, CURLOPT_CONNECTTIMEOUT_MS, milliseconds_of(request_.timeout));
  set(handle_, CURLOPT_USERAGENT, settings.user_agent.c_str());
  set(handle_, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  set(handle_, CURLOPT_HEADERFUNCTION, contained<on_header>);
  set(handle_, CURLOPT_HEADERDATA, this);
  set(handle_, CURLOPT_WRITEFUNCTION, contained<on_body>);
  set(handle_, CURLOPT_WRITEDATA, this);
  set(handle_, CURLOPT_SOCKOPTFUNCTION, on_socket);
  set(handle_, CURLOPT_TCP_KEEPALIVE, 1L);
  set(handle_, CURLOPT_TCP_KEEPIDLE, kKeepAliveSeconds);
  set(handle_, CURLOPT_TCP_KEEPINTVL, kKeepAliveSeconds / 4);
  set(handle_, CURLOPT_FOLLOWLOCATION, settings.follow_redirects ? 1L : 0L);
  set(handle_, CURLOPT_MAXREDIRS, kRedirectsMax);
  // One whose reader makes it wait would make all wait that share its connection.
  const bool may_share = is_https && request_.connect_to.empty() && !request_.on_piece;
  long version = may_share ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
  if (is_grpc_ && !is_https) version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  set(handle_, CURLOPT_HTTP_VERSION, version);
  set(handle_, CURLOPT_PIPEWAIT, version == CURL_HTTP_VERSION_1_1 ? 0L : 1L);
  if (version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE && !can_reuse_prior_knowledge()) {
    set(handle_, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2_0});
    set(handle_, CURLOPT_OPENSOCKETFUNCTION, on_no_connection);
    set(handle_, CURLOPT_OPENSOCKETDATA, this);
  }
  set_proxy();
  set_connect_to();
  set_tls();
  set_body();
  set_headers();
  return {};
}

curl_socket_t Transfer::on_no_connection(void* self, curlsocktype /*purpose*/,
                                         curl_sockaddr* /*address*/) {
  static_cast<Transfer*>(self)->has_no_connection_ = true;
  return CURL_SOCKET_BAD;
}

bool Transfer::lacks_connection(CURLcode code) const {
  return code == CURLE_COULDNT_CONNECT && has_no_connection_;
}

bool Transfer::look_again() {
  long bytes = 0;
  curl_easy_getinfo(handle_, CURLINFO_REQUEST_SIZE, &bytes);
  was_sent_ = was_sent_ || bytes > 0;
  has_no_connection_ = false;
  response_ = {};
  fault_ = {};
  return ++looks_ < kLooksMax;
}

void Transfer::connect() {
  set(handle_, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
  set(handle_, CURLOPT_FRESH_CONNECT, 1L);
  set(handle_, CURLOPT_OPENSOCKETFUNCTION, nullptr);
}

std::string_view Transfer::authority() const {
  const std::string_view url = request_.url;
  const std::size_t begin = url.find("://");
  return url.substr(0, url.find('/', begin == url.npos ? 0 : begin + 3));
}

void Transfer::set_proxy() {
  if (!request_.url.starts_with("https://")) {  // plain HTTP is for our own network
    set(handle_, CURLOPT_PROXY, "");
    return;
  }
  const char* environment = std::getenv("no_proxy");
  if (environment == nullptr) environment = std::getenv("NO_PROXY");
  const std::string none = environment == nullptr
                               ? std::string(kNeverByProxy)
                               : fmt::format("{},{}", environment, kNeverByProxy);
  set(handle_, CURLOPT_NOPROXY, none.c_str());
}

void Transfer::set_connect_to() {
  if (request_.connect_to.empty()) return;
  // Of any host and any port of a URL.
  connect_to_ = curl_slist_append(nullptr, ("::" + request_.connect_to).c_str());
  CHECK(connect_to_ != nullptr);
  set(handle_, CURLOPT_CONNECT_TO, connect_to_);
}

void Transfer::set_tls() {
  set(handle_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!request_.tls) return;
  const TlsClientSettings& tls = *request_.tls;
  if (tls.skip_verify) {
    set(handle_, CURLOPT_SSL_VERIFYPEER, 0L);
    set(handle_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!tls.ca_file.empty()) set(handle_, CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.cert_file.empty()) set(handle_, CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) set(handle_, CURLOPT_SSLKEY, tls.key_file.c_str());
}

void Transfer::set_body() {
  if (request_.method == "HEAD") {
    set(handle_, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool has_body = !request_.body.empty() || request_.method == "POST" ||
                        request_.method == "PUT" || request_.method == "PATCH";
  if (has_body) {
    set(handle_, CURLOPT_POST, 1L);
    set(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(handle_, CURLOPT_POSTFIELDS, request_.body.data());
    if (request_.body.size() > static_cast<std::size_t>(kReceiveBufferBytes)) {
      set(handle_, CURLOPT_UPLOAD_BUFFERSIZE, kSendBufferBytes);
    }
  }
  set(handle_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Transfer::set_headers() {
  // Neither waits for 100-continue nor claims a form where nothing is said.
  append_header("Expect:");
  if (request_.headers.get("content-type").empty()) append_header("Content-Type:");
  for (const Header& header : request_.headers) {
    if (!is_clean(header.name) || !is_clean(header.value)) continue;
    // curl takes "name:" for a removal, "name;" for an empty value.
    append_header(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  set(handle_, CURLOPT_HTTPHEADER, headers_);
  if (!is_grpc_ && request_.headers.get("accept-encoding").empty()) {
    set(handle_, CURLOPT_ACCEPT_ENCODING, "gzip, deflate, zstd");
  }
}

bool Transfer::append_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_, line.c_str());
  CHECK(longer != nullptr);
  headers_ = longer;
  return true;
}

int Transfer::on_socket(void* /*self*/, curl_socket_t socket, curlsocktype /*purpose*/) {
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMaxMs,
             sizeof kUnacknowledgedMaxMs);
  return CURL_SOCKOPT_OK;
}

/// A line of the head, of a 1xx before it, or a trailer.
std::size_t Transfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line = trimmed({bytes, size * count});
  if (line.starts_with("HTTP/")) {
    transfer.response_.headers = Headers();
    transfer.header_bytes_ = 0;
    return size * count;
  }
  transfer.header_bytes_ += size * count;
  if (transfer.header_bytes_ > kHeaderBytesMax) {
    transfer.is_too_large_ = true;
    return 0;
  }
  // The end of a head that holds an error's status: it is whole, nothing is left to wait for. curl
  // would go on to send the body, for which the server may have no window any more.
  const std::string_view status = transfer.response_.headers.get("grpc-status");
  if (line.empty() && transfer.is_grpc_ && !status.empty() && status != "0") return 0;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return size * count;
  transfer.response_.headers.add(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  return size * count;
}

std::size_t Transfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.request_.on_piece) return transfer.offer({bytes, size * count});
  std::string& body = transfer.response_.body;
  const auto& may_grow = transfer.request_.may_grow;
  const std::size_t room = transfer.request_.response_bytes_max - body.size();
  if (transfer.request_.cuts_body && size * count > room) {
    body.append(bytes, room);
    transfer.is_cut_ = true;
    return 0;
  }
  if (body.size() + size * count > transfer.request_.response_bytes_max ||
      (may_grow && !may_grow(size * count))) {
    transfer.is_too_large_ = true;
    return 0;
  }
  body.append(bytes, size * count);
  return size * count;
}

std::size_t Transfer::offer(std::string_view piece) {
  is_too_large_ = piece.size() > request_.response_bytes_max - offered_bytes_;
  const PieceVerdict verdict = is_too_large_ ? PieceVerdict::kRefused : request_.on_piece(piece);
  if (verdict == PieceVerdict::kLater) return CURL_WRITEFUNC_PAUSE;
  is_too_large_ = verdict == PieceVerdict::kRefused;
  if (is_too_large_) return 0;
  offered_bytes_ += piece.size();
  return piece.size();
}

Error Transfer::error_of(CURLcode code) const {
  const std::string what = fault_[0] != '\0' ? fault_.data() : curl_easy_strerror(code);
  const auto error = [&](ErrorCode own, std::string_view text) {
    return Error{
        own, fmt::format("{} {}: {}", request_.method,
                         std::string_view(request_.url).substr(0, request_.url.find('?')), text)};
  };
  if (is_too_large_) {
    return error(ErrorCode::kTooLarge,
                 fmt::format("the answer is larger than {} bytes", request_.response_bytes_max));
  }
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return error(ErrorCode::kDeadline,
                   fmt::format("no answer within {}", format_duration(request_.timeout)));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return error(ErrorCode::kInvalid, what);
    default:
      return error(ErrorCode::kUnavailable, what);
  }
}

/// A server that refuses early may reset what is still being sent; its answer counts all the same.
bool Transfer::is_answered_despite(CURLcode code) const {
  if (is_too_large_) return false;
  if (is_cut_) return true;
  if (is_grpc_) return response_.headers.count("grpc-status") > 0;
  const bool is_send_fault = code == CURLE_SEND_ERROR || code == CURLE_HTTP2_STREAM;
  return is_send_fault && response_.status >= 400;
}

/// Of all tries together: curl sends a request anew where a kept connection turns out to be dead.
void Transfer::tell_sent() const {
  if (handle_ == nullptr || !request_.on_sent) return;
  long bytes = 0;
  curl_easy_getinfo(handle_, CURLINFO_REQUEST_SIZE, &bytes);
  if (bytes > 0 || was_sent_) contain_faults("a request to a neighbour was sent", request_.on_sent);
}

void Transfer::finish(CURLcode code) {
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  long connections = 0;
  curl_easy_getinfo(handle_, CURLINFO_NUM_CONNECTS, &connections);
  response_.has_new_connection = connections > 0;
  if (code != CURLE_OK && !is_answered_despite(code)) {
    fail_with(error_of(code));
    return;
  }
  if (!is_grpc_ && request_.headers.get("accept-encoding").empty() &&
      response_.headers.count("content-encoding") > 0) {
    // curl has decoded the body: what was true of the encoded one would mislead.
    Headers plain;
    for (const Header& header : response_.headers) {
      if (header.name == "content-encoding" || header.name == "content-length") continue;
      plain.add(header.name, header.value);
    }
    response_.headers = std::move(plain);
  }
  tell_sent();
  contain_faults("the answer of a request to a neighbour",
                 [&] { std::exchange(done_, nullptr)(std::move(response_)); });
}

void Transfer::fail_with(Error error) {
  tell_sent();
  contain_faults("the end of a request to a neighbour",
                 [&] { std::exchange(done_, nullptr)(tl::unexpected(std::move(error))); });
}

}  // namespace vigia::net::internal
