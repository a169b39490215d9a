// How requests are read: their pieces, their bodies and codings, and what is refused of them.
#include <future>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/internal/body_costs.hpp"
#include "libs/net/internal/body_workers.hpp"
#include "libs/net/testing/server_test_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::eventually;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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
  EXPECT_THAT(client.read_until("? 0 3"), StartsWith("HTTP/1.1 200 OK\r\n"));
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
  for (const std::string encoding : {"gzip", "zstd", "deflate", "x-gzip", "GZip", "zlib"}) {
    const bool is_gzip = encoding == "x-gzip" || encoding == "GZip";
    const std::string coding = encoding == "zlib" ? "deflate" : encoding;
    const std::string body = compress(is_gzip ? "gzip" : coding, std::string(70'000, 'x')).value();
    RawClient client = connect();
    client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Encoding: " + encoding +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_THAT(client.read_until("POST /x? 0 70000"), EndsWith("POST /x? 0 70000")) << encoding;
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
  for (const auto* coding : {"snappy", "lz4", "x-snappy-framed", "gzip, gzip"}) {
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
  EXPECT_THAT(client.read_until("POST /reads-snappy? 0 3"), EndsWith("POST /reads-snappy? 0 3"));
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

}  // namespace
}  // namespace vigia::net
