// Clients that want to hurt: floods, readers that do not read, framing with two meanings.
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
using internal::RawClient;
using internal::small_settings;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

void read_quickly(const RawClient& client) {
  const int large = 4 << 20;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
}

class HostileTest : public testing::Test {
 protected:
  void start(ServerSettings settings = small_settings()) {
    settings.loops = 1;  // so that another connection's answer is a turn of the same loop
    auto server = Server::start(std::move(settings), handler_);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  RawClient connect(std::size_t receive_buffer = 0) {
    return RawClient(server_->port(), receive_buffer);
  }

  /// How far `count` gets: its value once it has not moved while the loop answered another client
  /// fifty times.
  template <typename Count>
  std::uint64_t settled(Count count) {
    RawClient other = connect();
    std::uint64_t last = count();
    for (int still = 0; still < 50;) {
      other.send(get("/other"));
      EXPECT_THAT(other.read_until("/other? 0 0"), StartsWith("HTTP/1.1 200 "));
      const std::uint64_t now = count();
      still = now == last ? still + 1 : 0;
      last = now;
    }
    return last;
  }

  EchoHandler handler_;
  std::unique_ptr<Server> server_;
};

TEST_F(HostileTest, PipelinedAnswersThatNobodyReadsAreNotPiledUp) {
  std::atomic<std::uint64_t> made{0};
  handler_.on_handle = [&made](const Request& request, Responder responder) {
    Response response;
    if (request.path == "/other") {
      response.body = "GET /other? 0 0";
    } else {
      response.body = std::string(100'000, 'x');
      ++made;
    }
    responder.send(std::move(response));
  };
  start();
  RawClient client = connect(4096);
  std::string requests;
  for (int i = 0; i < 400; ++i) requests += get("/");
  client.send(requests);
  ASSERT_TRUE(eventually([&] { return made > 0; }));
  // Socket buffers take some megabytes, the output a quarter of one.
  EXPECT_LT(settled([&] { return made.load(); }), 200U);
  // Read, they all come.
  read_quickly(client);
  std::size_t bytes = 0;
  while (bytes < 400UL * 100'000) {
    const std::string piece = client.read_some(1U << 20U);
    ASSERT_FALSE(piece.empty());
    bytes += piece.size();
  }
  EXPECT_EQ(made, 400U);
}

TEST_F(HostileTest, PipelinedRefusalsThatNobodyReadsAreNotPiledUp) {
  handler_.on_admit = [](const RequestHead& head) -> std::optional<Response> {
    if (head.path == "/other") return std::nullopt;
    Response response;
    response.status = 401;
    response.body = std::string(10'000, 'x');
    return response;
  };
  start();
  RawClient client = connect(4096);
  std::string requests;
  for (int i = 0; i < 20'000; ++i) requests += get("/");
  client.send(requests);
  ASSERT_TRUE(eventually([&] { return server_->stats().requests > 0; }));
  std::uint64_t others = 0;
  const std::uint64_t taken = settled([&] {
    return server_->stats().requests - ++others;  // each look counts one of its own
  });
  EXPECT_LT(taken, 2000U);
}

TEST_F(HostileTest, AHalfClosedClientGetsAllItsPipelinedAnswers) {
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.body = std::string(100'000, 'x');
    responder.send(std::move(response));
  };
  start();
  RawClient client = connect(4096);
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += get("/");
  client.send(requests);
  client.end_output();
  read_quickly(client);
  EXPECT_GT(client.read_all().size(), 10'000'000U);
}

// R-SEC-4.
TEST_F(HostileTest, ManySmallHeadersCountWithWhatTheyCost) {
  start();
  std::string headers;
  for (int i = 0; i < 10'000; ++i) headers += "a:\r\n";
  RawClient client = connect();
  client.try_send(get("/x", headers));
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(HostileTest, HeadsThatAreNeverWholeAreBounded) {
  ServerSettings settings = small_settings();
  settings.head_bytes_max = 1U << 20U;
  start(settings);
  std::vector<RawClient> clients;
  std::string cut = get("/x", "A: " + std::string(60'000, 'x') + "\r\n");
  cut.resize(cut.size() - 2);
  for (int i = 0; i < 40; ++i) {
    clients.push_back(connect());
    clients.back().try_send(cut);
    // The first is surely held before the others come.
    ASSERT_TRUE(eventually([&] {
      return server_->stats().head_bytes >= 60'000 || server_->stats().requests_refused > 0;
    }));
  }
  // Each has been judged before the first goes on: what that gives back is room for a late one.
  ASSERT_TRUE(eventually([&] {
    const auto stats = server_->stats();
    return stats.requests_refused > 0 && stats.requests_refused + stats.head_bytes / 60'000 >= 40;
  }));
  // Whoever is refused gives back what it held: the others can go on.
  clients.front().send("\r\n");
  EXPECT_THAT(clients.front().read_until("/x? 0 0"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(clients.back().read_all(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HostileTest, HeadsThatWaitForTheirBodiesAreBounded) {
  ServerSettings settings = small_settings();
  settings.head_bytes_max = 1U << 20U;
  start(settings);
  RawClient client = connect();
  client.send(std::string(internal::kHttp2Preface) + internal::http2_frame(4, 0, 0, ""));
  for (std::uint32_t stream = 1; stream < 200; stream += 2) {
    const std::string head = internal::hpack_literals({{":method", "POST"},
                                                       {":scheme", "http"},
                                                       {":path", "/x"},
                                                       {":authority", "x"},
                                                       {"a", std::string(15'000, 'x')}});
    ASSERT_TRUE(client.try_send(internal::http2_frame(1, 4, stream, head)));
  }
  // 69 fit into a mebibyte, 40 into one address' share of it.
  EXPECT_TRUE(eventually([&] { return server_->stats().requests == 100; }));
  EXPECT_GT(server_->stats().requests_refused, 50U);
  EXPECT_LT(server_->stats().requests_refused, 70U);
}

TEST_F(HostileTest, AnAnswerReadInDribletsIsEnded) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 300ms;
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.body = std::string(32U << 20U, 'x');
    responder.send(std::move(response));
  };
  start(settings);
  RawClient client = connect(4096);
  client.send(get("/"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  EXPECT_TRUE(eventually([&] {
    client.read_some(50);
    return server_->stats().connections == 0;
  }));
}

// R-WEB-9.
TEST_F(HostileTest, FramingThatAnotherReaderCouldTakeOtherwiseIsRefused) {
  start();
  const std::string post = "POST /x HTTP/1.1\r\nHost: x\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string& request : std::vector<std::string>{
           "POST /x HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
           post + "Content-Length : 5\r\n\r\nabcde", post + "Content-Length: 5 5\r\n\r\nabcde",
           post + "Content-Length:\r\n\r\nabcde",
           post + "Content-Length: 99999999999999999999\r\n\r\nabcde",
           "POST /x HTTP/1.1\nHost: x\nContent-Length: 5\n\nabcde",
           post + "X: a\rContent-Length: 5\r\n\r\nabcde",
           post + std::string("X: a\0b\r\nContent-Length: 5\r\n\r\nabcde", 34),
           chunked + "5;a\nabcde\r\n0\r\n\r\n", chunked + "5\nabcde\n0\n\n",
           chunked + "0x5\r\nabcde\r\n0\r\n\r\n", chunked + "+5\r\nabcde\r\n0\r\n\r\n",
           chunked + "5\r\nabcdeXX0\r\n\r\n", chunked + " 5\r\nabcde\r\n0\r\n\r\n",
           chunked + "\r\nabcde\r\n0\r\n\r\n"}) {
    RawClient client = connect();
    client.try_send(request + get("/smuggled"));
    client.end_output();
    const std::string all = client.read_all();
    EXPECT_THAT(all, StartsWith("HTTP/1.1 400 ")) << request;
    EXPECT_THAT(all, Not(HasSubstr("smuggled"))) << request;
  }
  EXPECT_EQ(handler_.handled, 0);
}

// D09.
TEST_F(HostileTest, AnOfferToUpgradeIsPassedOver) {
  start();
  RawClient client = connect();
  client.send(get("/a",
                  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                  "HTTP2-Settings: AAMAAABk\r\n") +
              get("/b", "Connection: Upgrade\r\nUpgrade: websocket\r\n") + get("/c"));
  const std::string all = client.read_until("GET /c? 0 0");
  EXPECT_THAT(all, HasSubstr("GET /a? 0 0"));
  EXPECT_THAT(all, HasSubstr("GET /b? 0 0"));
  EXPECT_THAT(all, Not(HasSubstr("101 ")));
}

TEST_F(HostileTest, IdleConnectionsMakeRoomForNewOnes) {
  ServerSettings settings = small_settings();
  settings.connections_max = 2;
  settings.idle_timeout_crowded = 100ms;
  start(settings);
  RawClient one = connect();
  RawClient two = connect();
  for (RawClient* each : {&one, &two}) {
    each->send(get("/idle"));
    each->read_until("/idle? 0 0");
  }
  EXPECT_TRUE(eventually([&] {
    RawClient three = connect();
    return three.try_send(get("/new")) && !three.read_until("/new? 0 0").empty();
  }));
}

}  // namespace
}  // namespace vigia::net
