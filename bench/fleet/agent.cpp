#include "bench/fleet/agent.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libs/base/check.hpp"
#include "libs/model/signal.hpp"
#include "libs/otlp/paths.hpp"

namespace vigia::bench {
namespace {

// An answer with nothing to tell is an empty message behind its frame's head.
constexpr std::size_t kEmptyMessage = 5;

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  CHECK(::inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1);
  return address;
}

Outcome outcome_of(const std::string& status, std::size_t bytes) {
  if (status == "0") return bytes > kEmptyMessage ? Outcome::kPartly : Outcome::kAccepted;
  return status == "8" || status == "14" ? Outcome::kRefused : Outcome::kFailed;
}

}  // namespace

int Agent::connect() {
  close();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) return -1;
  const int on = 1;
  // The port is chosen at connect(), so that one is free where it is free for this destination.
  ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in source = address_of(address_.source, 0);
  const sockaddr_in target = address_of(address_.host, address_.port);
  const bool is_bound =
      ::bind(socket_, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0;
  const bool is_begun = is_bound && (::connect(socket_, reinterpret_cast<const sockaddr*>(&target),
                                               sizeof target) == 0 ||
                                     errno == EINPROGRESS);
  if (!is_begun) {
    close();
    return -1;
  }
  open_session();
  return socket_;
}

void Agent::close() {
  if (session_ != nullptr) nghttp2_session_del(std::exchange(session_, nullptr));
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  unwritten_.clear();
  wants_to_write_ = false;
  if (is_sending_) end(Outcome::kBroken);
}

void Agent::open_session() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_client_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
}

void Agent::send(std::string message, Ended ended) {
  CHECK(!is_sending_);
  message_ = std::move(message);
  send_again(std::move(ended));
}

void Agent::send_again(Ended ended) {
  ended_ = std::move(ended);
  is_sending_ = true;
  if (!is_open()) return end(Outcome::kBroken);
  submit();
  wants_to_write_ = true;
}

void Agent::submit() {
  sent_ = 0;
  got_bytes_ = 0;
  status_.clear();
  const std::string authority = fmt::format("{}:{}", address_.host, address_.port);
  const std::string token = "Bearer " + address_.token;
  const std::string path = std::string(otlp::grpc_path(Signal::kMetrics));
  std::array<std::pair<std::string, std::string>, 7> headers{{{":method", "POST"},
                                                              {":scheme", "http"},
                                                              {":path", path},
                                                              {":authority", authority},
                                                              {"te", "trailers"},
                                                              {"content-type", "application/grpc"},
                                                              {"authorization", token}}};
  std::array<nghttp2_nv, 7> fields{};
  std::transform(headers.begin(), headers.end(), fields.begin(), [](auto& header) {
    return nghttp2_nv{reinterpret_cast<std::uint8_t*>(header.first.data()),
                      reinterpret_cast<std::uint8_t*>(header.second.data()), header.first.size(),
                      header.second.size(), NGHTTP2_NV_FLAG_NONE};
  });
  nghttp2_data_provider body{};
  body.read_callback = read_body;
  CHECK(nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), &body, nullptr) >
        0);
}

bool Agent::on_ready() {
  if (is_open() && read_all() && write_all()) return true;
  close();
  return false;
}

bool Agent::read_all() {
  std::array<unsigned char, 16U << 10U> room;
  for (;;) {
    const ssize_t got = ::recv(socket_, room.data(), room.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (got <= 0) return false;
    const auto taken =
        nghttp2_session_mem_recv(session_, room.data(), static_cast<std::size_t>(got));
    if (taken != got) return false;
    if (static_cast<std::size_t>(got) < room.size()) return true;
  }
}

// What nghttp2 gives has to be kept where the socket does not take it.
bool Agent::write_all() {
  for (;;) {
    while (!unwritten_.empty()) {
      const ssize_t sent = ::send(socket_, unwritten_.data(), unwritten_.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        wants_to_write_ = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN;
        return wants_to_write_;
      }
      unwritten_.erase(0, static_cast<std::size_t>(sent));
    }
    const std::uint8_t* bytes = nullptr;
    constexpr std::size_t kAtOnce = 256U << 10U;
    while (unwritten_.size() < kAtOnce) {
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size < 0) return false;
      if (size == 0) break;
      unwritten_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    if (unwritten_.empty()) break;
  }
  wants_to_write_ = false;
  return nghttp2_session_want_read(session_) != 0;
}

void Agent::end(Outcome outcome) {
  is_sending_ = false;
  if (auto ended = std::exchange(ended_, nullptr)) ended(outcome);
}

ssize_t Agent::read_body(nghttp2_session*, std::int32_t, std::uint8_t* room, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source*, void* user) {
  auto& self = *static_cast<Agent*>(user);
  const std::size_t count = std::min(size, self.message_.size() - self.sent_);
  std::memcpy(room, self.message_.data() + self.sent_, count);
  self.sent_ += count;
  if (self.sent_ == self.message_.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

int Agent::on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                     std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                     std::uint8_t, void* user) {
  if (std::string_view(reinterpret_cast<const char*>(name), name_size) == "grpc-status") {
    static_cast<Agent*>(user)->status_.assign(reinterpret_cast<const char*>(value), value_size);
  }
  return 0;
}

int Agent::on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t*,
                   std::size_t size, void* user) {
  static_cast<Agent*>(user)->got_bytes_ += size;
  return 0;
}

int Agent::on_close(nghttp2_session*, std::int32_t, std::uint32_t, void* user) {
  auto& self = *static_cast<Agent*>(user);
  if (self.is_sending_) {
    self.end(self.status_.empty() ? Outcome::kBroken : outcome_of(self.status_, self.got_bytes_));
  }
  return 0;
}

}  // namespace vigia::bench
