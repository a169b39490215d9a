// Answers piece by piece, and the bounds of time and number of whoever is connected.
#include <atomic>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/testing/server_test_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::eventually;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ServerTest, StreamsKeepTheirPace) {
  ServerSettings settings = small_settings();
  settings.loops = 1;
  start(settings);
  std::atomic<int> pieces{0};
  handler_.on_handle = [&pieces](const Request& request, Responder responder) {
    Response response;
    if (request.path == "/other") {
      response.body = "other;";
      responder.send(std::move(response));
      return;
    }
    response.stream = [&pieces]() -> Result<std::string> {
      if (pieces == 1000) return std::string();
      ++pieces;
      return std::string(100'000, 'x');
    };
    responder.send(std::move(response));
  };
  // A window of less than loopback's segments moves by the kernel's probes alone, seconds apart.
  RawClient slow(server_->port(), 256U << 10U);
  slow.send(get("/"));
  slow.read_until("\r\n\r\n");
  // The client reads nothing more: what is made is bounded by socket buffers and our output. Other
  // requests, each answered by the same loop, give the stream its turns.
  ASSERT_TRUE(eventually([&] { return pieces > 0; }));
  RawClient other = connect();
  int made = 0;
  for (int still = 0; still < 50;) {
    other.send(get("/other"));
    other.read_until("other;");
    const int now = pieces;
    still = now == made ? still + 1 : 0;
    made = now;
    ASSERT_LT(made, 1000) << "the whole of it was made for a client that does not read";
  }
  EXPECT_LT(made, 200);
  std::size_t size = 0;
  while (true) {
    const std::string piece = slow.read_some(1U << 20U);
    size += piece.size();
    if (piece.empty() || piece.ends_with("\r\n0\r\n\r\n")) break;
  }
  EXPECT_EQ(pieces, 1000);
  EXPECT_GT(size, 100'000'000U);
}

TEST_F(ServerTest, WhatAnAnswerHoldsGoesWhenItIsReadOrItsClientGone) {
  start();
  auto token = std::make_shared<int>(1);  // shared with every answer under way
  handler_.on_handle = [&token](const Request&, Responder responder) {
    Response response;
    response.body.assign(20'000'000, 'x');
    response.held = token;
    responder.send(std::move(response));
  };
  {
    RawClient slow(server_->port(), 4096);
    slow.send(get("/"));
    slow.read_until("\r\n\r\n");
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_TRUE(eventually([&] { return token.use_count() == 1; }));
  for (const char* version : {"", "--http2-prior-knowledge ", "--http1.0 "}) {
    EXPECT_EQ(curl(version + url("/")).size(), 20'000'000U) << version;
    EXPECT_TRUE(eventually([&] { return token.use_count() == 1; })) << version;
  }
}

TEST_F(ServerTest, ABrokenStreamIsSeenAsIncomplete) {
  start();
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.body = "begin";
    response.stream = []() -> Result<std::string> { return fail(ErrorCode::kInternal, "x"); };
    responder.send(std::move(response));
  };
  EXPECT_THAT(curl(url("/")), HasSubstr("curl: (18)"));
  EXPECT_THAT(curl("--http2-prior-knowledge " + url("/")), HasSubstr("curl: (92)"));
  // Its body ends with the connection, which says nothing: only a reset does.
  EXPECT_THAT(curl("--http1.0 " + url("/")), HasSubstr("curl: (56)"));
}

TEST_F(ServerTest, StreamsGoOverHttp2AndHttp10) {
  start();
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.body = "a";
    response.stream = [left = 3]() mutable -> Result<std::string> {
      return left-- > 0 ? std::string("bc") : std::string();
    };
    responder.send(std::move(response));
  };
  EXPECT_EQ(curl("--http2-prior-knowledge " + url("/")), "abcbcbc");
  EXPECT_EQ(curl(url("/")), "abcbcbc");
  EXPECT_EQ(curl("--http1.0 " + url("/")), "abcbcbc");
}

TEST_F(ServerTest, AStreamIsCompressedWhereItsMakerCanAndItsClientTakesIt) {
  start();
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.stream = [left = 3]() mutable -> Result<std::string> {
      return left-- > 0 ? std::string("bc") : std::string();
    };
    response.gzip_stream = [left = 1]() mutable -> Result<std::string> {
      return left-- > 0 ? compress("gzip", "bcbcbc") : std::string();
    };
    responder.send(std::move(response));
  };
  for (const auto* how : {"", "--http2-prior-knowledge ", "--http1.0 "}) {
    EXPECT_EQ(curl(how + url("/")), "bcbcbc") << how;
    EXPECT_EQ(curl("--compressed " + (how + url("/"))), "bcbcbc") << how;
    const std::string head = curl("-o /dev/null -D - --compressed " + (how + url("/")));
    EXPECT_THAT(head, HasSubstr("content-encoding: gzip")) << how;
    EXPECT_THAT(head, HasSubstr("vary: accept-encoding")) << how;
  }
  EXPECT_THAT(curl("-o /dev/null -D - " + url("/")), Not(HasSubstr("content-encoding")));
}

// A body that another thread makes: one piece after each time that it is told to.
class SlowMaker {
 public:
  BodySource source() {
    return [this]() -> Result<std::optional<std::string>> {
      const std::lock_guard lock(mutex_);
      ++asked_;
      if (fails_) return fail(ErrorCode::kInternal, "x");
      if (ready_.empty()) return std::nullopt;
      return std::exchange(ready_, {}).front();
    };
  }
  void make(const std::string& piece) {
    {
      const std::lock_guard lock(mutex_);
      ready_ = {piece};
    }
    waker->wake();
  }
  void break_off() {
    {
      const std::lock_guard lock(mutex_);
      fails_ = true;
    }
    waker->wake();
  }
  bool is_taken() const {
    const std::lock_guard lock(mutex_);
    return ready_.empty();
  }
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  const std::shared_ptr<StreamWaker> waker = std::make_shared<StreamWaker>();  // the server's too

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> ready_;
  bool fails_ = false;
  int asked_ = 0;
};

TEST_F(ServerTest, AStreamThatHasNothingReadyGoesOnWhenItHas) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 200ms;
  start(settings);
  SlowMaker* maker = nullptr;
  std::mutex mutex;
  handler_.on_handle = [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    Response response;
    response.body = "a";
    response.stream = maker->source();
    response.waker = maker->waker;
    responder.send(std::move(response));
  };
  for (const char* version : {"", "--http2-prior-knowledge ", "--http1.0 "}) {
    SCOPED_TRACE(version);
    SlowMaker made;
    {
      const std::lock_guard lock(mutex);
      maker = &made;
    }
    std::thread later([&] {
      EXPECT_TRUE(eventually([&] { return made.asked() > 0; }));
      // So much time that a client which takes nothing is ended, and one that sends nothing.
      for (int i = 0; i < 2; ++i) EXPECT_EQ(connect().read_all(), "");
      for (const char* piece : {"b", "c", ""}) {
        made.make(piece);
        EXPECT_TRUE(eventually([&] { return made.is_taken(); }));
      }
    });
    EXPECT_EQ(curl(version + url("/")), "abc");
    later.join();
  }
}

TEST_F(ServerTest, AStreamThatFailsLaterIsSeenAsIncomplete) {
  start();
  SlowMaker made;
  handler_.on_handle = [&](const Request&, Responder responder) {
    Response response;
    response.body = "a";
    response.stream = made.source();
    response.waker = made.waker;
    responder.send(std::move(response));
  };
  std::thread later([&] {
    EXPECT_TRUE(eventually([&] { return made.asked() > 0; }));
    made.break_off();
  });
  EXPECT_THAT(curl("--http2-prior-knowledge " + url("/")), HasSubstr("curl: (92)"));
  later.join();
  EXPECT_THAT(curl(url("/")), HasSubstr("curl: (18)"));
}

TEST_F(ServerTest, ASlowRequestEndsAtItsTimeout) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 200ms;
  start(settings);
  RawClient nothing = connect();
  RawClient head = connect();
  head.send("POST /x HTTP/1.1\r\nHost:");
  RawClient body = connect();
  body.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(nothing.read_all(), "");
  EXPECT_THAT(head.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(body.read_all(), StartsWith("HTTP/1.1 504 "));
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(ServerTest, AClientThatReadsNothingIsClosed) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 200ms;
  start(settings);
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.body = std::string(32U << 20U, 'x');
    responder.send(std::move(response));
  };
  RawClient client(server_->port(), 4096);
  client.send(get("/"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  ServerSettings settings = small_settings();
  settings.idle_timeout = 200ms;
  start(settings);
  RawClient client = connect();
  client.send(get("/"));
  EXPECT_THAT(client.read_all(), EndsWith("GET /? 0 0"));
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreClosedAndCounted) {
  ServerSettings settings = small_settings();
  settings.connections_max = 2;
  start(settings);
  RawClient one = connect();
  RawClient two = connect();
  one.send(get("/"));
  two.send(get("/"));
  one.read_until("? 0 0");
  two.read_until("? 0 0");
  RawClient three = connect();
  EXPECT_EQ(three.read_all(), "");
  EXPECT_EQ(server_->stats().connections_refused, 1U);
}

TEST_F(ServerTest, BodiesOverTheMemoryBudgetAreRefusedForNow) {
  ServerSettings settings = small_settings();
  settings.buffered_bytes_max = 1000;
  start(settings);
  RawClient holder = connect();
  holder.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" + std::string(800, 'x'));
  ASSERT_TRUE(eventually([&] { return server_->stats().buffered_bytes == 800; }));
  RawClient other = connect();
  other.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n" + std::string(300, 'x'));
  const std::string all = other.read_until("\r\n\r\n");
  EXPECT_THAT(all, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(all, HasSubstr("retry-after: 1\r\n"));
  holder.send(std::string(100, 'x'));
  EXPECT_THAT(holder.read_until("POST /x? 0 900"), EndsWith("POST /x? 0 900"));
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
}

}  // namespace
}  // namespace vigia::net
