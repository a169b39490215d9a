#include "libs/net/internal/socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "libs/net/host_port.hpp"

namespace vigia::net::internal {

namespace {

constexpr int kListenBacklog = 1024;

std::string fault_text(int fault) {
  return std::error_code(fault, std::generic_category()).message();
}

const sockaddr* raw(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

Error bind_error(const SocketAddress& address, int fault) {
  if (fault == EADDRINUSE) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{} is already in use by another program", address.text())};
  }
  return Error{ErrorCode::kUnavailable,
               fmt::format("cannot listen on {}: {}", address.text(), fault_text(fault))};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (value_ >= 0) close(value_);
    value_ = std::exchange(other.value_, -1);
  }
  return *this;
}

Fd::~Fd() {
  if (value_ >= 0) close(value_);
}

std::uint16_t SocketAddress::port() const {
  if (storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string SocketAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> name{};
  if (storage.ss_family == AF_INET6) {
    const auto* address = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &address->sin6_addr, name.data(), name.size());
    return fmt::format("[{}]:{}", name.data(), port());
  }
  const auto* address = reinterpret_cast<const sockaddr_in*>(&storage);
  inet_ntop(AF_INET, &address->sin_addr, name.data(), name.size());
  return fmt::format("{}:{}", name.data(), port());
}

Result<SocketAddress> parse_address(const std::string& listen) {
  const auto parts = split_host_port(listen);
  if (!parts || !parts->port) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("\"{}\" is not an address such as 127.0.0.1:4317, with a port from 0 to "
                    "65535",
                    listen));
  }
  const std::string host(parts->host);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int fault = getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                std::to_string(*parts->port).c_str(), &hints, &found);
  if (fault != 0 || found == nullptr) {
    return fail(ErrorCode::kInvalid,
                fmt::format("address \"{}\": {}", listen, gai_strerror(fault)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  // A name with both kinds, such as localhost, means the IPv4 one, as most clients expect.
  const addrinfo* chosen = found;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      chosen = each;
      break;
    }
  }
  SocketAddress address;
  std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
  address.length = chosen->ai_addrlen;
  return address;
}

/// SO_REUSEPORT lets a second process of the same user listen beside us without a word, and the
/// kernel would share the connections between the two. A socket without the flag finds that out.
Result<void> probe_free(const SocketAddress& address) {
  if (address.port() == 0) return {};
  const Fd probe(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(probe.get(), raw(address), address.length) != 0 || listen(probe.get(), 1) != 0) {
    return tl::unexpected(bind_error(address, errno));
  }
  return {};
}

Result<Fd> listen_shared(const SocketAddress& address) {
  Fd listener(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(listener.get(), raw(address), address.length) != 0 ||
      listen(listener.get(), kListenBacklog) != 0) {
    return tl::unexpected(bind_error(address, errno));
  }
  return listener;
}

SocketAddress own_address(int socket) {
  SocketAddress address;
  address.length = sizeof address.storage;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
  return address;
}

}  // namespace vigia::net::internal
