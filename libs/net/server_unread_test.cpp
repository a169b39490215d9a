// Clients that ask and do not read: what a server keeps for them is bounded by connection, by
// address and in all, and is nobody else's loss.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "libs/net/internal/http2_session.hpp"
#include "libs/net/server.hpp"
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
using internal::run;
using internal::small_settings;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint8_t kData = 0;
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kReset = 3;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kWindowUpdate = 8;
constexpr std::uint8_t kEndStream = 1;
constexpr std::uint8_t kEndHeaders = 4;
constexpr std::size_t kAnswerBytes = 63'000;
constexpr std::size_t kMib = 1U << 20U;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xffU);
  return bytes;
}

std::string window_settings(std::uint32_t window) {
  return http2_frame(kSettings, 0, 0, std::string("\0\4", 2) + big_endian(window));
}

std::string request_frame(std::uint32_t stream, bool is_end = true) {
  return http2_frame(
      kHeaders, static_cast<std::uint8_t>(kEndHeaders | (is_end ? kEndStream : 0)), stream,
      hpack_literals(
          {{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}}));
}

/// An HTTP/2 client that says how much of each answer it takes.
RawClient connect_http2(std::uint16_t port, std::uint32_t window, const std::string& from) {
  RawClient client(port, 0, from);
  client.send(std::string(internal::kHttp2Preface) + window_settings(window));
  return client;
}

/// Reads frames until so many streams have ended; the bytes of DATA that came with them.
std::size_t read_streams(RawClient& client, std::size_t streams) {
  std::string bytes;
  std::size_t data = 0;
  while (streams > 0) {
    const std::string more = client.read_some(1U << 20U);
    if (more.empty()) break;
    bytes += more;
    std::size_t at = 0;
    while (bytes.size() - at >= 9) {
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
      const std::size_t size = byte(0) * 65536U + byte(1) * 256U + byte(2);
      if (bytes.size() - at < 9 + size) break;
      const bool is_end = byte(3) <= kHeaders && (byte(4) & kEndStream) != 0;
      if (byte(3) == kData) data += size;
      if (is_end || byte(3) == kReset) --streams;
      at += 9 + size;
    }
    bytes.erase(0, at);
  }
  EXPECT_EQ(streams, 0U) << "streams without an end";
  return data;
}

class UnreadTest : public testing::Test {
 protected:
  void start() {
    settings_.loops = 1;  // so that another connection's answer is a turn of the same loop
    auto server = Server::start(settings_, handler_);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  void answer_with(std::size_t bytes) {
    handler_.on_handle = [bytes](const Request& request, Responder responder) {
      Response response;
      response.body = request.path == "/small" ? "fine." : std::string(bytes, 'x');
      responder.send(std::move(response));
    };
  }
  /// Lets the loop answer another client fifty times.
  void take_turns(const std::string& from = "127.0.0.9") {
    RawClient other(server_->port(), 0, from);
    for (int i = 0; i < 50; ++i) {
      other.send("GET /small HTTP/1.1\r\nHost: x\r\n\r\n");
      EXPECT_THAT(other.read_until("fine."), StartsWith("HTTP/1.1 200 "));
    }
  }
  /// A large answer for another address.
  void expect_served(const std::string& from, std::size_t bytes) {
    RawClient other(server_->port(), 0, from);
    other.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string answer = other.read_all();
    EXPECT_THAT(answer.substr(0, 15), StartsWith("HTTP/1.1 200 "));
    EXPECT_GT(answer.size(), bytes);
  }

  EchoHandler handler_;
  ServerSettings settings_ = small_settings();
  std::unique_ptr<Server> server_;
};

TEST_F(UnreadTest, RequestsOfAClientWithoutAWindowWaitAndAreAnsweredWhenItReads) {
  answer_with(kAnswerBytes);
  start();
  RawClient client = connect_http2(server_->port(), 0, "127.0.0.2");
  std::string requests;
  for (std::uint32_t i = 0; i < 100; ++i) requests += request_frame(2 * i + 1);
  for (std::size_t at = 0; at < requests.size(); at += 200) {
    client.send(requests.substr(at, 200));
    take_turns();
  }
  const int others = 50 * static_cast<int>((requests.size() + 199) / 200);
  EXPECT_LE(handler_.handled - others, 21);  // a MiB, and what stood in the same packet
  EXPECT_LE(server_->stats().answer_bytes, 2 * kMib);
  // It opens its windows: nothing is lost.
  client.send(window_settings(1U << 20U) +
              http2_frame(kWindowUpdate, 0, 0, big_endian(100U << 20U)));
  EXPECT_EQ(read_streams(client, 100), 100 * kAnswerBytes);
  EXPECT_EQ(handler_.handled - others, 100);
  EXPECT_TRUE(eventually([&] { return server_->stats().answer_bytes == 0; }));
  EXPECT_EQ(server_->stats().answers_refused, 0U);
}

TEST_F(UnreadTest, AWaitingRequestKeepsItsBodyAndIsForgottenWhereItIsReset) {
  std::atomic<std::size_t> body_bytes{0};
  handler_.on_handle = [&](const Request& request, Responder responder) {
    body_bytes += request.body.size();
    Response response;
    response.body = request.path == "/small" ? "fine." : std::string(2 * kMib, 'x');
    responder.send(std::move(response));
  };
  start();
  RawClient client = connect_http2(server_->port(), 0, "127.0.0.2");
  client.send(request_frame(1));
  ASSERT_TRUE(eventually([&] { return server_->stats().answer_bytes >= 2 * kMib; }));
  client.send(request_frame(3, false) + http2_frame(kData, kEndStream, 3, "hello"));
  client.send(request_frame(5, false) + http2_frame(kData, kEndStream, 5, "gone"));
  client.send(http2_frame(kReset, 0, 5, big_endian(8)));
  take_turns();
  EXPECT_EQ(handler_.handled, 51);
  client.send(http2_frame(kReset, 0, 1, big_endian(8)));
  EXPECT_TRUE(eventually([&] { return body_bytes == 5; }));
  take_turns();
  EXPECT_EQ(handler_.handled, 102);
}

TEST_F(UnreadTest, OneThatWaitsTooLongIsAnswered) {
  settings_.request_timeout = 300ms;
  answer_with(64 * kMib);  // longer than the test may take at this pace
  start();
  RawClient client = connect_http2(server_->port(), 0, "127.0.0.2");
  client.send(http2_frame(kWindowUpdate, 0, 0, big_endian(100U << 20U)) + request_frame(1));
  ASSERT_TRUE(eventually([&] { return server_->stats().answer_bytes >= 2 * kMib; }));
  client.send(request_frame(3));
  // The first answer goes on at the least pace, so it is not what ends.
  EXPECT_TRUE(eventually([&] {
    client.try_send(http2_frame(kWindowUpdate, 0, 1, big_endian(16U << 10U)));
    return server_->stats().requests_refused == 1;
  }));
  EXPECT_EQ(handler_.handled, 1);
}

TEST_F(UnreadTest, AnAddressWithoutWindowsLeavesRoomForOthers) {
  settings_.answer_bytes_max = 8 * kMib;
  answer_with(kAnswerBytes);
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 40; ++i) {
    held.push_back(connect_http2(server_->port(), 0, "127.0.0.2"));
    for (std::uint32_t k = 0; k < 16; ++k) held.back().try_send(request_frame(2 * k + 1));
    take_turns();
    EXPECT_LE(server_->stats().answer_bytes, 7 * kMib);
  }
  EXPECT_GT(server_->stats().answers_refused, 0U);
  take_turns("127.0.0.2");  // small answers still come, there too
  expect_served("127.0.0.3", kAnswerBytes);
  held.clear();
  EXPECT_TRUE(eventually([&] { return server_->stats().answer_bytes == 0; }));
  expect_served("127.0.0.2", kAnswerBytes);
}

TEST_F(UnreadTest, AnAddressThatDoesNotReadLeavesRoomForOthers) {
  settings_.answer_bytes_max = 32 * kMib;
  answer_with(8 * kMib);
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 20; ++i) {
    held.emplace_back(server_->port(), 4096, "127.0.0.2");
    held.back().send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    take_turns();
    EXPECT_LE(server_->stats().answer_bytes, 28 * kMib);
  }
  EXPECT_GE(server_->stats().answers_refused, 16U);
  EXPECT_THAT(held.back().read_until("\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  expect_served("127.0.0.3", 8 * kMib);
  held.clear();
  EXPECT_TRUE(eventually([&] { return server_->stats().answer_bytes == 0; }));
}

TEST_F(UnreadTest, ManyAddressesTogetherStayWithinTheWholeAndMakeRoomSooner) {
  settings_.answer_bytes_max = 8 * kMib;
  settings_.answer_timeout_crowded = 500ms;
  answer_with(kAnswerBytes);
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 40; ++i) {
    held.push_back(connect_http2(server_->port(), 0, "127.0.1." + std::to_string(i + 1)));
    std::string requests;
    for (std::uint32_t k = 0; k < 12; ++k) requests += request_frame(2 * k + 1);
    held.back().send(requests);
    EXPECT_LE(server_->stats().answer_bytes, 9 * kMib);
  }
  ASSERT_TRUE(eventually([&] { return server_->stats().requests >= 480; }));
  take_turns();
  EXPECT_LE(server_->stats().answer_bytes, 9 * kMib);
  // request_timeout has 30 s.
  EXPECT_TRUE(eventually([&] { return server_->stats().answer_bytes <= 7 * kMib; }));
  expect_served("127.0.0.3", kAnswerBytes);
}

TEST_F(UnreadTest, PipelinedSmallAnswersCountAsWell) {
  settings_.answer_bytes_max = 2 * kMib;
  answer_with(4000);
  start();
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<RawClient> held;
  for (int i = 0; i < 40; ++i) {
    held.emplace_back(server_->port(), 4096, "127.0.0.2");
    held.back().send(requests);
    take_turns();
  }
  EXPECT_LE(server_->stats().answer_bytes, 3 * kMib);
  expect_served("127.0.0.3", 4000);
}

TEST_F(UnreadTest, PiecesOfStreamsCount) {
  settings_.answer_bytes_max = 8 * kMib;
  handler_.on_handle = [](const Request& request, Responder responder) {
    Response response;
    if (request.path == "/small") {
      response.body = "fine.";
    } else {
      response.stream = []() -> Result<std::string> { return std::string(kAnswerBytes, 'x'); };
    }
    responder.send(std::move(response));
  };
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 4; ++i) {
    held.push_back(connect_http2(server_->port(), 1, "127.0.0.2"));  // a byte makes a piece
    std::string requests;
    for (std::uint32_t k = 0; k < 100; ++k) requests += request_frame(2 * k + 1);
    held.back().send(requests);
    take_turns();
    EXPECT_LE(server_->stats().answer_bytes, 7 * kMib);
  }
  EXPECT_GT(server_->stats().answers_refused, 0U);
}

TEST_F(UnreadTest, ABodyThatIsSharedIsThereOnce) {
  const auto page = std::make_shared<const std::string>(300'000, 'p');
  handler_.on_handle = [&page](const Request& request, Responder responder) {
    Response response;
    if (request.path == "/small") {
      response.body = "fine.";
    } else {
      response.shared_body = page;
    }
    responder.send(std::move(response));
  };
  start();
  {
    std::vector<RawClient> held;
    for (int i = 0; i < 4; ++i) {
      held.push_back(connect_http2(server_->port(), 0, "127.0.0.2"));
      std::string requests;
      for (std::uint32_t k = 0; k < 200; ++k) requests += request_frame(2 * k + 1);
      held.back().send(requests);
    }
    ASSERT_TRUE(eventually([&] { return page.use_count() >= 800; }));
    take_turns();
    EXPECT_LE(server_->stats().answer_bytes, 4 * kMib);
  }
  EXPECT_TRUE(eventually([&] { return page.use_count() == 1; }));
  const std::string url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/page";
  for (const char* version : {"", "--http2-prior-knowledge ", "--http1.0 "}) {
    EXPECT_TRUE(run("curl -sS " + std::string(version) + url) == *page) << version;
    EXPECT_THAT(run("curl -sSI " + std::string(version) + url), HasSubstr("300000")) << version;
  }
}

}  // namespace
}  // namespace vigia::net
