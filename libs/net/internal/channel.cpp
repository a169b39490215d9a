#include "libs/net/internal/channel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
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

int limited(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::create(const TlsServerSettings& settings) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  CHECK(context != nullptr);
  auto owner = std::make_unique<TlsContext>(context);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
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
  return owner;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

ByteChannel::ByteChannel(Fd socket, const TlsContext* tls) : socket_(std::move(socket)) {
  if (tls == nullptr) return;
  tls_ = SSL_new(tls->get());
  CHECK(tls_ != nullptr);
  SSL_set_fd(tls_, socket_.get());
  SSL_set_accept_state(tls_);
}

ByteChannel::~ByteChannel() {
  if (tls_ == nullptr) return;
  end_output();
  SSL_free(tls_);
}

IoResult ByteChannel::tls_result(int moved) {
  if (moved > 0) return {static_cast<std::size_t>(moved), IoState::kDone};
  const int fault = SSL_get_error(tls_, moved);
  ERR_clear_error();  // the queue belongs to the thread: another connection must not see it
  if (fault == SSL_ERROR_WANT_READ) return {0, IoState::kWaitRead};
  if (fault == SSL_ERROR_WANT_WRITE) return {0, IoState::kWaitWrite};
  // After these OpenSSL forbids any further call, SSL_shutdown among them.
  if (fault == SSL_ERROR_SSL || fault == SSL_ERROR_SYSCALL) is_broken_ = true;
  return {0, IoState::kClosed};
}

IoResult ByteChannel::read(char* room, std::size_t size) {
  if (tls_ != nullptr) return tls_result(SSL_read(tls_, room, limited(size)));
  const ssize_t moved = recv(socket_.get(), room, size, 0);
  if (moved > 0) return {static_cast<std::size_t>(moved), IoState::kDone};
  if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return {0, IoState::kWaitRead};
  return {0, IoState::kClosed};
}

IoResult ByteChannel::write(std::string_view bytes) {
  if (tls_ != nullptr) return tls_result(SSL_write(tls_, bytes.data(), limited(bytes.size())));
  const ssize_t moved = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
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
