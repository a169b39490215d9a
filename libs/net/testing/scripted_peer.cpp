#include "libs/net/testing/scripted_peer.hpp"

#include <arpa/inet.h>
#include <poll.h>

#include "libs/base/check.hpp"

namespace vigia::net::internal {

namespace {

constexpr std::size_t kPrefaceBytes = 24;
constexpr std::uint8_t kData = 0;
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kReset = 3;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kGoaway = 7;
constexpr std::uint8_t kWindowUpdate = 8;
constexpr std::uint8_t kEndStream = 1;
constexpr std::uint8_t kEndHeaders = 4;

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool read_exactly(int socket, std::string& bytes, std::size_t size) {
  bytes.resize(size);
  return size == 0 || recv(socket, bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

std::string big_endian(std::uint32_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xffU);
  return out;
}

/// RFC 7541 §5.2 with a seven bit prefix.
std::string hpack_text(std::string_view text) {
  std::string out;
  std::size_t size = text.size();
  if (size < 127) {
    out += static_cast<char>(size);
  } else {
    out += '\x7f';
    for (size -= 127; size >= 128; size /= 128) out += static_cast<char>(size % 128 + 128);
    out += static_cast<char>(size);
  }
  return out.append(text);
}

}  // namespace

std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                        std::string_view payload) {
  std::string frame = big_endian(static_cast<std::uint32_t>(payload.size()), 3);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  return frame + big_endian(stream, 4) + std::string(payload);
}

std::string hpack_literals(const std::vector<Header>& headers) {
  std::string block;
  for (const Header& header : headers) {
    block += '\0';
    block += hpack_text(header.name) + hpack_text(header.value);
  }
  return block;
}

void ScriptedPeer::Call::headers(const std::vector<Header>& headers, bool is_end) {
  const auto flags = static_cast<std::uint8_t>(kEndHeaders | (is_end ? kEndStream : 0));
  send_all(socket_, http2_frame(kHeaders, flags, stream_, hpack_literals(headers)));
}

void ScriptedPeer::Call::data(const std::string& bytes, bool is_end) {
  send_all(socket_, http2_frame(kData, is_end ? kEndStream : std::uint8_t{0}, stream_, bytes));
}

void ScriptedPeer::Call::reset() {
  send_all(socket_, http2_frame(kReset, 0, stream_, big_endian(2, 4)));
}

void ScriptedPeer::Call::goaway() {
  send_all(socket_, http2_frame(kGoaway, 0, 0, big_endian(0, 4) + big_endian(0, 4)));
}

void ScriptedPeer::Call::close() { shutdown(socket_, SHUT_RDWR); }

ScriptedPeer::ScriptedPeer(std::function<void(Call&)> script)
    : script_(std::move(script)),
      listener_(std::move(*listen_shared(*parse_address("127.0.0.1:0")))) {
  thread_ = std::thread([this] { run(); });
}

ScriptedPeer::~ScriptedPeer() {
  is_closing_ = true;
  thread_.join();
}

std::string ScriptedPeer::url() const { return "http://" + own_address(listener_.get()).text(); }

void ScriptedPeer::run() {
  while (!is_closing_) {
    pollfd ready{listener_.get(), POLLIN, 0};
    if (poll(&ready, 1, 20) <= 0) continue;
    const Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval timeout{0, 500'000};
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (socket.is_open()) serve(socket.get());
  }
}

void ScriptedPeer::serve(int socket) {
  std::string bytes;
  if (!read_exactly(socket, bytes, kPrefaceBytes)) return;
  send_all(socket, http2_frame(kSettings, 0, 0, ""));
  send_all(socket, http2_frame(kWindowUpdate, 0, 0, big_endian(1U << 24U, 4)));
  while (read_exactly(socket, bytes, 9)) {
    const auto byte = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t size = byte(0) * 65536U + byte(1) * 256U + byte(2);
    const std::uint8_t type = byte(3);
    const std::uint8_t flags = byte(4);
    const std::uint32_t stream = byte(7) * 256U + byte(8);
    if (!read_exactly(socket, bytes, size)) return;
    if (type == kSettings && (flags & 1U) == 0) send_all(socket, http2_frame(kSettings, 1, 0, ""));
    const bool is_whole = (type == kData || type == kHeaders) && (flags & kEndStream) != 0;
    if (!is_whole) continue;
    Call call(socket, stream);
    script_(call);
  }
}

}  // namespace vigia::net::internal
