// Faults of ours, and memory that fails: each costs one request or one connection.
#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/base/testing/failing_allocations.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/internal/http2_session.hpp"
#include "libs/net/testing/scripted_peer.hpp"
#include "libs/net/testing/share_fixture.hpp"

namespace vigia::net {
namespace {

using internal::eventually;
using internal::http2_frame;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ShareTest, AFaultOnALoopEndsOneConnection) {
  handler_.on_handle = [](const Request& request, Responder responder) {
    Response response;
    response.body = "begin;";
    if (request.path == "/fault") {
      response.stream = []() -> Result<std::string> { throw std::runtime_error("not foreseen"); };
    }
    responder.send(std::move(response));
  };
  start();
  RawClient other = connect();
  other.send(get("/"));
  other.read_until("begin;");
  std::uint64_t faults = fault_count();
  RawClient one = connect();
  one.send(get("/fault"));
  one.read_all();
  EXPECT_EQ(fault_count(), ++faults);
  RawClient two = connect();
  two.send(std::string(internal::kHttp2Preface) + http2_frame(4, 0, 0, "") +
           http2_frame(1, 5, 1,
                       internal::hpack_literals({{":method", "GET"},
                                                 {":scheme", "http"},
                                                 {":path", "/fault"},
                                                 {":authority", "x"}})));
  two.read_all();
  EXPECT_EQ(fault_count(), ++faults);
  other.send(get("/"));
  EXPECT_THAT(other.read_until("begin;"), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 1; }));
}

/// Throws where the server asks it for a refusal.
class FaultyRefusals final : public Handler {
 public:
  void handle(Request /*request*/, Responder responder) override { answer_fine(responder); }
  Response refuse(const RequestHead& /*head*/, const Error& /*error*/) override {
    throw std::runtime_error("not foreseen");
  }
};

TEST_F(ShareTest, AFaultOfAWorkerCostsOneRequest) {
  FaultyRefusals handler;
  auto server = Server::start(settings_, handler);
  ASSERT_TRUE(server.has_value());
  const std::uint64_t before = fault_count();
  const std::string large(internal::kOnLoopBytesMax + 1, 'x');
  for (int i = 0; i < 10; ++i) {
    RawClient client((*server)->port());
    client.send(post("/a/x", "Content-Encoding: gzip\r\n", large));
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
    client.send(post("/a/x", "", large));
    EXPECT_THAT(client.read_until("fine."), HasSubstr("200 "));
  }
  EXPECT_EQ(fault_count(), before + 10);
  // The same on the loop, where it ends the connection.
  RawClient client((*server)->port());
  client.send(post("/a/x", "Content-Encoding: gzip\r\n", "x"));
  EXPECT_EQ(client.read_all(), "");
  EXPECT_EQ(fault_count(), before + 11);
}

// What a body in work counts, only its end gives back: a throw in between kept an owner's threads,
// or the one for the largest bodies, for ever.
TEST_F(ShareTest, WhereverMemoryFailsNoWorkerIsLost) {
  start();
  const std::string path = "/" + std::string(40, 'a') + "/x";  // an owner whose copies are memory
  const std::string several(internal::kOnLoopBytesMax + 1, 'x');
  const std::string single(internal::kSeveralBytesMax + 1, 'x');
  std::atomic<int> number{-1};
  handler_.on_handle = [&](Request /*request*/, Responder responder) {
    fail_allocation(-1);
    responder.send(Response());
    fail_allocation(number);  // on this worker's thread: between this body and its next one
  };
  const auto is_served = [&](const std::string& body) {
    RawClient client(server_->port());
    client.send(post(path, "", body));
    return client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 ");
  };
  for (int i = 0; i < 60; ++i) {
    number = i / 4;
    is_served(i % 2 == 0 ? several : single);
  }
  number = -1;
  // Those whose memory is to fail still go first.
  int served = 0;
  for (int i = 0; i < 60 && served < 20; ++i) {
    served = is_served(i % 2 == 0 ? several : single) ? served + 1 : 0;
  }
  EXPECT_EQ(served, 20);
  server_.reset();  // a worker still looks at `number` when its answer has arrived
}

// A connection that was marked as queued when memory failed was never written to again, and of the
// answers that came with its own none was given.
TEST_F(ShareTest, WhereverMemoryFailsNoAnswerIsLeftBehind) {
  settings_.loops = 1;
  start();
  std::vector<Responder> held;  // of the loop's thread
  std::atomic<int> held_count{0};
  std::atomic<int> number{-1};
  handler_.on_handle = [&](const Request& request, Responder responder) {
    fail_allocation(-1);
    if (request.path == "/hold") {
      held.push_back(std::move(responder));
      held_count = static_cast<int>(held.size());
      return;
    }
    for (Responder& each : held) {
      each.on_gone([] {});
      each.send(Response());
    }
    held.clear();
    responder.send(Response());
    if (request.path == "/go") fail_allocation(number);  // what follows on this loop
  };
  const std::string head = " HTTP/1.1\r\nHost: a\r\n\r\n";
  for (number = 0; number < 40; ++number) {
    held_count = 0;
    std::vector<std::unique_ptr<RawClient>> waiting;
    for (int i = 1; i <= 3; ++i) {
      waiting.push_back(std::make_unique<RawClient>(server_->port()));
      waiting.back()->send("GET /hold" + head);
      ASSERT_TRUE(internal::eventually([&] { return held_count == i; }));
    }
    waiting.push_back(std::make_unique<RawClient>(server_->port()));
    waiting.back()->send("GET /go" + head);
    int answered = 0;
    for (const auto& client : waiting) {
      // Each is answered or closed at once; one that was forgotten throws, after ten seconds.
      answered += client->read_until("\r\n\r\n").starts_with("HTTP/1.1 200 ") ? 1 : 0;
    }
    EXPECT_GE(answered, 3) << "one allocation is one connection's: " << number;
    bool is_over = false;
    for (int i = 0; i < 5 && !is_over; ++i) {
      RawClient client(server_->port());
      client.send("GET /over" + head);
      is_over = client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 ");
    }
    ASSERT_TRUE(is_over);
  }
  server_.reset();  // its loop knows what ends here
}

/// Has memory fail on the loop while a body in a coding of its own is given to the workers; those
/// of owner a stay in work until `opened`.
class FailingHandOver final : public Handler {
 public:
  explicit FailingHandOver(int number) : number_(number) {}
  std::optional<Response> admit(RequestHead& head) override {
    fail_allocation(-1);
    head.owner = head.path.substr(1, 1);
    return std::nullopt;
  }
  bool reads_coding(const RequestHead& /*head*/, std::string_view /*coding*/) const override {
    fail_allocation(number_);
    return true;
  }
  void handle(Request request, Responder responder) override {
    if (request.owner == "a") {
      ++inside;
      opening_.wait();
    }
    answer_fine(responder);
  }

  std::atomic<std::size_t> inside = 0;
  std::promise<void> opened;

 private:
  const int number_;
  const std::shared_future<void> opening_ = opened.get_future().share();
};

// Where a thread could not be made, those that were there stayed alone for good, and one owner
// could have all of them.
TEST_F(ShareTest, WhereverMemoryFailsAllWorkersAreThereInTheEnd) {
  const std::size_t threads = std::clamp(std::thread::hardware_concurrency() + 1U, 2U, 5U);
  const std::string large(internal::kOnLoopBytesMax + 1, 'x');
  for (int number = 0; number < 30; ++number) {
    FailingHandOver handler(number);
    auto server = Server::start(settings_, handler);
    ASSERT_TRUE(server.has_value());
    struct Opening {
      ~Opening() { handler.opened.set_value(); }
      FailingHandOver& handler;
    };
    std::vector<std::unique_ptr<RawClient>> clients;
    const Opening opening{handler};  // before the server stops
    const auto ask = [&](const std::string& path, const std::string& headers) -> RawClient& {
      clients.push_back(std::make_unique<RawClient>((*server)->port()));
      clients.back()->try_send(post(path, headers, large));
      return *clients.back();
    };
    ask("/c", "Content-Encoding: own\r\n").read_until("\r\n\r\n");  // or closed
    for (std::size_t i = 0; i < threads; ++i) ask("/a", "");
    EXPECT_TRUE(eventually([&] { return handler.inside == threads - 1; })) << number;
    EXPECT_THAT(ask("/b", "").read_until("fine."), StartsWith("HTTP/1.1 200 ")) << number;
  }
}

}  // namespace
}  // namespace vigia::net
