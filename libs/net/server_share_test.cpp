// Nobody has the doors for himself: shares of memory, connections and threads, and a least pace.
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/internal/http2_session.hpp"
#include "libs/net/testing/scripted_peer.hpp"
#include "libs/net/testing/share_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::BodyWorkers;
using internal::eventually;
using internal::http2_frame;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ShareTest, ALargeBodyWaitsForNoneOfAnothersB6) {
  Gate gate;
  handler_.on_handle = [&](const Request& request, Responder responder) {
    if (request.owner == "a") gate.pass(request);
    answer_fine(responder);
  };
  start();
  const std::string large(internal::kOnLoopBytesMax + 1, 'x');
  const std::string bomb = compress("gzip", std::string(3U << 20U, 'x')).value();
  std::vector<RawClient> all_of_a;
  for (int i = 0; i < 20; ++i) {
    all_of_a.push_back(connect());
    all_of_a.back().send(i % 2 == 0 ? post("/a/x", "", large)
                                    : post("/a/x", "Content-Encoding: gzip\r\n", bomb));
  }
  ASSERT_TRUE(eventually([&] { return gate.inside() > 0 && server_->stats().requests == 20; }));
  // Neither the loop nor all of the threads are a's.
  RawClient b = connect();
  b.send(post("/b/small", "", "x"));
  EXPECT_THAT(b.read_until("fine."), HasSubstr("200 "));
  b.send(post("/b/large", "", large));
  EXPECT_THAT(b.read_until("fine."), HasSubstr("200 "));
  b.send(post("/b/packed", "Content-Encoding: gzip\r\n", bomb));
  EXPECT_THAT(b.read_until("fine."), HasSubstr("200 "));
  gate.open();
  for (RawClient& each : all_of_a) EXPECT_THAT(each.read_until("fine."), HasSubstr("200 "));
  // A worker gives its body back behind its answer.
  EXPECT_TRUE(eventually([&] { return server_->stats().buffered_bytes == 0U; }));
}

TEST_F(ShareTest, WhileMemoryIsShortSmallRequestsAreTaken) {
  settings_.budgets =
      std::make_shared<ServerBudgets>(100, 1U << 20U, 256U << 20U, 64U << 10U, 1U << 20U);
  handler_.on_handle = [](const Request&, Responder responder) { answer_fine(responder); };
  start();
  settings_.budgets->bodies.shut(true);
  const std::string bomb = compress("gzip", std::string(8U << 20U, 'x')).value();  // 8 KiB
  const auto answer_to = [this](const std::string& request) {
    RawClient client = connect();
    client.send(request);
    return client.read_until("\r\n\r\n");
  };
  EXPECT_THAT(answer_to(post("/b/small", "", "x")), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer_to(post("/b/some", "", std::string(200U << 10U, 'x'))),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer_to(post("/a/bomb", "Content-Encoding: gzip\r\n", bomb)),
              StartsWith("HTTP/1.1 503"));
  RawClient announced = connect();  // refused before any of it has come
  announced.send("POST /a/large HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n");
  EXPECT_THAT(announced.read_until("\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("5")));
  RawClient unannounced = connect();  // after as much as anybody may have
  unannounced.send("POST /a/large HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   std::string("40001\r\n") + std::string(0x40001, 'x'));
  EXPECT_THAT(unannounced.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 503"));
  settings_.budgets->bodies.shut(false);
  EXPECT_THAT(answer_to(post("/a/bomb", "Content-Encoding: gzip\r\n", bomb)),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(ShareTest, LargeBodiesOfSeveralServersGoOneAfterTheOther) {
  settings_.budgets =
      std::make_shared<ServerBudgets>(100, 1U << 20U, 256U << 20U, 64U << 10U, 1U << 20U);
  Gate gate;
  handler_.on_handle = [&](const Request& request, Responder responder) {
    if (request.body.size() > internal::kSeveralBytesMax) gate.pass(request);
    answer_fine(responder);
  };
  start();
  auto second = Server::start(settings_, handler_);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  const std::string huge(internal::kSeveralBytesMax + 1, 'x');
  RawClient one = connect();
  one.send(post("/a/x", "", huge));
  ASSERT_TRUE(eventually([&] { return gate.inside() == 1; }));
  RawClient other((*second)->port());
  other.send(post("/b/x", "", huge));
  ASSERT_TRUE(eventually([&] { return (*second)->stats().requests == 1; }));
  RawClient small((*second)->port());  // passes both
  small.send(post("/b/y", "", std::string(internal::kOnLoopBytesMax + 1, 'x')));
  EXPECT_THAT(small.read_until("fine."), HasSubstr("200 "));
  EXPECT_EQ(gate.inside(), 1U);
  gate.open();
  EXPECT_THAT(one.read_until("fine."), HasSubstr("200 "));
  EXPECT_THAT(other.read_until("fine."), HasSubstr("200 "));
  EXPECT_EQ(gate.inside(), 2U);
  (*second)->stop(TimePoint{});
}

TEST_F(ShareTest, TurnsGoRoundTheOwnersB6) {
  Gate gate;
  handler_.on_handle = [&](const Request& request, Responder responder) {
    if (request.path != "/seen") gate.pass(request);
    answer_fine(responder);
  };
  start();
  const std::string huge(internal::kSeveralBytesMax + 1, 'x');  // one of these at a time
  std::vector<RawClient> clients;
  const auto send = [&](const std::string& path) {
    clients.push_back(connect());
    const std::uint64_t before = server_->stats().buffered_bytes;
    clients.back().send(post(path, "", huge));
    ASSERT_TRUE(
        eventually([&] { return server_->stats().buffered_bytes == before + huge.size(); }));
  };
  for (const auto* path : {"/a/1", "/a/2", "/a/3", "/b/1", "/b/2", "/c/1"}) send(path);
  ASSERT_TRUE(eventually([&] { return gate.inside() == 1; }));
  // A body counts before it stands in its owner's queue: once the loop has answered this, all do.
  RawClient seen = connect();
  seen.send(get("/seen"));
  EXPECT_THAT(seen.read_until("fine."), HasSubstr("200 "));
  gate.open();
  for (RawClient& each : clients) EXPECT_THAT(each.read_until("fine."), HasSubstr("200 "));
  EXPECT_THAT(gate.order(), testing::ElementsAre("/a/1", "/a/2", "/b/1", "/c/1", "/a/3", "/b/2"));
}

TEST_F(ShareTest, AnOwnerHasABoundOfWaitingBodies) {
  Gate gate;
  handler_.on_handle = [&](const Request& request, Responder responder) {
    gate.pass(request);
    answer_fine(responder);
  };
  start();
  const std::string bomb = compress("gzip", std::string(3U << 20U, 'x')).value();
  std::vector<RawClient> clients;
  constexpr std::size_t kExtra = 10;
  for (std::size_t i = 0; i < BodyWorkers::kOwnWaitingMax + kExtra; ++i) {
    clients.push_back(connect());
    clients.back().send(post("/a/x", "Content-Encoding: gzip\r\n", bomb));
  }
  // At most the threads less one are at work on them.
  EXPECT_TRUE(eventually([&] { return server_->stats().requests_refused >= kExtra - 4; }));
  gate.open();
  std::size_t refused = 0;
  for (RawClient& each : clients) {
    const std::string head = each.read_until("\r\n\r\n");
    if (head.starts_with("HTTP/1.1 503 ")) ++refused;
  }
  EXPECT_EQ(refused, server_->stats().requests_refused);
  EXPECT_LE(refused, kExtra);
}

TEST_F(ShareTest, BodiesOfOneOwnerLeaveRoomForOthersB7) {
  settings_.buffered_bytes_max = 8U << 20U;
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 16; ++i) {  // 16 MB, all but the last byte
    held.push_back(connect());
    std::string cut = post("/a/x", "", std::string(1'000'000, 'x'));
    cut.pop_back();
    held.back().try_send(cut);
  }
  ASSERT_TRUE(eventually([&] { return server_->stats().requests_refused > 0; }));
  RawClient b = connect();
  b.send(post("/b/x", "", std::string(600'000, 'x')));
  EXPECT_THAT(b.read_until(" 600000"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ShareTest, HeadsOfOneAddressLeaveRoomForOthersB7) {
  settings_.head_bytes_max = 1U << 20U;
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 40; ++i) {
    held.push_back(connect("127.0.0.2"));
    held.back().try_send("GET /x HTTP/1.1\r\nHost: x\r\nA: " + std::string(60'000, 'x'));
  }
  ASSERT_TRUE(eventually([&] { return server_->stats().requests_refused >= 20; }));
  EXPECT_LE(server_->stats().head_bytes, 7U << 17U);
  RawClient b = connect("127.0.0.3");
  b.send("GET /x HTTP/1.1\r\nHost: x\r\nA: " + std::string(60'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(b.read_until("/x? 0 0"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ShareTest, HeadsOfHttp2OnTheirWayAreCountedB7) {
  start();
  RawClient client = connect();
  client.send(std::string(internal::kHttp2Preface) + http2_frame(4, 0, 0, ""));
  const std::string head = internal::hpack_literals({{":method", "GET"},
                                                     {":scheme", "http"},
                                                     {":path", "/x"},
                                                     {":authority", "x"},
                                                     {"a", std::string(15'000, 'x')},
                                                     {"b", "y"}});
  client.send(http2_frame(1, 0, 1, head));  // without END_HEADERS
  EXPECT_TRUE(eventually([&] { return server_->stats().head_bytes >= 15'000; }));
}

TEST_F(ShareTest, ConnectionsOfOneAddressLeaveRoomForOthersB7) {
  settings_.connections_max = 240;
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 240; ++i) held.push_back(connect("127.0.0.2"));
  ASSERT_TRUE(eventually(
      [&] { return server_->stats().connections + server_->stats().connections_refused >= 240; }));
  EXPECT_EQ(server_->stats().connections, 140U);
  RawClient b = connect("127.0.0.3");
  b.send(get("/x"));
  EXPECT_THAT(b.read_until("/x? 0 0"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ShareTest, ThoseBehindATrustedProxyAreNotLumpedTogether) {
  settings_.connections_max = 240;
  settings_.trusted_proxies = {"127.0.0.2"};
  std::mutex mutex;
  std::vector<std::string> clients;
  handler_.on_admit = [&](const RequestHead& head) -> std::optional<Response> {
    const std::lock_guard lock(mutex);
    clients.push_back(head.peer.substr(0, head.peer.rfind(':')) + " " + head.client + " " +
                      head.owner);
    return std::nullopt;
  };
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 200; ++i) held.push_back(connect("127.0.0.2"));
  ASSERT_TRUE(eventually([&] { return server_->stats().connections == 200; }));
  const std::string forwarded =
      "GET /x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7, 2001:db8::7\r\n\r\n";
  held.front().send(forwarded);
  held.front().read_until("/x? 0 0");
  RawClient stranger = connect("127.0.0.3");
  stranger.send(forwarded);
  stranger.read_until("/x? 0 0");
  EXPECT_THAT(clients, testing::ElementsAre("[2001:db8::7] 2001:db8::7 2001:db8::/64",
                                            "127.0.0.3 127.0.0.3 127.0.0.3"));
}

TEST_F(ShareTest, ABadProxyIsNamedAtTheStart) {
  settings_.trusted_proxies = {"proxy.example"};
  const auto server = Server::start(settings_, handler_);
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(server.error().message, HasSubstr("trusted_proxies: \"proxy.example\""));
}

TEST_F(ShareTest, AHeadThatIsNeverWholeIsEnded) {
  settings_.head_timeout = 100ms;
  start();
  RawClient client = connect();
  client.send("GET /x HTTP/1.1\r\nHost");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ShareTest, UnfinishedHeadsMakeRoomFirstWhereItIsCrowded) {
  settings_.connections_max = 20;
  settings_.head_timeout_crowded = 100ms;
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 12; ++i) held.push_back(connect());
  for (RawClient& each : held) each.send("GET /x");
  for (RawClient& each : held) {
    if (server_->stats().connections < 10) break;
    EXPECT_THAT(each.read_all(), StartsWith("HTTP/1.1 408 "));
  }
}

TEST_F(ShareTest, ABodyBelowTheLeastPaceIsEnded) {
  settings_.body_grace = 50ms;
  settings_.body_bytes_per_second_min = 1U << 20U;
  start();
  RawClient client = connect();
  client.send("POST /a/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  const std::string all = client.read_all();
  EXPECT_THAT(all, StartsWith("HTTP/1.1 504 "));
  EXPECT_THAT(all, HasSubstr("the body comes too slowly"));
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
}

TEST_F(ShareTest, FramesOfUnknownTypeAreChargedB9) {
  start();
  RawClient client = connect();
  client.send(std::string(internal::kHttp2Preface) + http2_frame(4, 0, 0, ""));
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += http2_frame(0xbe, 0, 0, "x");
  bool is_open = true;
  for (int i = 0; i < 1000 && is_open; ++i) is_open = client.try_send(flood);
  EXPECT_FALSE(is_open) << "a million of them were taken";
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
}

TEST_F(ShareTest, AFewFramesOfUnknownTypeAreIgnored) {
  start();
  RawClient client = connect();
  const std::string head = internal::hpack_literals(
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/x"}, {":authority", "x"}});
  client.send(std::string(internal::kHttp2Preface) + http2_frame(4, 0, 0, "") +
              http2_frame(0x0c, 0, 0, "origin") + http2_frame(0xff, 0, 1, "") +
              http2_frame(1, 5, 1, head));
  EXPECT_THAT(client.read_until("GET /x? 1 0"), HasSubstr("GET /x? 1 0"));
}

}  // namespace
}  // namespace vigia::net
