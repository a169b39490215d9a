// HTTP/1.1 and what holds for every protocol, with raw sockets and the real curl.
#include "libs/net/server.hpp"

#include <future>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/internal/body_costs.hpp"
#include "libs/net/internal/body_workers.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::EchoHandler;
using internal::eventually;
using internal::RawClient;
using internal::small_settings;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ServerTest : public testing::Test {
 protected:
  Server& start(ServerSettings settings = small_settings()) {
    auto server = Server::start(std::move(settings), handler_);
    EXPECT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
    return *server_;
  }
  RawClient connect() { return RawClient(server_->port()); }
  std::string url(std::string_view path) {
    return "http://" + server_->address() + std::string(path);
  }
  std::string curl(const std::string& arguments) {
    return internal::run("curl -sS -m 20 " + arguments);
  }

  EchoHandler handler_;
  std::unique_ptr<Server> server_;
};

std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

// R-OTLP-10.
TEST_F(ServerTest, CurlSpeaksHttp1AndHttp2OnOnePort) {
  start();
  EXPECT_EQ(curl("'" + url("/a/b?c=1") + "'"), "GET /a/b?c=1 0 0");
  EXPECT_EQ(curl("--http2-prior-knowledge '" + url("/a/b?c=1") + "'"), "GET /a/b?c=1 1 0");
  EXPECT_EQ(curl("--data-binary hello " + url("/x")), "POST /x? 0 5");
  EXPECT_EQ(curl("--http2-prior-knowledge --data-binary hello " + url("/x")), "POST /x? 1 5");
}

TEST(ServerAddress, APortThatIsNoneIsRefusedAndNotCutToSixteenBits) {
  EchoHandler handler;
  for (const auto* listen : {"127.0.0.1:65536", "127.0.0.1:219009", "127.0.0.1:-1", "127.0.0.1:x",
                             "127.0.0.1:99999999999"}) {
    ServerSettings settings;
    settings.listen = listen;
    const auto server = Server::start(settings, handler);
    ASSERT_FALSE(server.has_value()) << listen;
    EXPECT_THAT(server.error().message, testing::HasSubstr("from 0 to 65535")) << listen;
  }
}

TEST_F(ServerTest, LargeBodiesArriveWhole) {
  start();
  handler_.on_handle = [](Request request, Responder responder) {
    Response response;
    response.body = std::move(request.body);
    responder.send(std::move(response));
  };
  for (const auto* flags : {"", "--http2-prior-knowledge", "-H 'Transfer-Encoding: chunked'"}) {
    const std::string sum = internal::run(
        "head -c 1000000 /dev/urandom > /tmp/vigia_net_body.$$; sha256sum < "
        "/tmp/vigia_net_body.$$; curl -sS -m 20 " +
        std::string(flags) + " --data-binary @/tmp/vigia_net_body.$$ " + url("/") +
        " | sha256sum; rm /tmp/vigia_net_body.$$");
    ASSERT_EQ(sum.size(), 136U) << sum;
    EXPECT_EQ(sum.substr(0, 64), sum.substr(68, 64)) << flags;
  }
}

TEST_F(ServerTest, AFaultOfTheHandlerCostsItsRequestAlone) {
  start();
  handler_.on_handle = [](const Request& request, Responder responder) {
    if (request.path == "/handle") throw std::out_of_range("not foreseen");
    Response response;
    response.body = "fine";
    responder.send(std::move(response));
  };
  handler_.on_admit = [](const RequestHead& head) -> std::optional<Response> {
    if (head.path == "/admit") throw 7;
    return std::nullopt;
  };
  const std::uint64_t before = fault_count();
  for (const std::string flags : {"", "--http2-prior-knowledge "}) {
    for (const auto* path : {"/handle", "/admit"})
      EXPECT_EQ(curl(flags + "-o /dev/null -w '%{http_code}' " + url(path)), "500") << path;
    EXPECT_THAT(curl(flags + url("/")), HasSubstr("fine"));
  }
  EXPECT_EQ(fault_count(), before + 4);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawClient client = connect();
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += get("/" + std::to_string(i));
  client.send(requests + get("/last", "Connection: close\r\n"));
  const std::string all = client.read_all();
  std::size_t from = 0;
  for (int i = 0; i < 500; ++i) {
    from = all.find("GET /" + std::to_string(i) + "? 0 0", from);
    ASSERT_NE(from, std::string::npos) << i;
  }
  EXPECT_THAT(all, EndsWith("GET /last? 0 0"));
}

TEST_F(ServerTest, ARequestMayComeByteByByte) {
  start();
  RawClient client = connect();
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n"
      "2\r\nde\r\n0\r\nTrailer: y\r\n\r\n";
  for (const char letter : request) client.send(std::string_view(&letter, 1));
  EXPECT_THAT(client.read_until("POST /x? 0 5"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

// D09.
TEST_F(ServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  start();
  RawClient client = connect();
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_THAT(client.read_until("0 3"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, ARefusalComesInsteadOfContinue) {
  start();
  handler_.on_admit = [](const RequestHead&) {
    Response response;
    response.status = 401;
    return response;
  };
  RawClient client = connect();
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const std::string all = client.read_all();
  EXPECT_THAT(all, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(all, HasSubstr("connection: close\r\n"));
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(ServerTest, ASmallRefusedBodyLeavesTheConnectionUsable) {
  start();
  handler_.on_admit = [](const RequestHead& head) -> std::optional<Response> {
    if (head.path != "/no") return std::nullopt;
    Response response;
    response.status = 403;
    return response;
  };
  RawClient client = connect();
  client.send("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + get("/yes"));
  const std::string all = client.read_until("GET /yes? 0 0");
  EXPECT_THAT(all, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(all, EndsWith("GET /yes? 0 0"));
}

// R-WEB-9.
TEST_F(ServerTest, SmugglingIsRefused) {
  start();
  const std::string post = "POST /x HTTP/1.1\r\nHost: x\r\n";
  const std::string host = "Host: x\r\n";
  for (const std::string& request :
       {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
        post + "Content-Length: 5, 5\r\n\r\nabcde",
        post + "Content-Length: +5\r\n\r\nabcde",
        post + "Content-Length: -5\r\n\r\nabcde",
        post + "Content-Length: 0x5\r\n\r\nabcde",
        post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: identity\r\n\r\nabc",
        post + "Transfer-Encoding: xchunked\r\n\r\nabc",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        std::string("GET /x HTTP/1.1\r\n\r\n"),
        "GET /x HTTP/1.1\r\n" + host + host + "\r\n",
        "GET x HTTP/1.1\r\n" + host + "\r\n",
        "GET http://x/ HTTP/1.1\r\n" + host + "\r\n",
        "CONNECT x:1 HTTP/1.1\r\n" + host + "\r\n",
        std::string("GET /x\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS to a plain port\r\n\r\n")}) {
    RawClient client = connect();
    client.try_send(request + get("/smuggled"));
    client.end_output();
    const std::string all = client.read_all();
    EXPECT_THAT(all, StartsWith("HTTP/1.1 400 ")) << request;
    EXPECT_THAT(all, Not(HasSubstr("smuggled"))) << request;
  }
  EXPECT_EQ(handler_.handled, 0);
}

// R-SEC-4.
TEST_F(ServerTest, HeadersOverTheBudgetAre431) {
  ServerSettings settings = small_settings();
  settings.header_bytes_max = 4096;
  start(settings);
  for (const std::string& headers :
       {"A: " + std::string(5000, 'x') + "\r\n", std::string("A: ") + std::string(100'000, 'x')}) {
    RawClient client = connect();
    client.try_send(get("/x", headers));
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 431 ")) << headers.size();
  }
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(ServerTest, AChunkHeaderWithoutEndIsRefused) {
  start();
  RawClient client = connect();
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;");
  for (int i = 0; i < 100 && client.try_send(std::string(4096, 'e')); ++i) {
  }
  EXPECT_THAT(client.read_all(), HasSubstr("HTTP/1.1 4"));
}

// R-OTLP-3.
TEST_F(ServerTest, ABodyOverTheLimitIsRefusedFinally) {
  start();
  for (const auto* flags : {"", "--http2-prior-knowledge ", "-H 'Transfer-Encoding: chunked' ",
                            "--http2-prior-knowledge -H 'Content-Length:' "}) {
    const std::string all = internal::run(
        "head -c 1048577 /dev/zero | curl -sS -m 20 -o /dev/null -w '%{http_code}' "
        "--data-binary @- -H 'Expect:' " +
        std::string(flags) + url("/"));
    EXPECT_THAT(all, HasSubstr("413")) << flags;
  }
  EXPECT_EQ(handler_.handled, 0);
  EXPECT_EQ(server_->stats().requests_refused, 4U);
}

TEST_F(ServerTest, BodiesAreDecompressed) {
  start();
  for (const std::string encoding : {"gzip", "zstd", "deflate", "x-gzip", "GZip"}) {
    const bool is_gzip = encoding == "x-gzip" || encoding == "GZip";
    const std::string body =
        compress(is_gzip ? "gzip" : encoding, std::string(70'000, 'x')).value();
    RawClient client = connect();
    client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Encoding: " + encoding +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_THAT(client.read_until("70000"), EndsWith("POST /x? 0 70000")) << encoding;
  }
}

// R-OTLP-3, R-SEC-1.
TEST_F(ServerTest, BombsAndUnknownEncodingsAreRefused) {
  start();
  const auto post = [this](const std::string& encoding, const std::string& body) {
    RawClient client = connect();
    client.send(
        "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: " + encoding +
        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_all();
  };
  const std::string zeros(100U << 20U, '\0');
  EXPECT_THAT(post("gzip", compress("gzip", zeros).value()), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(post("zstd", compress("zstd", zeros).value()), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(post("gzip", "no gzip at all"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(post("br", "x"), StartsWith("HTTP/1.1 415 "));
  for (const auto* coding : {"snappy", "lz4", "zlib", "x-snappy-framed", "gzip, gzip"}) {
    const std::string answer = post(coding, "x");  // D-F6
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 415 ")) << coding;
    EXPECT_THAT(answer, HasSubstr("accept-encoding: gzip, zstd, deflate\r\n")) << coding;
  }
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(ServerTest, ACodingThatTheHandlerReadsIsLeftToIt) {
  start();
  RawClient client = connect();
  client.send(
      "POST /reads-snappy HTTP/1.1\r\nHost: x\r\nContent-Encoding: Snappy\r\n"
      "Content-Length: 3\r\n\r\nabc");
  EXPECT_THAT(client.read_until(" 3"), EndsWith("POST /reads-snappy? 0 3"));
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  start();
  RawClient client = connect();
  client.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n" + get("/next"));
  const std::string all = client.read_until("GET /next? 0 0");
  EXPECT_THAT(all, HasSubstr("content-length: 12\r\n"));
  EXPECT_THAT(all, Not(HasSubstr("HEAD")));
  EXPECT_THAT(curl("-I --http2-prior-knowledge " + url("/x")), HasSubstr("content-length: 12"));
}

TEST_F(ServerTest, AnAnswerMayComeFromAnyThreadLater) {
  start();
  std::mutex mutex;
  std::vector<Responder> waiting;
  handler_.on_handle = [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(responder));
  };
  RawClient one = connect();
  RawClient two = connect();
  one.send(get("/1"));
  two.send(get("/2"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 2; }));
  std::thread([&] {
    for (Responder& responder : waiting) {
      Response response;
      response.status = 204;
      responder.send(std::move(response));
    }
  }).join();
  EXPECT_THAT(one.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(two.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 204 "));
}

TEST_F(ServerTest, AnAnswerToAClientThatHasGoneIsDropped) {
  start();
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  {
    RawClient client = connect();
    client.send(get("/1"));
    ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  }
  kept->send(Response{});
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
  server_.reset();  // and one that outlives its server
}

TEST_F(ServerTest, WhoWorksForAClientIsToldWhenItLeaves) {
  start();
  std::atomic<int> told{0};
  std::mutex mutex;
  std::vector<Responder> waiting;
  handler_.on_handle = [&](const Request&, Responder responder) {
    responder.on_gone([&] { ++told; });
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(responder));
  };
  const auto answer_all = [&] {
    const std::lock_guard lock(mutex);
    for (Responder& responder : waiting) responder.send(Response{});
    waiting.clear();
  };
  RawClient patient = connect();
  patient.send(get("/stays"));
  {
    RawClient client = connect();
    client.send(get("/closes"));
    ASSERT_TRUE(eventually([&] { return handler_.handled == 2; }));
    EXPECT_EQ(told, 0);
  }
  EXPECT_TRUE(eventually([&] { return told == 1; }));
  RawClient half = connect();
  half.send(get("/closes-its-side"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 3; }));
  half.end_output();
  EXPECT_TRUE(eventually([&] { return told == 2; }));
  answer_all();
  EXPECT_THAT(patient.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(half.read_all(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(told, 2) << "who stayed has its answer";
}

TEST_F(ServerTest, AFaultInWhoIsToldCostsNoConnection) {
  start();
  const std::uint64_t before = fault_count();
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    responder.on_gone([] { throw std::out_of_range("not foreseen"); });
    kept.emplace(std::move(responder));
  };
  RawClient client = connect();
  client.send(get("/1"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  client.end_output();
  EXPECT_TRUE(eventually([&] { return fault_count() == before + 1; }));
  kept->send(Response{});
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ALargeCompressedBodyDoesNotHoldUpOtherConnections) {
  ServerSettings settings = small_settings();
  settings.loops = 1;
  settings.body_bytes_max = 64U << 20U;
  start(settings);
  std::promise<void> is_answered;
  handler_.on_handle = [&, waits = is_answered.get_future().share()](Request request,
                                                                     Responder responder) {
    // The loop that both connections share must be free while the large body is worked on.
    const bool is_large = request.body.size() > internal::kOnLoopBytesMax;
    const bool is_free = !is_large || waits.wait_for(10s) == std::future_status::ready;
    Response response;
    response.body = std::to_string(request.body.size()) + (is_free ? " free;" : " stalled;");
    responder.send(std::move(response));
  };
  const std::string body = compress("gzip", std::string(60U << 20U, 'x')).value();
  RawClient large = connect();
  large.send("POST /l HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_TRUE(eventually([&] { return server_->stats().requests == 1; }));
  RawClient small = connect();
  small.send(get("/s"));
  EXPECT_THAT(small.read_until(";"), HasSubstr("0 free;"));
  is_answered.set_value();
  EXPECT_THAT(large.read_until(";"), HasSubstr("62914560 free;"));
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
}

TEST_F(ServerTest, LargeCompressedBodiesAreBoundedAndChecked) {
  ServerSettings settings = small_settings();
  settings.body_bytes_max = 8U << 20U;
  start(settings);
  const auto post = [&](const std::string& body) {
    RawClient client = connect();
    client.send("POST /l HTTP/1.1\r\nHost: x\r\nContent-Encoding: zstd\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_until("\r\n\r\n");
  };
  const std::string whole = compress("zstd", std::string(6U << 20U, 'x')).value();
  EXPECT_THAT(post(whole), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(post(whole.substr(0, whole.size() - 1)), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(post(compress("zstd", std::string(9U << 20U, 'x')).value()),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(server_->stats().requests_refused, 2U);
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
}

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

// R-OTLP-10.
TEST_F(ServerTest, AnswersAreGzippedOnlyWhereOffered) {
  start();
  std::atomic<std::size_t> size = 5000;
  handler_.on_handle = [&size](const Request&, Responder responder) {
    Response response;
    response.headers.add("content-type", "application/json");
    response.body = std::string(size, '1');
    responder.send(std::move(response));
  };
  const auto ask = [this](const std::string& accept) {
    return curl("-i -H 'Accept-Encoding: " + accept + "' " + url("/") + " | tr -d '\\000'");
  };
  for (const auto* accept : {"gzip", "deflate, gzip;q=0.5", "br , GZIP"}) {
    EXPECT_THAT(ask(accept), HasSubstr("content-encoding: gzip")) << accept;
  }
  for (const auto* accept : {"", "identity", "gzip;q=0", "gzip;q=0.0", "xgzip", "br"}) {
    EXPECT_THAT(ask(accept), Not(HasSubstr("content-encoding"))) << accept;
  }
  EXPECT_EQ(curl("--compressed " + url("/")), std::string(5000, '1'));
  EXPECT_EQ(curl("--compressed --http2-prior-knowledge " + url("/")), std::string(5000, '1'));
  size = 100;
  EXPECT_THAT(ask("gzip"), Not(HasSubstr("content-encoding")));
}

TEST_F(ServerTest, HandlersCannotForgeHeaders) {
  start();
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.headers.add("x", "a\r\nSet-Cookie: b");
    response.headers.add("content-length", "999");
    responder.send(std::move(response));
  };
  const std::string all = curl("-i " + url("/"));
  EXPECT_THAT(all, HasSubstr("x: a  Set-Cookie: b\r\n"));
  EXPECT_THAT(all, Not(HasSubstr("999")));
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
  one.read_until("0 0");
  two.read_until("0 0");
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
  EXPECT_THAT(holder.read_until("900"), EndsWith("POST /x? 0 900"));
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
}

TEST_F(ServerTest, ATakenPortIsNamed) {
  Server& first = start();
  ServerSettings settings = small_settings();
  settings.name = "collector otlp/grpc";
  settings.listen = first.address();
  const auto second = Server::start(settings, handler_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second.error().message,
            "collector otlp/grpc: " + first.address() + " is already in use by another program");
}

TEST_F(ServerTest, ABadAddressIsNamed) {
  for (const auto* listen : {"", "4317", "127.0.0.1:", "127.0.0.1:x", "nohost.invalid:1"}) {
    ServerSettings settings = small_settings();
    settings.listen = listen;
    const auto server = Server::start(settings, handler_);
    ASSERT_FALSE(server.has_value()) << listen;
    EXPECT_EQ(server.error().code, ErrorCode::kInvalid) << listen;
  }
}

TEST_F(ServerTest, StopsOnceWhatIsInFlightIsAnswered) {
  ServerSettings settings = small_settings();
  settings.loops = 1;  // so that both connections learn of the stop at once
  start(settings);
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  RawClient idle = connect();
  RawClient busy = connect();
  busy.send(get("/"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  std::thread answering([&] {
    EXPECT_EQ(idle.read_all(), "");  // closed first
    kept->send(Response{});
  });
  const auto before = std::chrono::steady_clock::now();
  server_->stop(SystemClock().steady() + 10s);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  answering.join();
  EXPECT_THAT(busy.read_all(), HasSubstr("connection: close\r\n"));
  server_->stop(SystemClock().steady());  // safe twice
}

TEST_F(ServerTest, StopsAtTheDeadlineWhateverHappens) {
  start();
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  RawClient busy = connect();
  busy.send(get("/"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  server_->stop(SystemClock().steady() + 200ms);
  EXPECT_EQ(busy.read_all(), "");
}

TEST_F(ServerTest, AGrpcCallIsOneMessageAndTrailers) {
  start();
  const auto call = [this](std::string_view octal) {
    return internal::run("printf '" + std::string(octal) +
                         "' | curl -sS -m 20 -i --http2-prior-knowledge --data-binary @- "
                         "-H 'Content-Type: application/grpc' -H 'TE: trailers' " +
                         url("/p.S/M") + " | tr -d '\\000\\r'");
  };
  const std::string good = call("\\0\\0\\0\\0\\2hi");
  EXPECT_THAT(good, HasSubstr("content-type: application/grpc\n"));
  EXPECT_THAT(good, HasSubstr("POST /p.S/M? 2 2"));
  EXPECT_THAT(good, HasSubstr("grpc-status: 0"));
  EXPECT_THAT(call("\\0\\0\\0\\0\\3hi"), HasSubstr("grpc-status: 3\n"));  // too short
  EXPECT_THAT(call("\\0\\0\\0\\0\\1hi"), HasSubstr("grpc-status: 3\n"));  // two messages
  EXPECT_THAT(call("\\0\\0\\0"), HasSubstr("grpc-status: 3\n"));          // cut
  EXPECT_THAT(call("\\1\\0\\0\\0\\2hi"), HasSubstr("grpc-status: 3\n"));  // no encoding named
  EXPECT_THAT(call("\\0\\7\\0\\0\\0hi"), HasSubstr("grpc-status: 8\n"));  // too large
  EXPECT_EQ(handler_.handled, 1);
}

TEST_F(ServerTest, TlsOffersHttp2AndHttp1) {
  ServerSettings settings = small_settings();
  settings.tls = internal::make_certificate();
  start(settings);
  const std::string https = "--cacert " + settings.tls->cert_file + " https://" +
                            server_->address() + "/x --data-binary @- ";
  const std::string body = "head -c 1000000 /dev/zero | curl -sS -m 20 ";
  EXPECT_EQ(internal::run(body + "--http2 " + https), "POST /x? 1 1000000");
  EXPECT_EQ(internal::run(body + "--http1.1 " + https), "POST /x? 0 1000000");
  EXPECT_THAT(internal::run("curl -sS -m 20 --tls-max 1.1 " + https + " < /dev/null"),
              HasSubstr("curl: (35)"));
  RawClient plain = connect();
  plain.send(get("/"));
  EXPECT_THAT(plain.read_all(), Not(HasSubstr("HTTP")));
}

TEST_F(ServerTest, ABadCertificateIsNamed) {
  ServerSettings settings = small_settings();
  settings.tls = TlsServerSettings{"/nonexistent/c.pem", "/nonexistent/k.pem"};
  const auto server = Server::start(settings, handler_);
  ASSERT_FALSE(server.has_value());
  EXPECT_THAT(server.error().message, HasSubstr("/nonexistent/c.pem"));
}

}  // namespace
}  // namespace vigia::net
