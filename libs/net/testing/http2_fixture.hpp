// A server, and a client that speaks HTTP/2 to it frame by frame.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "libs/net/internal/http2_session.hpp"
#include "libs/net/server.hpp"
#include "libs/net/testing/scripted_peer.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {

using internal::EchoHandler;
using internal::hpack_literals;
using internal::http2_frame;
using internal::RawClient;
using internal::small_settings;

inline constexpr std::uint8_t kData = 0;
inline constexpr std::uint8_t kHeaders = 1;
inline constexpr std::uint8_t kPriority = 2;
inline constexpr std::uint8_t kReset = 3;
inline constexpr std::uint8_t kSettings = 4;
inline constexpr std::uint8_t kPing = 6;
inline constexpr std::uint8_t kGoaway = 7;
inline constexpr std::uint8_t kWindowUpdate = 8;
inline constexpr std::uint8_t kContinuation = 9;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kEndHeaders = 4;
inline constexpr int kFlood = 200'000;

struct Frame {
  std::uint8_t type = 0xff;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
  std::vector<Header> headers;  // of a HEADERS frame

  bool is_end() const { return (flags & kEndStream) != 0; }
  std::string get(std::string_view name) const {
    for (const Header& header : headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }
  std::uint32_t number(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4 && i < payload.size(); ++i) {
      value = value << 8U | static_cast<unsigned char>(payload[i]);
    }
    return value;
  }
};

/// Speaks HTTP/2 by hand.
class FrameClient {
 public:
  explicit FrameClient(std::uint16_t port, std::string_view settings = "", bool acknowledges = true)
      : raw_(port) {
    nghttp2_hd_inflate_new(&inflater_);
    raw_.send(std::string(internal::kHttp2Preface) + http2_frame(kSettings, 0, 0, settings));
    if (acknowledges) raw_.send(http2_frame(kSettings, kAck, 0, ""));
  }
  FrameClient(const FrameClient&) = delete;
  FrameClient& operator=(const FrameClient&) = delete;
  ~FrameClient() { nghttp2_hd_inflate_del(inflater_); }

  bool send(std::string_view bytes) { return raw_.try_send(bytes); }
  void request(std::uint32_t stream, std::vector<Header> extra, bool is_end,
               std::string_view path = "/x") {
    std::vector<Header> headers = {{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}};
    headers.push_back({":path", std::string(path)});
    headers.insert(headers.end(), extra.begin(), extra.end());
    const auto flags = static_cast<std::uint8_t>(kEndHeaders | (is_end ? kEndStream : 0));
    raw_.try_send(http2_frame(kHeaders, flags, stream, hpack_literals(headers)));
  }
  void data(std::uint32_t stream, std::string_view bytes, bool is_end) {
    raw_.try_send(http2_frame(kData, is_end ? kEndStream : std::uint8_t{0}, stream, bytes));
  }

  /// The next frame; of type 0xff at the end of the connection.
  Frame next() {
    Frame frame;
    while (bytes_.size() < 9) {
      if (!read_more()) return frame;
    }
    const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(bytes_[i]); };
    const std::size_t size = byte(0) * 65536U + byte(1) * 256U + byte(2);
    while (bytes_.size() < 9 + size) {
      if (!read_more()) return frame;
    }
    frame.type = byte(3);
    frame.flags = byte(4);
    frame.stream = byte(5) * 16777216U + byte(6) * 65536U + byte(7) * 256U + byte(8);
    frame.payload = bytes_.substr(9, size);
    bytes_.erase(0, 9 + size);
    if (frame.type == kHeaders) inflate(frame);
    return frame;
  }
  /// The next frame of that type, or the end.
  Frame next_of(std::uint8_t type) {
    while (true) {
      Frame frame = next();
      const bool is_ack = frame.type == kSettings && (frame.flags & kAck) != 0;
      if ((frame.type == type && !is_ack) || frame.type == 0xff) return frame;
    }
  }

 private:
  bool read_more() {
    const std::string piece = raw_.read_some();
    bytes_ += piece;
    return !piece.empty();
  }
  void inflate(Frame& frame) {
    auto* from = reinterpret_cast<std::uint8_t*>(frame.payload.data());
    std::size_t left = frame.payload.size();
    while (true) {
      nghttp2_nv pair{};
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &pair, &flags, from, left, 1);
      if (used < 0) return;
      from += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        frame.headers.push_back({std::string(reinterpret_cast<char*>(pair.name), pair.namelen),
                                 std::string(reinterpret_cast<char*>(pair.value), pair.valuelen)});
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
  }

  RawClient raw_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string bytes_;
};

inline const std::vector<Header> kGrpcHeaders = {{"content-type", "application/grpc"},
                                                 {"te", "trailers"}};

class Http2Test : public testing::Test {
 protected:
  void start(ServerSettings settings = small_settings()) {
    auto server = Server::start(std::move(settings), handler_);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  std::uint16_t port() const { return server_->port(); }

  /// Sends `flood` again and again until the server has had enough; what it said in its GOAWAY.
  std::uint32_t flood(const std::function<std::string(int)>& flood, int count = kFlood) {
    FrameClient client(port());
    int sent = 0;
    while (sent < count && client.send(flood(sent))) ++sent;
    EXPECT_LT(sent, count) << "the server never refused";
    const Frame goaway = client.next_of(kGoaway);
    // Closed with bytes of ours unread, the socket may lose the GOAWAY; being closed is enough.
    return goaway.type == kGoaway ? goaway.number(4) : std::uint32_t{NGHTTP2_ENHANCE_YOUR_CALM};
  }
  void expect_alive() {
    FrameClient client(port());
    client.request(1, {}, true, "/alive");
    EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
  }

  EchoHandler handler_;
  std::unique_ptr<Server> server_;
};

inline std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xffU);
  return out;
}

inline std::string get_frame(std::uint32_t stream) {
  return http2_frame(
      kHeaders, kEndHeaders | kEndStream, stream,
      hpack_literals(
          {{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}}));
}

}  // namespace vigia::net
