// WebSockets on a server: how they are opened, what a client may do to them, how they end.
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "libs/net/testing/server_test_fixture.hpp"
#include "libs/net/testing/websocket_client.hpp"
#include "libs/net/websocket.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::client_frame;
using internal::close_payload;
using internal::eventually;
using internal::server_frame;
using testing::HasSubstr;
using testing::StartsWith;

/// Says what a test gives it, from any thread, and keeps what it hears.
class TestTalk final : public WebSocketTalk {
 public:
  explicit TestTalk(std::shared_ptr<StreamWaker> waker) : waker_(std::move(waker)) {}

  void say(WebSocketOut what) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(what));
    }
    waker_->wake();
  }
  WebSocketOut next() override {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return {};
    WebSocketOut first = std::move(waiting_.front());
    waiting_.pop_front();
    ++taken_;
    return first;
  }
  void receive(std::string message) override {
    const std::lock_guard lock(mutex_);
    heard_ = std::move(message);
  }
  void ended() override { ++ends_; }
  std::string heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  int taken() const { return taken_; }
  int ends() const { return ends_; }

 private:
  const std::shared_ptr<StreamWaker> waker_;
  mutable std::mutex mutex_;
  std::deque<WebSocketOut> waiting_;
  std::string heard_;
  std::atomic<int> taken_{0};
  std::atomic<int> ends_{0};
};

constexpr const char* kOpening =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

class WebSocketServerTest : public ServerTest {
 protected:
  WebSocketServerTest() {
    handler_.on_handle = [this](const Request& request, Responder responder) {
      Response response;
      if (const auto refusal = refuse_websocket(request)) {
        response.status = refusal->status;
        response.body = refusal->error.message;
      } else {
        response.waker = std::make_shared<StreamWaker>();
        talk_ = std::make_shared<TestTalk>(response.waker);
        response.websocket = talk_;
      }
      responder.send(std::move(response));
    };
  }
  RawClient open(std::size_t receive_buffer = 0) {
    RawClient client(server_->port(), receive_buffer);
    client.send(get("/tail", kOpening));
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_THAT(head, StartsWith("HTTP/1.1 101 "));
    EXPECT_THAT(head, HasSubstr("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    ++opened_;
    EXPECT_TRUE(eventually([&] { return handler_.handled >= opened_; }));
    return client;
  }
  /// How many messages are taken, once that has not changed while others were answered.
  int settled() {
    RawClient other = connect();
    int last = talk_->taken();
    for (int still = 0; still < 50;) {
      other.send(get("/other"));
      EXPECT_THAT(other.read_until("pass them on"), StartsWith("HTTP/1.1 426 "));
      const int now = talk_->taken();
      still = now == last ? still + 1 : 0;
      last = now;
    }
    return last;
  }
  bool is_over() {
    return eventually([&] { return talk_->ends() == 1 && server_->stats().connections == 0; });
  }

  std::shared_ptr<TestTalk> talk_;  // of the connection that was opened last, once it was handled
  int opened_ = 0;
};

TEST_F(WebSocketServerTest, BothSidesTalk) {
  start();
  RawClient client = open();
  client.send(client_frame("hola"));
  EXPECT_TRUE(eventually([&] { return talk_->heard() == "hola"; }));
  talk_->say(std::string("buenas"));
  talk_->say(std::string("tardes"));
  EXPECT_EQ(client.read_until("tardes"),
            server_frame(0x81, "buenas") + server_frame(0x81, "tardes"));
}

TEST_F(WebSocketServerTest, WhatComesWithTheRequestIsRead) {
  start();
  RawClient client = connect();
  client.send(get("/tail", kOpening) + client_frame("pronto"));
  client.read_until("\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  EXPECT_TRUE(eventually([&] { return talk_->heard() == "pronto"; }));
}

TEST_F(WebSocketServerTest, PingsAreAnswered) {
  start();
  RawClient client = open();
  client.send(client_frame(0x89, "eco"));
  EXPECT_EQ(client.read_until("eco"), server_frame(0x8a, "eco"));
}

TEST_F(WebSocketServerTest, RequestsThatAreNoneSayWhatIsWanted) {
  start();
  RawClient client = connect();
  client.send(get("/tail"));
  const std::string answer = client.read_until("proxy stands between, let it pass them on");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(answer, HasSubstr("upgrade: websocket\r\n"));
  // The connection is HTTP's still.
  client.send(get("/tail", "Upgrade: h2c\r\nConnection: Upgrade\r\n"));
  EXPECT_THAT(client.read_until("pass them on"), StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(curl("--http2-prior-knowledge -w '%{http_code}' " + url("/tail")), HasSubstr("400"));
}

// What the handler is asked about must be what the connection can do, however it is written: the
// session had its own reading of the head, and no key where the two differed.
TEST_F(WebSocketServerTest, WhoeverMayOpenOneCan) {
  start();
  const std::string twice = std::string("Upgrade:\r\n") + kOpening;
  RawClient client = connect();
  client.send(get("/tail", twice));
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
}

// RFC 9110 §7.8: a server ignores Upgrade in a request of HTTP/1.0.
TEST_F(WebSocketServerTest, NoneIsOpenedOverHttp10) {
  start();
  RawClient client = connect();
  client.send(std::string("GET /tail HTTP/1.0\r\nHost: a\r\n") + kOpening + "\r\n");
  EXPECT_THAT(client.read_until("pass them on"), StartsWith("HTTP/1.1 426 "));
}

TEST_F(WebSocketServerTest, TheClientsGoodByeIsAnsweredAndClosed) {
  start();
  RawClient client = open();
  client.send(client_frame(0x88, close_payload(1000, "basta")));
  EXPECT_EQ(client.read_all(), server_frame(0x88, close_payload(1000)));
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, TheTalksEndIsToldAfterWhatWasSaid) {
  start();
  RawClient client = open();
  talk_->say(std::string("último"));
  talk_->say(WebSocketClose{websocket_code::kInternal, "una hora"});
  EXPECT_EQ(client.read_all(),
            server_frame(0x81, "último") + server_frame(0x88, close_payload(1011, "una hora")));
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, AServerThatEndsSaysSo) {
  start();
  RawClient client = open();
  std::thread stopping([&] { server_->stop(SystemClock().steady() + 10s); });
  const std::string end = client.read_all();
  stopping.join();
  EXPECT_THAT(end, StartsWith(std::string("\x88", 1)));
  EXPECT_THAT(end, HasSubstr(close_payload(1001)));
  EXPECT_EQ(talk_->ends(), 1);
}

TEST_F(WebSocketServerTest, WhoeverLeavesWithoutAWordIsNoticed) {
  start();
  {
    const RawClient client = open();
  }
  EXPECT_TRUE(is_over());
  RawClient half = open();
  half.end_output();
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, AFaultIsToldAndEndsIt) {
  start();
  RawClient client = open();
  client.send(client_frame("x", {.is_masked = false}));
  EXPECT_THAT(client.read_all(), HasSubstr(close_payload(1002)));
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, LargeMessagesAreRefusedUnread) {
  start();
  RawClient client = open();
  client.try_send(client_frame(std::string(5000, 'x')));
  EXPECT_THAT(client.read_all(), HasSubstr(close_payload(1009)));
  EXPECT_EQ(talk_->heard(), "");
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, AFloodOfPingsIsEnded) {
  start();
  RawClient client = open();
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += client_frame(0x89, "eco");
  client.try_send(flood);
  const std::string answers = client.read_all();
  EXPECT_THAT(answers, HasSubstr(close_payload(1008)));
  EXPECT_LT(answers.size(), 5000U);
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, APeerThatVanishedIsGivenUp) {
  ServerSettings settings = internal::small_settings();
  settings.websocket_ping_interval = 200ms;
  settings.websocket_pong_timeout = 2s;
  start(settings);
  RawClient client = open();
  EXPECT_EQ(client.read_some(), server_frame(0x89, ""));
  // One that answers stays.
  for (int i = 0; i < 5; ++i) {
    client.send(client_frame(0x8a, ""));
    EXPECT_EQ(client.read_some(), server_frame(0x89, ""));
  }
  EXPECT_EQ(talk_->ends(), 0);
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, ASlowReadersMessagesWaitWithWhoMakesThem) {
  start();
  RawClient client = open(4096);
  constexpr int kMessages = 1000;
  for (int i = 0; i < kMessages; ++i) talk_->say(std::string(50'000, 'x'));
  ASSERT_TRUE(eventually([&] { return talk_->taken() > 0; }));
  // Socket buffers take some megabytes, the output a quarter of one.
  EXPECT_LT(settled(), 400);
  const int large = 4 << 20;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  std::size_t bytes = 0;
  while (bytes < kMessages * 50'004UL) bytes += client.read_some(1U << 20U).size();
  EXPECT_EQ(talk_->taken(), kMessages);
}

TEST_F(WebSocketServerTest, WhoTakesNothingIsEnded) {
  ServerSettings settings = internal::small_settings();
  settings.request_timeout = 300ms;
  start(settings);
  const RawClient client = open(4096);
  for (int i = 0; i < 1000; ++i) talk_->say(std::string(50'000, 'x'));
  EXPECT_TRUE(is_over());
}

TEST_F(WebSocketServerTest, OverTls) {
  ServerSettings settings = internal::small_settings();
  settings.tls = internal::make_certificate();
  start(settings);
  std::thread saying([&] {
    if (!eventually([&] { return handler_.handled == 1; })) return;
    talk_->say(std::string("cifrado"));
    talk_->say(WebSocketClose{});
  });
  std::string request = get("/tail", kOpening);
  for (std::size_t at = 0; (at = request.find("\r\n", at)) != std::string::npos; at += 4) {
    request.replace(at, 2, "\\r\\n");  // for the shell's printf
  }
  const std::string answer =
      internal::run("printf '" + request + "' | timeout 20 openssl s_client -quiet -connect " +
                    server_->address());
  saying.join();
  EXPECT_THAT(answer, HasSubstr("101 Switching Protocols"));
  EXPECT_THAT(answer, HasSubstr(server_frame(0x81, "cifrado")));
}

}  // namespace
}  // namespace vigia::net
