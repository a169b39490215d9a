// HTTP/2 clients that send more frames than anybody needs: what each connection may cost.
#include <optional>

#include <gtest/gtest.h>

#include "libs/net/internal/control_budget.hpp"
#include "libs/net/testing/http2_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;

// R-OTLP-14.
TEST_F(Http2Test, PingsAreTolerated) {
  start();
  FrameClient client(port());
  // In rounds: nghttp2 ends a connection that has 1,000 answers waiting to be read.
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 100; ++i) client.send(http2_frame(kPing, 0, 0, "12345678"));
    for (int i = 0; i < 100; ++i) ASSERT_EQ(client.next_of(kPing).flags, kAck);
  }
}

TEST_F(Http2Test, APingForEachCallIsTolerated) {
  start();
  FrameClient client(port());
  for (std::uint32_t i = 0; i < 8'000; ++i) {
    client.send(http2_frame(kPing, 0, 0, "12345678"));
    client.request(2 * i + 1, {}, true);
    ASSERT_EQ(client.next_of(kHeaders).get(":status"), "200") << i;
    client.send(http2_frame(kWindowUpdate, 0, 0, big_endian(100)));
  }
}

// R-SEC-6.
TEST_F(Http2Test, PingFlood) {
  start();
  EXPECT_EQ(flood([](int) { return http2_frame(kPing, 0, 0, "12345678"); }),
            static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  expect_alive();
}

// R-SEC-6.
TEST_F(Http2Test, SettingsFlood) {
  start();
  flood([](int) { return http2_frame(kSettings, 0, 0, std::string("\0\3\0\0\0\1", 6)); });
  flood([](int) { return http2_frame(kSettings, kAck, 0, ""); });
  expect_alive();
}

TEST_F(Http2Test, PriorityWindowAndEmptyDataFloods) {
  start();
  flood([](int) { return http2_frame(kPriority, 0, 1, std::string("\0\0\0\3\1", 5)); });
  flood([](int) { return http2_frame(kWindowUpdate, 0, 0, big_endian(1)); });
  flood([](int i) {
    return i == 0 ? http2_frame(kHeaders, kEndHeaders, 1,
                                hpack_literals({{":method", "POST"},
                                                {":scheme", "http"},
                                                {":authority", "x"},
                                                {":path", "/x"}}))
                  : http2_frame(kData, 0, 1, "");
  });
  expect_alive();
}

// R-SEC-6.
TEST_F(Http2Test, RapidReset) {
  start();
  flood([](int i) {
    const auto stream = static_cast<std::uint32_t>(2 * i + 1);
    return get_frame(stream) + http2_frame(kReset, 0, stream, big_endian(8));
  });
  expect_alive();
  EXPECT_LT(handler_.handled, 5000);
}

std::string post_frame(std::uint32_t stream) {
  return http2_frame(
      kHeaders, kEndHeaders, stream,
      hpack_literals(
          {{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}}));
}

std::string pages_of_data(std::uint32_t stream, int count) {
  std::string frames;
  for (int i = 0; i < count; ++i)
    frames += http2_frame(kData, 0, stream, std::string(16U << 10U, 'x'));
  return frames;
}

TEST_F(Http2Test, DataOnAStreamThatIsGoneIsCharged) {
  start();
  std::string small;
  for (int i = 0; i < 100'000; ++i) small += http2_frame(kData, 0, 1, "x");
  for (const std::string& piece : {small, pages_of_data(1, 64)}) {
    FrameClient client(port());
    client.send(get_frame(1));
    client.next_of(kHeaders);
    std::size_t sent = 0;
    while (sent < (256U << 20U) && client.send(piece)) sent += piece.size();
    EXPECT_LT(sent, 256U << 20U) << "the server never refused";
  }
  expect_alive();
}

TEST_F(Http2Test, BodiesAfterTheirRefusalAreCharged) {
  start();
  handler_.on_admit = [](RequestHead& head) -> std::optional<Response> {
    if (head.path != "/x") return std::nullopt;
    Response refusal;
    refusal.status = 401;
    return refusal;
  };
  flood(
      [](int i) {
        const auto stream = static_cast<std::uint32_t>(2 * i + 1);
        return post_frame(stream) + pages_of_data(stream, 64);
      },
      128);
  expect_alive();
}

TEST_F(Http2Test, BodiesThatAreTakenBackAreCharged) {
  start();
  flood(
      [](int i) {
        const auto stream = static_cast<std::uint32_t>(2 * i + 1);
        return post_frame(stream) + pages_of_data(stream, 32) +
               http2_frame(kReset, 0, stream, big_endian(8));
      },
      900);  // fewer than the resets that are let pass
  expect_alive();
  EXPECT_EQ(handler_.handled, 1);
}

// A client that learns late of its refusal has a window of data on the way.
TEST_F(Http2Test, AWindowOfDataAfterTheAnswerIsNoFault) {
  start();
  FrameClient client(port());
  client.send(get_frame(1));
  client.next_of(kHeaders);
  client.send(pages_of_data(1, 256));
  client.request(3, {}, true, "/alive");
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
}

TEST_F(Http2Test, ResetRequestsThatTheHandlerStillWorksOnStayBounded) {
  ServerSettings settings = small_settings();
  settings.streams_max = 10;
  start(settings);
  std::mutex mutex;
  std::vector<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(responder));
  };
  FrameClient client(port());
  for (std::uint32_t stream = 1; stream < 1000; stream += 2) {
    client.send(get_frame(stream) + http2_frame(kReset, 0, stream, big_endian(8)));
  }
  client.send(http2_frame(kPing, 0, 0, "12345678"));
  client.next_of(kPing);
  EXPECT_EQ(handler_.handled, 10);
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

// R-SEC-6.
TEST_F(Http2Test, ServerSideResetsAreCountedToo) {
  start();
  // A window of zero bytes is a fault of the stream: the server resets it, the request goes on.
  flood([](int i) {
    const auto stream = static_cast<std::uint32_t>(2 * i + 1);
    return http2_frame(kHeaders, kEndHeaders, stream,
                       hpack_literals({{":method", "POST"},
                                       {":scheme", "http"},
                                       {":authority", "x"},
                                       {":path", "/x"}})) +
           http2_frame(kWindowUpdate, 0, stream, big_endian(0));
  });
  expect_alive();
}

// R-SEC-6.
TEST_F(Http2Test, ContinuationFlood) {
  start();
  flood([](int i) {
    const std::string literal = hpack_literals({{"x", "y"}});
    if (i > 0) return http2_frame(kContinuation, 0, 1, literal);
    return http2_frame(kHeaders, 0, 1, hpack_literals({{":method", "GET"}}));
  });
  expect_alive();
  EXPECT_EQ(handler_.handled, 1);
}

TEST(ControlBudget, IsRefilledByTimeAndCalls) {
  TimePoint now{};
  internal::ControlBudget budget(now);
  EXPECT_TRUE(budget.spend(10'000, now));
  EXPECT_FALSE(budget.spend(1, now));
  now += 1s;
  EXPECT_TRUE(budget.spend(400, now));
  budget.earn(1000);
  EXPECT_TRUE(budget.spend(1000, now));
}

}  // namespace
}  // namespace vigia::net
