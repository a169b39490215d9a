// The client against our server, and against peers that misbehave byte by byte.
#include "libs/net/client.hpp"

#include <atomic>
#include <future>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/status.hpp"
#include "libs/net/testing/grpc_call.hpp"
#include "libs/net/testing/scripted_peer.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::EchoHandler;
using internal::eventually;
using internal::ScriptedPeer;
using internal::small_settings;
using testing::HasSubstr;

class ClientTest : public testing::Test {
 protected:
  ClientTest() : server_(std::move(*Server::start(small_settings(), handler_))) {}

  ClientRequest request(std::string path, std::string body = "") {
    ClientRequest made;
    made.method = body.empty() ? "GET" : "POST";
    made.url = "http://" + server_->address() + path;
    made.body = std::move(body);
    return made;
  }

  EchoHandler handler_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_ = Client::create({});
};

TEST_F(ClientTest, FetchesOverHttp) {
  const auto get = client_->fetch(request("/a?b=c"));
  ASSERT_TRUE(get.has_value()) << get.error().message;
  EXPECT_EQ(get->status, 200);
  EXPECT_EQ(get->body, "GET /a?b=c 0 0");
  EXPECT_EQ(get->headers.get("content-type"), "text/plain");
  EXPECT_EQ(client_->fetch(request("/p", std::string(900'000, 'x')))->body, "POST /p? 0 900000");
}

// D26.
TEST_F(ClientTest, LocalhostIsReachedWhicheverOfItsAddressesIsListenedOn) {
  for (const auto* listen : {"127.0.0.1:0", "[::1]:0"}) {
    ServerSettings settings = small_settings();
    settings.listen = listen;
    const auto one = Server::start(settings, handler_);
    if (!one) GTEST_SKIP() << "without IPv6 there is one address: " << one.error().message;
    const std::string address = (*one)->address();
    auto asked = request("/a");
    asked.url = "http://localhost" + address.substr(address.rfind(':')) + "/a";
    const auto answer = client_->fetch(asked);
    ASSERT_TRUE(answer.has_value()) << listen << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_TRUE(call_and_wait(*client_, asked, "").has_value()) << listen;
  }
}

TEST_F(ClientTest, WhoSharesMemoryIsAskedBeforeABodyGrows) {
  std::size_t asked = 0;
  auto whole = request("/a", std::string(300'000, 'x'));
  handler_.on_handle = [](Request got, Responder responder) {
    Response response;
    response.body = std::move(got.body);
    responder.send(std::move(response));
  };
  whole.may_grow = [&asked](std::size_t bytes) { return (asked += bytes) > 0; };
  EXPECT_EQ(client_->fetch(whole)->body.size(), 300'000U);
  EXPECT_EQ(asked, 300'000U);
  whole.may_grow = [left = std::size_t{100'000}](std::size_t bytes) mutable {
    return bytes <= left && (left -= bytes, true);
  };
  const auto cut = client_->fetch(whole);
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, ErrorCode::kTooLarge);
}

TEST_F(ClientTest, ConnectsWhereItIsToldAndAsksForTheUrlsHost) {
  handler_.on_handle = [](const Request& got, Responder responder) {
    Response response;
    response.body = got.headers.get("host");
    responder.send(std::move(response));
  };
  auto elsewhere = request("/a");
  elsewhere.url = "http://name.invalid:1/a";
  EXPECT_FALSE(client_->fetch(elsewhere).has_value());
  elsewhere.connect_to = server_->address();
  const auto answer = client_->fetch(elsewhere);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "name.invalid:1");
}

TEST_F(ClientTest, WhereItConnectsChangesNothingOfWhoIsVerified) {
  auto settings = small_settings();
  settings.tls = internal::make_certificate();
  const auto secure = Server::start(settings, handler_);
  ASSERT_TRUE(secure.has_value()) << secure.error().message;
  ClientRequest to_secure;
  to_secure.tls = TlsClientSettings{settings.tls->cert_file, "", ""};
  to_secure.connect_to = (*secure)->address();
  to_secure.url = "https://hook.example:1/a";
  const auto answer = client_->fetch(to_secure);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "GET /a? 0 0");
  to_secure.url = "https://name.invalid/a";  // the certificate is not this one's
  EXPECT_FALSE(client_->fetch(to_secure).has_value());
}

TEST_F(ClientTest, ABodyThatMayBeCutIsReadUpToItsBound) {
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.status = 500;
    response.stream = [] { return Result<std::string>(std::string(10'000, 'x')); };  // endless
    responder.send(std::move(response));
  };
  auto cut = request("/a");
  cut.response_bytes_max = 16'000;
  EXPECT_EQ(client_->fetch(cut).error().code, ErrorCode::kTooLarge);
  cut.cuts_body = true;
  const auto answer = client_->fetch(cut);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body.size(), 16'000U);
}

TEST_F(ClientTest, AFaultInWhatTakesAnAnswerCostsThatAlone) {
  const std::uint64_t before = fault_count();
  client_->send(request("/a"), [](const auto&) { throw std::out_of_range("not foreseen"); });
  ASSERT_TRUE(internal::eventually([&] { return fault_count() == before + 1; }));
  EXPECT_EQ(client_->fetch(request("/b"))->status, 200);
}

// In the middle of curl's own code, which no exception may pass through.
TEST_F(ClientTest, AFaultInACallbackOfCurlCostsThatExchangeAlone) {
  const std::uint64_t before = fault_count();
  ClientRequest broken = request("/a");
  broken.may_grow = [](std::size_t) -> bool { throw std::bad_alloc(); };
  const auto answer = client_->fetch(broken);
  ASSERT_FALSE(answer.has_value());
  EXPECT_TRUE(is_retryable(answer.error())) << answer.error().message;
  EXPECT_EQ(fault_count(), before + 1);
  EXPECT_EQ(client_->fetch(request("/b"))->status, 200);
  EXPECT_EQ(fault_count(), before + 1);
}

TEST_F(ClientTest, WhatIsCancelledEndsOnBothSides) {
  std::atomic<int> gone{0};
  std::mutex mutex;
  std::vector<Responder> waiting;
  handler_.on_handle = [&](const Request&, Responder responder) {
    responder.on_gone([&] { ++gone; });
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(responder));
  };
  std::promise<Result<ClientResponse>> first;
  std::promise<Result<ClientResponse>> second;
  const auto number =
      client_->send(request("/1"), [&](auto response) { first.set_value(std::move(response)); });
  client_->send(request("/2"), [&](auto response) { second.set_value(std::move(response)); });
  ASSERT_TRUE(eventually([&] { return handler_.handled == 2; }));
  client_->cancel(number);
  const auto ended = first.get_future().get();
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(eventually([&] { return gone == 1; }));
  client_->cancel(number);  // again, and one that never was
  client_->cancel(4'711);
  {
    const std::lock_guard lock(mutex);
    for (Responder& responder : waiting) responder.send(Response{});
  }
  EXPECT_TRUE(second.get_future().get().has_value());
  EXPECT_EQ(gone, 1);
}

TEST_F(ClientTest, WhatIsCancelledBeforeItBeginsEndsToo) {
  for (int i = 0; i < 200; ++i) {
    std::promise<bool> is_over;
    client_->cancel(client_->send(request("/"), [&](const auto&) { is_over.set_value(true); }));
    EXPECT_TRUE(is_over.get_future().get());
  }
  EXPECT_EQ(client_->fetch(request("/b"))->status, 200);
}

// R-EXP-7.
TEST_F(ClientTest, SendsTheHeadersAndNothingElseOfItsOwn) {
  handler_.on_handle = [](const Request& request, Responder responder) {
    Response response;
    for (const Header& header : request.headers) {
      response.body += header.name + "=" + header.value + "\n";
    }
    responder.send(std::move(response));
  };
  auto sent = request("/", "x");
  sent.headers = {{"authorization", "Bearer t"}, {"x-empty", ""}, {"x-evil", "a\r\nx-forged: 1"}};
  const std::string body = client_->fetch(std::move(sent))->body;
  EXPECT_THAT(body, HasSubstr("authorization=Bearer t\n"));
  EXPECT_THAT(body, HasSubstr("x-empty=\n"));
  EXPECT_THAT(body, HasSubstr("user-agent=vigia/" VIGIA_VERSION "\n"));
  for (const auto* absent : {"expect", "content-type", "forged"}) {
    EXPECT_THAT(body, testing::Not(HasSubstr(absent)));
  }
}

// R-EXP-5, R-SEC-3: an answer's bound holds after unpacking.
TEST_F(ClientTest, DecodesCompressedAnswersWithinTheLimit) {
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.headers.add("content-encoding", "gzip");
    response.body = compress("gzip", std::string(10U << 20U, 'x')).value();
    responder.send(std::move(response));
  };
  const auto plain = client_->fetch(request("/"));
  ASSERT_TRUE(plain.has_value()) << plain.error().message;
  EXPECT_EQ(plain->body.size(), 10U << 20U);
  EXPECT_EQ(plain->headers.count("content-encoding"), 0U);
  auto limited = request("/");
  limited.response_bytes_max = 1U << 20U;
  const auto bomb = client_->fetch(std::move(limited));
  ASSERT_FALSE(bomb.has_value());
  EXPECT_EQ(bomb.error().code, ErrorCode::kTooLarge);
}

TEST_F(ClientTest, CallsAreFramedAndAnswered) {
  handler_.on_handle = [](Request request, Responder responder) {
    Response response;
    response.body = "echo " + request.body + " " + std::string(request.headers.get("te"));
    responder.send(std::move(response));
  };
  for (const auto* compression : {"", "gzip", "zstd"}) {
    const auto reply = call_and_wait(*client_, request("/p.S/M", "hello"), compression);
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(reply->code, GrpcCode::kOk);
    EXPECT_EQ(reply->body, "echo hello trailers");
  }
  const auto empty = call_and_wait(*client_, request("/p.S/M"), "");
  ASSERT_TRUE(empty.has_value()) << empty.error().message;
  EXPECT_EQ(empty->body, "echo  trailers");
}

TEST_F(ClientTest, ErrorsComeWithMessageAndDetails) {
  handler_.on_handle = [](const Request& request, Responder responder) {
    responder.send(otlp_error(request, {ErrorCode::kUnavailable, "disk full: 100 % ñ\n", 7s}));
  };
  const auto reply = call_and_wait(*client_, request("/p.S/M", "hello"), "");
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->code, GrpcCode::kUnavailable);
  EXPECT_EQ(reply->message, "disk full: 100 % ñ\n");
  EXPECT_EQ(error_from_grpc(reply->code, reply->message, reply->details)->retry_after, 7s);
}

TEST_F(ClientTest, AnEarlyRefusalOfALargeCallIsSeen) {
  handler_.on_admit = [](const RequestHead& head) {
    return otlp_error(head, {ErrorCode::kUnauthenticated, "no such token"});
  };
  for (int i = 0; i < 20; ++i) {
    const auto reply = call_and_wait(*client_, request("/p.S/M", std::string(8U << 20U, 'x')), "");
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(reply->code, GrpcCode::kUnauthenticated);
    EXPECT_EQ(reply->message, "no such token");
  }
  EXPECT_EQ(handler_.handled, 0);
}

// R-OTLP-3, R-SEC-1.
TEST_F(ClientTest, ACallOverTheServersLimitIsFinal) {
  const auto reply = call_and_wait(*client_, request("/p.S/M", std::string(2U << 20U, 'x')), "");
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->code, GrpcCode::kResourceExhausted);
  EXPECT_FALSE(is_retryable(*error_from_grpc(reply->code, reply->message, reply->details)));
  // The same when only the decompressed size is over it.
  const auto bomb = call_and_wait(*client_, request("/p.S/M", std::string(8U << 20U, 'x')), "gzip");
  EXPECT_EQ(bomb->code, GrpcCode::kResourceExhausted);
}

// R-OTLP-10.
TEST_F(ClientTest, ManyCallsShareAConnection) {
  std::vector<std::future<int>> results;
  for (int i = 0; i < 200; ++i) {
    auto promise = std::make_shared<std::promise<int>>();
    results.push_back(promise->get_future());
    client_->call(request("/p.S/M", "x"), "", [promise](Result<GrpcReply> reply) {
      promise->set_value(reply && reply->code == GrpcCode::kOk ? 1 : 0);
    });
  }
  for (auto& result : results) EXPECT_EQ(result.get(), 1);
  EXPECT_EQ(handler_.handled, 200);
  EXPECT_LE(server_->stats().connections, 8U);
}

TEST_F(ClientTest, HttpAndGrpcMayShareAPort) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client_->fetch(request("/h", "x"))->body, "POST /h? 0 1");
    const auto reply = call_and_wait(*client_, request("/p.S/M", "x"), "");
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(reply->body, "POST /p.S/M? 2 1");
  }
}

TEST_F(ClientTest, NoAnswerInTimeIsADeadline) {
  std::vector<Responder> kept;
  std::mutex mutex;
  handler_.on_handle = [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(responder));
  };
  auto slow = request("/", "x");
  slow.timeout = 200ms;
  const auto response = client_->fetch(slow);
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kDeadline);
  EXPECT_THAT(response.error().message, HasSubstr("no answer within 200ms"));
  // With gRPC it is the server that ends it, by grpc-timeout, or the client: whichever is first.
  const auto reply = call_and_wait(*client_, slow, "");
  if (reply) {
    EXPECT_EQ(reply->code, GrpcCode::kDeadlineExceeded);
  } else {
    EXPECT_EQ(reply.error().code, ErrorCode::kDeadline);
  }
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST_F(ClientTest, ErrorsNameWhatHappened) {
  const auto error = [this](const std::string& url) {
    ClientRequest bad;
    bad.url = url;
    const auto response = client_->fetch(std::move(bad));
    return response ? Error{} : response.error();
  };
  EXPECT_EQ(error("http://127.0.0.1:1/").code, ErrorCode::kUnavailable);
  EXPECT_THAT(error("http://127.0.0.1:1/x?token=s").message,
              HasSubstr("GET http://127.0.0.1:1/x: "));
  EXPECT_EQ(error("http://nohost.invalid/").code, ErrorCode::kUnavailable);
  EXPECT_EQ(error("ftp://127.0.0.1/").code, ErrorCode::kInvalid);
  EXPECT_EQ(error("file:///etc/passwd").code, ErrorCode::kInvalid);
  EXPECT_EQ(error("http://").code, ErrorCode::kInvalid);
  EXPECT_EQ(call_and_wait(*client_, request("/", "x"), "lzma").error().code, ErrorCode::kInvalid);
}

TEST_F(ClientTest, TlsConnectionsAreCheckedAndKept) {
  ServerSettings settings = small_settings();
  settings.tls = internal::make_certificate();
  auto secure = Server::start(settings, handler_);
  ASSERT_TRUE(secure.has_value()) << secure.error().message;
  ClientRequest to_secure;
  to_secure.url = "https://" + (*secure)->address() + "/p.S/M";
  to_secure.body = std::string(500'000, 'x');
  const auto unknown = call_and_wait(*client_, to_secure, "");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(unknown.error().message, HasSubstr("certificate"));

  to_secure.tls = TlsClientSettings{settings.tls->cert_file, "", ""};
  for (int i = 0; i < 20; ++i) {
    const auto reply = call_and_wait(*client_, to_secure, i % 2 == 0 ? "" : "zstd");
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(reply->body, "POST /p.S/M? 2 500000");
    const auto response = client_->fetch(to_secure);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "GET /p.S/M? 1 500000");
  }
  EXPECT_EQ((*secure)->stats().connections, 1U);
}

TEST_F(ClientTest, ACertificateThatIsNotToBeCheckedWillDo) {
  ServerSettings settings = small_settings();
  settings.tls = internal::make_certificate();
  auto secure = Server::start(settings, handler_);
  ASSERT_TRUE(secure.has_value()) << secure.error().message;
  ClientRequest to_secure;
  to_secure.url = "https://" + (*secure)->address() + "/";
  EXPECT_FALSE(client_->fetch(to_secure).has_value());
  to_secure.tls = TlsClientSettings{"", "", "", true};
  const auto response = client_->fetch(to_secure);
  EXPECT_TRUE(response.has_value()) << response.error().message;
  to_secure.tls->skip_verify = false;
  EXPECT_FALSE(client_->fetch(to_secure).has_value());
}

TEST_F(ClientTest, RedirectsAreNotFollowed) {
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.status = 302;
    response.headers.add("location", "/elsewhere");
    responder.send(std::move(response));
  };
  EXPECT_EQ(client_->fetch(request("/"))->status, 302);
  EXPECT_EQ(handler_.handled, 1);
}

TEST_F(ClientTest, WhatIsInFlightEndsWithTheClient) {
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  std::promise<Result<ClientResponse>> promise;
  client_->send(request("/"),
                [&](Result<ClientResponse> result) { promise.set_value(std::move(result)); });
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  client_.reset();
  const auto result = promise.get_future().get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST_F(ClientTest, TellsWhetherARequestWentOut) {
  const auto goes_out = [&](const std::string& url) {
    bool is_sent = false;
    ClientRequest made = request("/a", "x");
    if (!url.empty()) made.url = url;
    made.on_sent = [&] { is_sent = true; };
    const auto answer = client_->fetch(std::move(made));
    EXPECT_EQ(answer.has_value(), url.empty());
    return is_sent;
  };
  EXPECT_TRUE(goes_out(""));
  EXPECT_FALSE(goes_out("http://127.0.0.1:1/"));
  EXPECT_FALSE(goes_out("http://nohost.invalid/"));
}

TEST_F(ClientTest, ARequestThatEndsUnderWayWentOut) {
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  std::atomic<bool> is_sent = false;
  ClientRequest made = request("/a", "x");
  made.on_sent = [&] { is_sent = true; };
  std::promise<bool> ended;
  const std::uint64_t number = client_->send(
      std::move(made), [&](const Result<ClientResponse>& answer) { ended.set_value(!answer); });
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  client_->cancel(number);
  EXPECT_TRUE(ended.get_future().get());
  EXPECT_TRUE(is_sent);
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST_F(ClientTest, WhatTheEndOfARequestSendsAnewEndsToo) {
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  std::promise<ErrorCode> last;
  client_->send(request("/a"), [&](const Result<ClientResponse>&) {
    client_->send(request("/b"), [&](const Result<ClientResponse>&) {
      client_->send(request("/c"), [&](const Result<ClientResponse>& answer) {
        last.set_value(answer ? ErrorCode::kInternal : answer.error().code);
      });
    });
  });
  client_->close();
  auto ended = last.get_future();
  ASSERT_EQ(ended.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(ended.get(), ErrorCode::kUnavailable);
  EXPECT_EQ(client_->fetch(request("/d")).error().code, ErrorCode::kUnavailable);
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST_F(ClientTest, GoesOnAfterTheServerHasRestarted) {
  EXPECT_TRUE(call_and_wait(*client_, request("/p.S/M", "x"), "").has_value());
  ServerSettings settings = small_settings();
  settings.listen = server_->address();
  server_->stop(SystemClock().steady() + 5s);
  server_.reset();
  auto again = Server::start(settings, handler_);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  server_ = std::move(*again);
  EXPECT_TRUE(call_and_wait(*client_, request("/p.S/M", "x"), "").has_value());
}

}  // namespace
}  // namespace vigia::net
