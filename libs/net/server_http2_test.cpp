// HTTP/2 and gRPC, frame by frame: what curl and good clients never send.
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "libs/net/compression.hpp"
#include "libs/net/internal/control_budget.hpp"
#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/internal/http2_heads.hpp"
#include "libs/net/internal/http2_session.hpp"
#include "libs/net/server.hpp"
#include "libs/net/status.hpp"
#include "libs/net/testing/scripted_peer.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::EchoHandler;
using internal::eventually;
using internal::hpack_literals;
using internal::http2_frame;
using internal::RawClient;
using internal::small_settings;

constexpr std::uint8_t kData = 0;
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kPriority = 2;
constexpr std::uint8_t kReset = 3;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kPing = 6;
constexpr std::uint8_t kGoaway = 7;
constexpr std::uint8_t kWindowUpdate = 8;
constexpr std::uint8_t kContinuation = 9;
constexpr std::uint8_t kAck = 1;
constexpr std::uint8_t kEndStream = 1;
constexpr std::uint8_t kEndHeaders = 4;
constexpr int kFlood = 200'000;

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

const std::vector<Header> kGrpcHeaders = {{"content-type", "application/grpc"}, {"te", "trailers"}};

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

std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xffU);
  return out;
}

TEST_F(Http2Test, OffersItsLimits) {
  start();
  FrameClient client(port());
  const Frame settings = client.next_of(kSettings);
  std::map<int, std::uint32_t> values;
  for (std::size_t at = 0; at + 6 <= settings.payload.size(); at += 6) {
    values[settings.payload[at + 1]] = settings.number(at + 2);
  }
  EXPECT_EQ(values[NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS], 256U);
  EXPECT_EQ(values[NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE], 4U << 20U);
  EXPECT_EQ(values[NGHTTP2_SETTINGS_MAX_FRAME_SIZE], 1U << 20U);
  EXPECT_EQ(values[NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE], 64U << 10U);
}

TEST_F(Http2Test, APrefaceMayComeByteByByte) {
  start();
  RawClient raw(port());
  for (const char letter : internal::kHttp2Preface) raw.send(std::string_view(&letter, 1));
  raw.send(http2_frame(kSettings, 0, 0, ""));
  EXPECT_EQ(raw.read_some(9)[3], static_cast<char>(kSettings));
}

TEST_F(Http2Test, AlmostAPrefaceIsNoHttp) {
  start();
  RawClient raw(port());
  raw.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  EXPECT_THAT(raw.read_all(), testing::StartsWith("HTTP/1.1 400 "));
}

// R-OTLP-8: the wait goes with the refusal.
TEST_F(Http2Test, AGrpcErrorIsTrailersOnly) {
  start();
  handler_.on_admit = [](const RequestHead& head) {
    return otlp_error(head, {ErrorCode::kUnavailable, "full", 2s});
  };
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  const Frame answer = client.next_of(kHeaders);
  EXPECT_TRUE(answer.is_end());
  EXPECT_EQ(answer.get(":status"), "200");
  EXPECT_EQ(answer.get("content-type"), "application/grpc");
  EXPECT_EQ(answer.get("grpc-status"), "14");
  EXPECT_EQ(answer.get("grpc-message"), "full");
  EXPECT_NE(answer.get("grpc-status-details-bin"), "");
  EXPECT_EQ(answer.get("grpc-status-details-bin").find('='), std::string::npos);
  const Frame reset = client.next_of(kReset);  // the rest of the request is not wanted
  EXPECT_EQ(reset.number(0), static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
}

TEST_F(Http2Test, AnHttpErrorOfAHandlerIsNoGrpcSuccess) {
  start();
  handler_.on_admit = [](const RequestHead&) {
    return json_error({ErrorCode::kNotFound, "no such path"});
  };
  FrameClient client(port());
  client.request(1, kGrpcHeaders, true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "12");
}

TEST_F(Http2Test, GrpcMessagesAreDecompressedByTheirFlag) {
  start();
  FrameClient client(port());
  std::vector<Header> headers = kGrpcHeaders;
  headers.push_back({"grpc-encoding", "gzip"});
  const std::string packed = compress("gzip", std::string(5000, 'x')).value();
  client.request(1, headers, false);
  client.data(1, internal::grpc_prefix(packed.size(), true) + packed, true);
  EXPECT_EQ(client.next_of(kData).payload.substr(5), "POST /x? 2 5000");
  client.request(3, headers, false);  // the flag says that this one is plain
  client.data(3, internal::grpc_prefix(3, false) + "abc", true);
  EXPECT_EQ(client.next_of(kData).payload.substr(5), "POST /x? 2 3");
  headers.back().value = "lzma";
  client.request(5, headers, false);
  client.data(5, internal::grpc_prefix(3, true) + "abc", true);
  client.next_of(kHeaders);  // the trailers of stream 3
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "12");
}

TEST_F(Http2Test, AGrpcTimeoutEndsACallThatHasNoAnswer) {
  start();
  std::vector<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.push_back(std::move(responder));
  };
  FrameClient client(port());
  std::vector<Header> headers = kGrpcHeaders;
  headers.push_back({"grpc-timeout", "150m"});
  client.request(1, headers, false);
  client.data(1, internal::grpc_prefix(0, false), true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "4");
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  kept.at(0).send(Response{});  // too late, and dropped
  headers.back().value = "soon";
  client.request(3, headers, true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "3");
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST(GrpcTimeout, ReadsTheGrammar) {
  using internal::parse_grpc_timeout;
  EXPECT_EQ(parse_grpc_timeout("1H"), 1h);
  EXPECT_EQ(parse_grpc_timeout("2M"), 2min);
  EXPECT_EQ(parse_grpc_timeout("3S"), 3s);
  EXPECT_EQ(parse_grpc_timeout("4m"), 4ms);
  EXPECT_EQ(parse_grpc_timeout("5u"), 5us);
  EXPECT_EQ(parse_grpc_timeout("99999999n"), 99'999'999ns);
  EXPECT_EQ(parse_grpc_timeout("99999999H"), 24h * 365);
  for (const auto* text : {"", "1", "S", "-1S", "1x", "999999999S", "1 S", "+1S"}) {
    EXPECT_FALSE(parse_grpc_timeout(text).has_value()) << text;
  }
}

// R-SEC-4, R-SEC-5: small indices of a large header.
TEST_F(Http2Test, HeadersOverTheBudgetAreRefused) {
  start();
  FrameClient client(port());
  std::vector<Header> headers;
  for (int i = 0; i < 20; ++i) headers.push_back({"x" + std::to_string(i), std::string(700, 'v')});
  client.request(1, headers, true);  // 15 KB: within
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
  // 20 KB of indices of one entry of 4 KB in the dynamic table: 80 MB of headers.
  std::string block = hpack_literals({{":method", "GET"}, {":scheme", "http"}, {":path", "/bomb"}});
  std::string entry = hpack_literals({{"bomb", std::string(4000, 'b')}});
  entry[0] = '\x40';  // with incremental indexing
  const auto begin = http2_frame(kHeaders, kEndStream, 3, block + entry);
  client.send(begin + http2_frame(kContinuation, kEndHeaders, 3, std::string(16'000, '\xbe')));
  EXPECT_EQ(client.next_of(kHeaders).type, 0xff);  // no answer, the connection has ended
  EXPECT_EQ(handler_.handled, 1);
  expect_alive();
}

TEST_F(Http2Test, ALittleOverTheHeaderBudgetIs431) {
  ServerSettings settings = small_settings();
  settings.header_bytes_max = 4096;
  start(settings);
  FrameClient client(port());
  client.request(1, {{"x", std::string(5000, 'v')}}, true);
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "431");
  std::vector<Header> headers = kGrpcHeaders;
  headers.push_back({"x", std::string(5000, 'v')});
  client.request(3, headers, true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "8");
  EXPECT_EQ(handler_.handled, 0);
}

// R-SEC-5, R-SEC-7: a path without its slash.
TEST_F(Http2Test, MalformedRequestsNeverReachTheHandler) {
  start();
  const std::vector<Header> good = {
      {":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}};
  const auto with = [&good](std::size_t at, const std::string& value) {
    auto headers = good;
    headers[at].value = value;
    return headers;
  };
  const auto and_also = [&good](const Header& header) {
    auto headers = good;
    headers.push_back(header);
    return headers;
  };
  for (const auto& headers :
       {with(3, "x"), with(3, ""), with(3, "http://x/"), with(0, "CONNECT"), with(0, ""),
        and_also({":path", "/y"}), and_also({"Upper", "x"}), and_also({"connection", "close"}),
        and_also({"transfer-encoding", "chunked"}), and_also({"te", "gzip"}),
        and_also({"x", "a\nb"}), and_also({":status", "200"}), and_also({"content-length", "x"}),
        std::vector<Header>{{":method", "GET"}}}) {
    FrameClient client(port());
    client.send(http2_frame(kHeaders, kEndHeaders | kEndStream, 1, hpack_literals(headers)));
    client.send(http2_frame(kPing, 0, 0, "12345678"));
    const Frame reset = client.next_of(kReset);
    EXPECT_EQ(reset.type, kReset) << headers.back().name << headers.back().value;
  }
  EXPECT_EQ(handler_.handled, 0);
  expect_alive();
}

TEST_F(Http2Test, ABodyThatIsNotItsContentLengthIsRefused) {
  start();
  FrameClient client(port());
  client.request(1, {{"content-length", "3"}}, false);
  client.data(1, "four", true);
  EXPECT_EQ(client.next_of(kReset).type, kReset);
  EXPECT_EQ(handler_.handled, 0);
}

// R-OTLP-14.
TEST_F(Http2Test, PingsAreTolerated) {
  start();
  FrameClient client(port());
  // In rounds: nghttp2 ends a connection that has 1,000 answers waiting to be read.
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 100; ++i) client.send(http2_frame(kPing, 0, 0, "12345678"));
    for (int i = 0; i < 100; ++i) ASSERT_EQ(client.next_of(kPing).flags, kAck);
  }
}

TEST_F(Http2Test, APingForEachCallIsTolerated) {
  start();
  FrameClient client(port());
  for (std::uint32_t i = 0; i < 8'000; ++i) {
    client.send(http2_frame(kPing, 0, 0, "12345678"));
    client.request(2 * i + 1, {}, true);
    ASSERT_EQ(client.next_of(kHeaders).get(":status"), "200") << i;
    client.send(http2_frame(kWindowUpdate, 0, 0, big_endian(100)));
  }
}

// R-SEC-6.
TEST_F(Http2Test, PingFlood) {
  start();
  EXPECT_EQ(flood([](int) { return http2_frame(kPing, 0, 0, "12345678"); }),
            static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  expect_alive();
}

// R-SEC-6.
TEST_F(Http2Test, SettingsFlood) {
  start();
  flood([](int) { return http2_frame(kSettings, 0, 0, std::string("\0\3\0\0\0\1", 6)); });
  flood([](int) { return http2_frame(kSettings, kAck, 0, ""); });
  expect_alive();
}

TEST_F(Http2Test, PriorityWindowAndEmptyDataFloods) {
  start();
  flood([](int) { return http2_frame(kPriority, 0, 1, std::string("\0\0\0\3\1", 5)); });
  flood([](int) { return http2_frame(kWindowUpdate, 0, 0, big_endian(1)); });
  flood([](int i) {
    return i == 0 ? http2_frame(kHeaders, kEndHeaders, 1,
                                hpack_literals({{":method", "POST"},
                                                {":scheme", "http"},
                                                {":authority", "x"},
                                                {":path", "/x"}}))
                  : http2_frame(kData, 0, 1, "");
  });
  expect_alive();
}

std::string get_frame(std::uint32_t stream) {
  return http2_frame(
      kHeaders, kEndHeaders | kEndStream, stream,
      hpack_literals(
          {{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}}));
}

// R-SEC-6.
TEST_F(Http2Test, RapidReset) {
  start();
  flood([](int i) {
    const auto stream = static_cast<std::uint32_t>(2 * i + 1);
    return get_frame(stream) + http2_frame(kReset, 0, stream, big_endian(8));
  });
  expect_alive();
  EXPECT_LT(handler_.handled, 5000);
}

std::string post_frame(std::uint32_t stream) {
  return http2_frame(
      kHeaders, kEndHeaders, stream,
      hpack_literals(
          {{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}}));
}

std::string pages_of_data(std::uint32_t stream, int count) {
  std::string frames;
  for (int i = 0; i < count; ++i)
    frames += http2_frame(kData, 0, stream, std::string(16U << 10U, 'x'));
  return frames;
}

TEST_F(Http2Test, DataOnAStreamThatIsGoneIsCharged) {
  start();
  std::string small;
  for (int i = 0; i < 100'000; ++i) small += http2_frame(kData, 0, 1, "x");
  for (const std::string& piece : {small, pages_of_data(1, 64)}) {
    FrameClient client(port());
    client.send(get_frame(1));
    client.next_of(kHeaders);
    std::size_t sent = 0;
    while (sent < (256U << 20U) && client.send(piece)) sent += piece.size();
    EXPECT_LT(sent, 256U << 20U) << "the server never refused";
  }
  expect_alive();
}

TEST_F(Http2Test, BodiesAfterTheirRefusalAreCharged) {
  start();
  handler_.on_admit = [](RequestHead& head) -> std::optional<Response> {
    if (head.path != "/x") return std::nullopt;
    Response refusal;
    refusal.status = 401;
    return refusal;
  };
  flood(
      [](int i) {
        const auto stream = static_cast<std::uint32_t>(2 * i + 1);
        return post_frame(stream) + pages_of_data(stream, 64);
      },
      128);
  expect_alive();
}

TEST_F(Http2Test, BodiesThatAreTakenBackAreCharged) {
  start();
  flood(
      [](int i) {
        const auto stream = static_cast<std::uint32_t>(2 * i + 1);
        return post_frame(stream) + pages_of_data(stream, 32) +
               http2_frame(kReset, 0, stream, big_endian(8));
      },
      900);  // fewer than the resets that are let pass
  expect_alive();
  EXPECT_EQ(handler_.handled, 1);
}

// A client that learns late of its refusal has a window of data on the way.
TEST_F(Http2Test, AWindowOfDataAfterTheAnswerIsNoFault) {
  start();
  FrameClient client(port());
  client.send(get_frame(1));
  client.next_of(kHeaders);
  client.send(pages_of_data(1, 256));
  client.request(3, {}, true, "/alive");
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
}

TEST_F(Http2Test, ResetRequestsThatTheHandlerStillWorksOnStayBounded) {
  ServerSettings settings = small_settings();
  settings.streams_max = 10;
  start(settings);
  std::mutex mutex;
  std::vector<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(responder));
  };
  FrameClient client(port());
  for (std::uint32_t stream = 1; stream < 1000; stream += 2) {
    client.send(get_frame(stream) + http2_frame(kReset, 0, stream, big_endian(8)));
  }
  client.send(http2_frame(kPing, 0, 0, "12345678"));
  client.next_of(kPing);
  EXPECT_EQ(handler_.handled, 10);
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST_F(Http2Test, WhoWorksForAStreamIsToldOfItsReset) {
  start();
  std::mutex mutex;
  std::vector<Responder> kept;
  std::vector<std::string> gone;
  handler_.on_handle = [&](const Request& request, Responder responder) {
    const std::lock_guard lock(mutex);
    responder.on_gone([&, path = request.path] {
      const std::lock_guard inner(mutex);
      gone.push_back(path);
    });
    kept.push_back(std::move(responder));
  };
  const auto gone_count = [&] {
    const std::lock_guard lock(mutex);
    return gone.size();
  };
  {
    FrameClient client(port());
    client.request(1, {}, true, "/stays");
    client.request(3, {}, true, "/reset");
    ASSERT_TRUE(eventually([&] { return handler_.handled == 2; }));
    client.send(http2_frame(kReset, 0, 3, big_endian(8)));
    EXPECT_TRUE(eventually([&] { return gone_count() == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return gone_count() == 2; }));
  EXPECT_EQ(gone.front(), "/reset");
  const std::lock_guard lock(mutex);
  for (Responder& responder : kept) responder.send(Response{});
}

// R-SEC-6.
TEST_F(Http2Test, ServerSideResetsAreCountedToo) {
  start();
  // A window of zero bytes is a fault of the stream: the server resets it, the request goes on.
  flood([](int i) {
    const auto stream = static_cast<std::uint32_t>(2 * i + 1);
    return http2_frame(kHeaders, kEndHeaders, stream,
                       hpack_literals({{":method", "POST"},
                                       {":scheme", "http"},
                                       {":authority", "x"},
                                       {":path", "/x"}})) +
           http2_frame(kWindowUpdate, 0, stream, big_endian(0));
  });
  expect_alive();
}

// R-SEC-6.
TEST_F(Http2Test, ContinuationFlood) {
  start();
  flood([](int i) {
    const std::string literal = hpack_literals({{"x", "y"}});
    if (i > 0) return http2_frame(kContinuation, 0, 1, literal);
    return http2_frame(kHeaders, 0, 1, hpack_literals({{":method", "GET"}}));
  });
  expect_alive();
  EXPECT_EQ(handler_.handled, 1);
}

TEST_F(Http2Test, StreamsOverTheLimitAreRefused) {
  ServerSettings settings = small_settings();
  settings.streams_max = 5;
  start(settings);
  std::mutex mutex;
  std::vector<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(responder));
  };
  // One that does not know the limit yet may try the stream again; one that does is at fault.
  FrameClient early(port(), "", false);
  for (std::uint32_t i = 0; i < 6; ++i) early.send(get_frame(2 * i + 1));
  const Frame reset = early.next_of(kReset);
  EXPECT_EQ(reset.stream, 11U);
  EXPECT_EQ(reset.number(0), static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
  FrameClient late(port());
  for (std::uint32_t i = 0; i < 6; ++i) late.send(get_frame(2 * i + 1));
  const Frame goaway = late.next_of(kGoaway);
  EXPECT_EQ(goaway.number(4), static_cast<std::uint32_t>(NGHTTP2_PROTOCOL_ERROR));
  EXPECT_EQ(handler_.handled, 10);
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST_F(Http2Test, ASlowBodyEndsAtItsTimeout) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 200ms;
  start(settings);
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  client.data(1, std::string("\0\0", 2), false);
  const Frame answer = client.next_of(kHeaders);
  EXPECT_EQ(answer.get("grpc-status"), "4");
  EXPECT_TRUE(answer.is_end());
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
}

TEST_F(Http2Test, HeadersWithoutEndCloseTheConnection) {
  ServerSettings settings = small_settings();
  settings.head_timeout = 200ms;
  start(settings);
  FrameClient client(port());
  client.send(http2_frame(kHeaders, 0, 1, hpack_literals({{":method", "GET"}})));
  EXPECT_EQ(client.next_of(kGoaway).type, kGoaway);
  EXPECT_EQ(client.next().type, 0xff);
}

TEST_F(Http2Test, AnAnswerThatNobodyTakesIsGivenUp) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 200ms;
  start(settings);
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.body = std::string(10U << 20U, 'x');
    responder.send(std::move(response));
  };
  FrameClient client(port(), std::string("\0\4\0\0\0\0", 6));  // a window of nothing
  client.send(get_frame(1));
  const Frame reset = client.next_of(kReset);
  EXPECT_EQ(reset.number(0), static_cast<std::uint32_t>(NGHTTP2_CANCEL));
}

TEST_F(Http2Test, AnIdleConnectionIsToldAndClosed) {
  ServerSettings settings = small_settings();
  settings.idle_timeout = 200ms;
  start(settings);
  FrameClient client(port());
  const Frame goaway = client.next_of(kGoaway);
  EXPECT_EQ(goaway.number(4), static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
  EXPECT_EQ(client.next().type, 0xff);
}

TEST_F(Http2Test, StopLetsCallsInFlightEnd) {
  start();
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  FrameClient client(port());
  client.send(get_frame(1));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  std::thread stopping([this] { server_->stop(SystemClock().steady() + 10s); });
  const Frame notice = client.next_of(kGoaway);
  EXPECT_EQ(notice.number(0), 0x7fffffffU);
  const Frame last = client.next_of(kGoaway);
  EXPECT_EQ(last.number(0), 1U);
  kept->send(Response{});
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
  EXPECT_EQ(client.next().type, 0xff);
  stopping.join();
}

TEST_F(Http2Test, RubbishAfterThePrefaceHurtsNobodyElse) {
  start();
  std::uint32_t state = 1;
  for (int round = 0; round < 200; ++round) {
    std::string rubbish;
    for (int i = 0; i < 500; ++i) {
      state = state * 1664525U + 1013904223U;
      rubbish += static_cast<char>(state >> 24U);
    }
    RawClient raw(port());
    raw.send(internal::kHttp2Preface);
    if (round % 2 == 0) raw.send(http2_frame(kSettings, 0, 0, ""));
    if (round % 4 == 0) {
      raw.try_send(http2_frame(static_cast<std::uint8_t>(round / 4 % 10), 4, 1, rubbish));
    }
    raw.try_send(rubbish);
  }
  expect_alive();
  EXPECT_TRUE(eventually([this] { return server_->stats().connections <= 1; }));
}

TEST(ControlBudget, IsRefilledByTimeAndCalls) {
  TimePoint now{};
  internal::ControlBudget budget(now);
  EXPECT_TRUE(budget.spend(10'000, now));
  EXPECT_FALSE(budget.spend(1, now));
  now += 1s;
  EXPECT_TRUE(budget.spend(400, now));
  budget.earn(1000);
  EXPECT_TRUE(budget.spend(1000, now));
}

}  // namespace
}  // namespace vigia::net
