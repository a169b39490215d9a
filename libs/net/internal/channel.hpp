// The bytes of one connection, plain or TLS.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/net/internal/socket.hpp"
#include "libs/net/server.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace vigia::net::internal {

/// A server's certificate, shared by its connections, which keep what OpenSSL needs of it. TLS 1.2
/// and later; ALPN h2 and http/1.1.
class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> create(const TlsServerSettings& settings);
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();
  ssl_ctx_st* get() const { return context_; }
  /// When its certificate is over, in seconds since 1970.
  std::int64_t expires_s() const;

 private:
  ssl_ctx_st* context_;
};

enum class IoState {
  kDone,       ///< `bytes` were moved
  kWaitRead,   ///< nothing until the socket is readable
  kWaitWrite,  ///< nothing until the socket is writable
  kClosed      ///< the other side has closed, or broke off
};

struct IoResult {
  std::size_t bytes = 0;
  IoState state = IoState::kDone;
};

class ByteChannel {
 public:
  /// `tls` may be null: plain.
  ByteChannel(Fd socket, const TlsContext* tls);
  ByteChannel(const ByteChannel&) = delete;
  ByteChannel& operator=(const ByteChannel&) = delete;
  ~ByteChannel();

  IoResult read(char* room, std::size_t size);
  /// `has_more`: the next write follows at once, and a packet may wait for it.
  IoResult write(std::string_view bytes, bool has_more);
  /// Bytes that are decrypted but not read: epoll does not know of them.
  bool has_pending() const;
  /// From now on closing breaks the connection off, whatever was written; no word of TLS's ends it.
  void reset_on_close();
  /// Says that nothing more will be written.
  void end_output();
  int fd() const { return socket_.get(); }
  bool is_encrypted() const { return tls_ != nullptr; }
  bool is_in_handshake() const;
  /// Why no TLS connection came about; "" where one did, where it is under way, or where the other
  /// side left without a word.
  const std::string& handshake_fault() const { return handshake_fault_; }

 private:
  IoResult tls_result(int moved);
  void note_handshake_fault();

  Fd socket_;
  ssl_st* tls_ = nullptr;
  bool is_broken_ = false;
  bool is_reset_on_close_ = false;
  std::string handshake_fault_;
};

}  // namespace vigia::net::internal
