// TCP sockets: file descriptors that close themselves, addresses, listening.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "libs/base/result.hpp"

namespace vigia::net::internal {

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int value) : value_(value) {}
  Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return value_; }
  bool is_open() const { return value_ >= 0; }

 private:
  int value_ = -1;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  std::uint16_t port() const;
  /// "127.0.0.1:4317", "[::1]:4317"
  std::string text() const;
};

/// "127.0.0.1:4317", "[::1]:4317", "localhost:4317", ":4317" (every address). kInvalid otherwise.
Result<SocketAddress> parse_address(const std::string& listen);

/// Fails with kUnavailable, naming the address, where another socket listens there.
Result<void> probe_free(const SocketAddress& address);
/// A non-blocking listening socket that shares its port (SO_REUSEPORT). Port 0 takes a free one.
Result<Fd> listen_shared(const SocketAddress& address);

SocketAddress own_address(int socket);

}  // namespace vigia::net::internal
