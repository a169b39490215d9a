// gRPC calls whose clients send several messages.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "libs/net/compression.hpp"
#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/testing/http2_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::grpc_prefix;

std::string framed(std::string_view message, bool is_compressed = false) {
  return grpc_prefix(message.size(), is_compressed) + std::string(message);
}

/// Says what it is told, "large" apart; ends with an error where it is told "no".
class Parrot final : public GrpcTalk {
 public:
  Result<std::string> answer(std::string_view message) override {
    if (message == "no") return fail(ErrorCode::kTooLarge, "no more");
    if (message == "throw") throw std::runtime_error("a fault of ours");
    if (message == "large") return std::string(100'000, 'x');
    return fmt::format("said {}", message);
  }
};

class TalkTest : public Http2Test {
 protected:
  void SetUp() override {
    handler_.on_open_talk = [](const RequestHead&) { return std::make_unique<Parrot>(); };
  }
  /// The head of the answer, which comes before any message.
  static void expect_begun(FrameClient& client) {
    const Frame head = client.next_of(kHeaders);
    EXPECT_EQ(head.get(":status"), "200");
    EXPECT_EQ(head.get("content-type"), "application/grpc");
    EXPECT_FALSE(head.is_end());
  }
  static void expect_end(FrameClient& client, std::string_view code) {
    const Frame trailers = client.next_of(kHeaders);
    EXPECT_EQ(trailers.get("grpc-status"), code);
    EXPECT_TRUE(trailers.is_end());
  }
};

TEST_F(TalkTest, EachMessageIsAnsweredBeforeTheNextIsThere) {
  start();
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  expect_begun(client);
  client.data(1, framed("one"), false);
  EXPECT_EQ(client.next_of(kData).payload, framed("said one"));
  const std::string second = framed("two");
  for (const char letter : second) client.data(1, std::string_view(&letter, 1), false);
  EXPECT_EQ(client.next_of(kData).payload, framed("said two"));
  client.data(1, framed("three") + framed(""), true);
  EXPECT_EQ(client.next_of(kData).payload, framed("said three") + framed("said "));
  expect_end(client, "0");
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(TalkTest, MayBeEmpty) {
  start();
  FrameClient client(port());
  client.request(1, kGrpcHeaders, true);
  expect_begun(client);
  expect_end(client, "0");
}

TEST_F(TalkTest, MessagesMayBeCompressed) {
  start();
  FrameClient client(port());
  auto headers = kGrpcHeaders;
  headers.push_back({"grpc-encoding", "gzip"});
  client.request(1, headers, false);
  expect_begun(client);
  client.data(1, framed(*compress("gzip", "packed"), true) + framed("plain"), true);
  EXPECT_EQ(client.next_of(kData).payload, framed("said packed") + framed("said plain"));
  expect_end(client, "0");
}

TEST_F(TalkTest, AnErrorEndsItAndSaysWhy) {
  start();
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  expect_begun(client);
  client.data(1, framed("yes") + framed("no") + framed("never"), false);
  EXPECT_EQ(client.next_of(kData).payload, framed("said yes"));
  const Frame trailers = client.next_of(kHeaders);
  EXPECT_EQ(trailers.get("grpc-status"), "8");
  EXPECT_EQ(trailers.get("grpc-message"), "no more");
  expect_alive();
}

TEST_F(TalkTest, WhatIsThrownCostsTheCallAlone) {
  start();
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  expect_begun(client);
  client.data(1, framed("throw"), false);
  expect_end(client, "13");
  client.request(3, kGrpcHeaders, true);
  expect_begun(client);
  expect_end(client, "0");
}

TEST_F(TalkTest, OneThatCannotBeBegunIsNoRequest) {
  handler_.on_open_talk = [](const RequestHead&) -> std::unique_ptr<GrpcTalk> {
    throw std::runtime_error("a fault of ours");
  };
  start();
  FrameClient client(port());
  client.request(1, kGrpcHeaders, true);
  expect_end(client, "13");
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(TalkTest, WhatIsNoMessageIsRefused) {
  start();
  FrameClient client(port());
  auto end_of = [&, id = 1U](std::string_view bytes, bool is_end) mutable {
    client.request(id, kGrpcHeaders, false, "/small");
    expect_begun(client);
    client.data(id, bytes, is_end);
    id += 2;
    return client.next_of(kHeaders).get("grpc-status");
  };
  EXPECT_EQ(end_of(framed("cut off").substr(0, 8), true), "3");
  EXPECT_EQ(end_of(framed("cut off").substr(0, 3), true), "3");
  EXPECT_EQ(end_of(std::string("\2\0\0\0\1x", 6), false), "3");
  EXPECT_EQ(end_of(framed("compressed by nobody", true), false), "3");
  EXPECT_EQ(end_of(framed(std::string(1024, 'm')), true), "0");
  EXPECT_EQ(end_of(framed(std::string(1025, 'm')), false), "8");
  EXPECT_EQ(end_of(std::string("\0\xff\xff\xff\xff", 5), false), "8");
}

TEST_F(TalkTest, WhoAsksOnWithoutReadingIsEnded) {
  start();
  // A window of 1 KiB: "large" fills it, and nothing behind it can be answered.
  std::string window("\0\4", 2);
  window += big_endian(1024);
  FrameClient client(port(), window);
  client.request(1, kGrpcHeaders, false, "/small");
  expect_begun(client);
  client.data(1, framed("large"), false);
  EXPECT_EQ(client.next_of(kData).payload.size(), 1024U);
  for (int i = 0; i < 100; ++i) client.data(1, framed(std::string(1000, 'm')), false);
  for (const std::uint32_t stream : {0U, 1U})
    client.send(http2_frame(kWindowUpdate, 0, stream, big_endian(1U << 20U)));
  expect_end(client, "8");
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
  expect_alive();
}

TEST_F(TalkTest, NobodyHoldsACallForEver) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 300ms;
  start(settings);
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  expect_begun(client);
  expect_end(client, "4");
}

TEST_F(TalkTest, TheClientsDeadlineCounts) {
  start();
  FrameClient client(port());
  auto headers = kGrpcHeaders;
  headers.push_back({"grpc-timeout", "200m"});
  client.request(1, headers, false);
  expect_begun(client);
  expect_end(client, "4");
}

TEST_F(TalkTest, AServerThatEndsSaysSo) {
  start();
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  expect_begun(client);
  const std::jthread stops([this] { server_->stop(SystemClock().steady() + 5s); });
  expect_end(client, "14");
}

TEST_F(TalkTest, ARequestOfHttpIsNone) {
  start();
  FrameClient client(port());
  client.request(1, {}, true, "/alive");
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
  EXPECT_EQ(handler_.handled, 1);
}

}  // namespace
}  // namespace vigia::net
