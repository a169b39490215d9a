// The server from its start to its end, and what it answers, with raw sockets and the real curl.
#include <atomic>
#include <optional>
#include <stdexcept>
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
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

TEST_F(ServerTest, MutualTlsLetsInWhoseCertificateIsSignedAndSaysWhyItRefusesOthers) {
  const TlsServerSettings friendly = internal::make_client_certificate("friend");
  const TlsServerSettings stranger = internal::make_client_certificate("stranger");
  ServerSettings settings = small_settings();
  settings.tls = internal::make_certificate();
  settings.tls->client_ca_file = friendly.cert_file;
  std::mutex mutex;
  std::vector<std::string> refused;
  settings.on_tls_refused = [&](std::string_view, std::string_view why) {
    const std::lock_guard lock(mutex);
    refused.emplace_back(why);
  };
  start(settings);
  const auto last_refusal = [&](std::size_t count) {
    EXPECT_TRUE(internal::eventually([&] {
      const std::lock_guard lock(mutex);
      return refused.size() >= count;
    }));
    const std::lock_guard lock(mutex);
    EXPECT_EQ(refused.size(), count) << testing::PrintToString(refused);
    return refused.empty() ? "" : refused.back();
  };
  const std::string url = " https://" + server_->address() + "/x";
  const std::string trusting = "curl -sS -m 20 --cacert " + settings.tls->cert_file;
  const auto as = [](const TlsServerSettings& client) {
    return " --cert " + client.cert_file + " --key " + client.key_file;
  };
  EXPECT_EQ(internal::run(trusting + as(friendly) + url), "GET /x? 1 0");
  EXPECT_THAT(internal::run(trusting + url), HasSubstr("curl: ("));
  EXPECT_THAT(last_refusal(1), HasSubstr("did not return a certificate"));
  EXPECT_THAT(internal::run(trusting + as(stranger) + url), HasSubstr("curl: ("));
  EXPECT_THAT(last_refusal(2), HasSubstr("certificate verify failed: "));
  EXPECT_THAT(internal::run("curl -sS -m 20 --cacert " + stranger.cert_file + url),
              HasSubstr("curl: (60)"));
  EXPECT_THAT(last_refusal(3), HasSubstr("unknown ca"));
  RawClient plain = connect();
  plain.send(get("/"));
  EXPECT_THAT(plain.read_all(), Not(HasSubstr("HTTP")));
  EXPECT_EQ(last_refusal(4), "it does not speak TLS");
  EXPECT_EQ(handler_.handled, 1);
}

TEST_F(ServerTest, ABadCertificateIsNamed) {
  ServerSettings settings = small_settings();
  settings.tls = TlsServerSettings{"/nonexistent/c.pem", "/nonexistent/k.pem"};
  const auto server = Server::start(settings, handler_);
  ASSERT_FALSE(server.has_value());
  EXPECT_THAT(server.error().message, HasSubstr("/nonexistent/c.pem"));
  settings.tls = internal::make_certificate();
  settings.tls->client_ca_file = "/nonexistent/ca.pem";
  const auto without_ca = Server::start(settings, handler_);
  ASSERT_FALSE(without_ca.has_value());
  EXPECT_THAT(without_ca.error().message, HasSubstr("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace vigia::net
