#include "libs/net/internal/channel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <limits>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libs/base/check.hpp"

namespace vigia::net::internal {

namespace {

constexpr std::array<unsigned char, 12> kProtocols = {2,   'h', '2', 8,   'h', 't',
                                                      't', 'p', '/', '1', '.', '1'};

std::string tls_fault() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

int choose_protocol(SSL* /*tls*/, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, kProtocols.data(), kProtocols.size(),
                                          offered, offered_size);
  *out = chosen;
  // RFC 7301 §3.2: a client that offers protocols and none of ours is told so.
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Only clients whose certificate one of the file's has signed, for whatever they ask.
Result<void> require_client_certificate(SSL_CTX* context, const std::string& ca_file) {
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return fail(ErrorCode::kInvalid, fmt::format("client CA {}: {}", ca_file, tls_fault()));
  }
  SSL_CTX_set_client_CA_list(context, names);  // which takes them; clients choose by it
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // A session that is resumed is of a client who was verified: without a name for it OpenSSL
  // refuses to resume any.
  constexpr std::array<unsigned char, 5> kSessions{'v', 'i', 'g', 'i', 'a'};
  SSL_CTX_set_session_id_context(context, kSessions.data(), kSessions.size());
  return {};
}

int number_of(TlsVersion version) {
  return version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

int limited(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::create(const TlsServerSettings& settings) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  CHECK(context != nullptr);
  auto owner = std::make_unique<TlsContext>(context);
  SSL_CTX_set_min_proto_version(context, number_of(settings.min_version));
  SSL_CTX_set_max_proto_version(context, number_of(settings.max_version));
  // Renegotiation lets a client make the server do public-key work at will; compression leaks what
  // is secret by its length (CRIME).
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Output moves between two tries of a write, and an idle connection gives its 34 KiB of buffers
  // back.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, settings.cert_file.c_str()) != 1) {
    return fail(ErrorCode::kInvalid,
                fmt::format("certificate {}: {}", settings.cert_file, tls_fault()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return fail(ErrorCode::kInvalid, fmt::format("key {}: {}", settings.key_file, tls_fault()));
  }
  if (!settings.client_ca_file.empty()) {
    if (auto required = require_client_certificate(context, settings.client_ca_file); !required)
      return forward(required);
  }
  return owner;
}

std::int64_t TlsContext::expires_s() const {
  tm end{};
  const X509* certificate = SSL_CTX_get0_certificate(context_);
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
    return 0;
  return timegm(&end);
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

ByteChannel::ByteChannel(Fd socket, const TlsContext* tls) : socket_(std::move(socket)) {
  if (tls == nullptr) return;
  tls_ = SSL_new(tls->get());
  CHECK(tls_ != nullptr);
  SSL_set_fd(tls_, socket_.get());
  SSL_set_accept_state(tls_);
}

void ByteChannel::reset_on_close() {
  const linger at_once{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  is_reset_on_close_ = true;
}

ByteChannel::~ByteChannel() {
  if (tls_ == nullptr) return;
  if (!is_reset_on_close_) end_output();
  SSL_free(tls_);
}

bool ByteChannel::is_in_handshake() const {
  return tls_ != nullptr && SSL_is_init_finished(tls_) == 0;
}

IoResult ByteChannel::tls_result(int moved) {
  if (moved > 0) return {static_cast<std::size_t>(moved), IoState::kDone};
  const int fault = SSL_get_error(tls_, moved);
  if (fault == SSL_ERROR_SSL && is_in_handshake()) note_handshake_fault();
  ERR_clear_error();  // the queue belongs to the thread: another connection must not see it
  if (fault == SSL_ERROR_WANT_READ) return {0, IoState::kWaitRead};
  if (fault == SSL_ERROR_WANT_WRITE) return {0, IoState::kWaitWrite};
  // After these OpenSSL forbids any further call, SSL_shutdown among them.
  if (fault == SSL_ERROR_SSL || fault == SSL_ERROR_SYSCALL) is_broken_ = true;
  return {0, IoState::kClosed};
}

// In words: OpenSSL's own for a client without TLS are "http request" or "wrong version number".
void ByteChannel::note_handshake_fault() {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  // Whoever only looks whether the port is open leaves like that.
  if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) return;
  if (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_WRONG_VERSION_NUMBER) {
    handshake_fault_ = "it does not speak TLS";
    return;
  }
  const char* text = ERR_reason_error_string(code);
  handshake_fault_ = text != nullptr ? text : "unknown";
  const long verified = SSL_get_verify_result(tls_);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
    handshake_fault_ += fmt::format(": {}", X509_verify_cert_error_string(verified));
  }
}

IoResult ByteChannel::read(char* room, std::size_t size) {
  if (tls_ != nullptr) return tls_result(SSL_read(tls_, room, limited(size)));
  const ssize_t moved = recv(socket_.get(), room, size, 0);
  if (moved > 0) return {static_cast<std::size_t>(moved), IoState::kDone};
  if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return {0, IoState::kWaitRead};
  return {0, IoState::kClosed};
}

IoResult ByteChannel::write(std::string_view bytes, bool has_more) {
  if (tls_ != nullptr) return tls_result(SSL_write(tls_, bytes.data(), limited(bytes.size())));
  const int flags = MSG_NOSIGNAL | (has_more ? MSG_MORE : 0);
  const ssize_t moved = send(socket_.get(), bytes.data(), bytes.size(), flags);
  if (moved >= 0) return {static_cast<std::size_t>(moved), IoState::kDone};
  if (errno == EAGAIN || errno == EINTR) return {0, IoState::kWaitWrite};
  return {0, IoState::kClosed};
}

bool ByteChannel::has_pending() const { return tls_ != nullptr && SSL_pending(tls_) > 0; }

void ByteChannel::end_output() {
  if (tls_ != nullptr && !is_broken_ && SSL_is_init_finished(tls_) == 1) {
    SSL_shutdown(tls_);
    ERR_clear_error();
  }
  shutdown(socket_.get(), SHUT_WR);
}

}  // namespace vigia::net::internal
