// HTTP/2 and gRPC, frame by frame: what curl and good clients never send.
#include <map>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/compression.hpp"
#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/internal/http2_heads.hpp"
#include "libs/net/status.hpp"
#include "libs/net/testing/http2_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::eventually;

TEST_F(Http2Test, OffersItsLimits) {
  start();
  FrameClient client(port());
  const Frame settings = client.next_of(kSettings);
  std::map<int, std::uint32_t> values;
  for (std::size_t at = 0; at + 6 <= settings.payload.size(); at += 6) {
    values[settings.payload[at + 1]] = settings.number(at + 2);
  }
  EXPECT_EQ(values[NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS], 256U);
  EXPECT_EQ(values[NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE], 4U << 20U);
  EXPECT_EQ(values[NGHTTP2_SETTINGS_MAX_FRAME_SIZE], 1U << 20U);
  EXPECT_EQ(values[NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE], 64U << 10U);
}

TEST_F(Http2Test, APrefaceMayComeByteByByte) {
  start();
  RawClient raw(port());
  for (const char letter : internal::kHttp2Preface) raw.send(std::string_view(&letter, 1));
  raw.send(http2_frame(kSettings, 0, 0, ""));
  EXPECT_EQ(raw.read_some(9)[3], static_cast<char>(kSettings));
}

TEST_F(Http2Test, AlmostAPrefaceIsNoHttp) {
  start();
  RawClient raw(port());
  raw.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  EXPECT_THAT(raw.read_all(), testing::StartsWith("HTTP/1.1 400 "));
}

// R-OTLP-8: the wait goes with the refusal.
TEST_F(Http2Test, AGrpcErrorIsTrailersOnly) {
  start();
  handler_.on_admit = [](const RequestHead& head) {
    return otlp_error(head, {ErrorCode::kUnavailable, "full", 2s});
  };
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  const Frame answer = client.next_of(kHeaders);
  EXPECT_TRUE(answer.is_end());
  EXPECT_EQ(answer.get(":status"), "200");
  EXPECT_EQ(answer.get("content-type"), "application/grpc");
  EXPECT_EQ(answer.get("grpc-status"), "14");
  EXPECT_EQ(answer.get("grpc-message"), "full");
  EXPECT_NE(answer.get("grpc-status-details-bin"), "");
  EXPECT_EQ(answer.get("grpc-status-details-bin").find('='), std::string::npos);
  const Frame reset = client.next_of(kReset);  // the rest of the request is not wanted
  EXPECT_EQ(reset.number(0), static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
}

TEST_F(Http2Test, AnHttpErrorOfAHandlerIsNoGrpcSuccess) {
  start();
  handler_.on_admit = [](const RequestHead&) {
    return json_error({ErrorCode::kNotFound, "no such path"});
  };
  FrameClient client(port());
  client.request(1, kGrpcHeaders, true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "12");
}

TEST_F(Http2Test, GrpcMessagesAreDecompressedByTheirFlag) {
  start();
  FrameClient client(port());
  std::vector<Header> headers = kGrpcHeaders;
  headers.push_back({"grpc-encoding", "gzip"});
  const std::string packed = compress("gzip", std::string(5000, 'x')).value();
  client.request(1, headers, false);
  client.data(1, internal::grpc_prefix(packed.size(), true) + packed, true);
  EXPECT_EQ(client.next_of(kData).payload.substr(5), "POST /x? 2 5000");
  client.request(3, headers, false);  // the flag says that this one is plain
  client.data(3, internal::grpc_prefix(3, false) + "abc", true);
  EXPECT_EQ(client.next_of(kData).payload.substr(5), "POST /x? 2 3");
  headers.back().value = "lzma";
  client.request(5, headers, false);
  client.data(5, internal::grpc_prefix(3, true) + "abc", true);
  client.next_of(kHeaders);  // the trailers of stream 3
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "12");
}

TEST_F(Http2Test, AGrpcTimeoutEndsACallThatHasNoAnswer) {
  start();
  std::vector<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.push_back(std::move(responder));
  };
  FrameClient client(port());
  std::vector<Header> headers = kGrpcHeaders;
  headers.push_back({"grpc-timeout", "150m"});
  client.request(1, headers, false);
  client.data(1, internal::grpc_prefix(0, false), true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "4");
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  kept.at(0).send(Response{});  // too late, and dropped
  headers.back().value = "soon";
  client.request(3, headers, true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "3");
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST(GrpcTimeout, ReadsTheGrammar) {
  using internal::parse_grpc_timeout;
  EXPECT_EQ(parse_grpc_timeout("1H"), 1h);
  EXPECT_EQ(parse_grpc_timeout("2M"), 2min);
  EXPECT_EQ(parse_grpc_timeout("3S"), 3s);
  EXPECT_EQ(parse_grpc_timeout("4m"), 4ms);
  EXPECT_EQ(parse_grpc_timeout("5u"), 5us);
  EXPECT_EQ(parse_grpc_timeout("99999999n"), 99'999'999ns);
  EXPECT_EQ(parse_grpc_timeout("99999999H"), 24h * 365);
  for (const auto* text : {"", "1", "S", "-1S", "1x", "999999999S", "1 S", "+1S"}) {
    EXPECT_FALSE(parse_grpc_timeout(text).has_value()) << text;
  }
}

// R-SEC-4, R-SEC-5: small indices of a large header.
TEST_F(Http2Test, HeadersOverTheBudgetAreRefused) {
  start();
  FrameClient client(port());
  std::vector<Header> headers;
  for (int i = 0; i < 20; ++i) headers.push_back({"x" + std::to_string(i), std::string(700, 'v')});
  client.request(1, headers, true);  // 15 KB: within
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
  // 20 KB of indices of one entry of 4 KB in the dynamic table: 80 MB of headers.
  std::string block = hpack_literals({{":method", "GET"}, {":scheme", "http"}, {":path", "/bomb"}});
  std::string entry = hpack_literals({{"bomb", std::string(4000, 'b')}});
  entry[0] = '\x40';  // with incremental indexing
  const auto begin = http2_frame(kHeaders, kEndStream, 3, block + entry);
  client.send(begin + http2_frame(kContinuation, kEndHeaders, 3, std::string(16'000, '\xbe')));
  EXPECT_EQ(client.next_of(kHeaders).type, 0xff);  // no answer, the connection has ended
  EXPECT_EQ(handler_.handled, 1);
  expect_alive();
}

TEST_F(Http2Test, ALittleOverTheHeaderBudgetIs431) {
  ServerSettings settings = small_settings();
  settings.header_bytes_max = 4096;
  start(settings);
  FrameClient client(port());
  client.request(1, {{"x", std::string(5000, 'v')}}, true);
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "431");
  std::vector<Header> headers = kGrpcHeaders;
  headers.push_back({"x", std::string(5000, 'v')});
  client.request(3, headers, true);
  EXPECT_EQ(client.next_of(kHeaders).get("grpc-status"), "8");
  EXPECT_EQ(handler_.handled, 0);
}

// R-SEC-5, R-SEC-7: a path without its slash.
TEST_F(Http2Test, MalformedRequestsNeverReachTheHandler) {
  start();
  const std::vector<Header> good = {
      {":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}};
  const auto with = [&good](std::size_t at, const std::string& value) {
    auto headers = good;
    headers[at].value = value;
    return headers;
  };
  const auto and_also = [&good](const Header& header) {
    auto headers = good;
    headers.push_back(header);
    return headers;
  };
  for (const auto& headers :
       {with(3, "x"), with(3, ""), with(3, "http://x/"), with(0, "CONNECT"), with(0, ""),
        and_also({":path", "/y"}), and_also({"Upper", "x"}), and_also({"connection", "close"}),
        and_also({"transfer-encoding", "chunked"}), and_also({"te", "gzip"}),
        and_also({"x", "a\nb"}), and_also({":status", "200"}), and_also({"content-length", "x"}),
        std::vector<Header>{{":method", "GET"}}}) {
    FrameClient client(port());
    client.send(http2_frame(kHeaders, kEndHeaders | kEndStream, 1, hpack_literals(headers)));
    client.send(http2_frame(kPing, 0, 0, "12345678"));
    const Frame reset = client.next_of(kReset);
    EXPECT_EQ(reset.type, kReset) << headers.back().name << headers.back().value;
  }
  EXPECT_EQ(handler_.handled, 0);
  expect_alive();
}

TEST_F(Http2Test, ABodyThatIsNotItsContentLengthIsRefused) {
  start();
  FrameClient client(port());
  client.request(1, {{"content-length", "3"}}, false);
  client.data(1, "four", true);
  EXPECT_EQ(client.next_of(kReset).type, kReset);
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(Http2Test, WhoWorksForAStreamIsToldOfItsReset) {
  start();
  std::mutex mutex;
  std::vector<Responder> kept;
  std::vector<std::string> gone;
  handler_.on_handle = [&](const Request& request, Responder responder) {
    const std::lock_guard lock(mutex);
    responder.on_gone([&, path = request.path] {
      const std::lock_guard inner(mutex);
      gone.push_back(path);
    });
    kept.push_back(std::move(responder));
  };
  const auto gone_count = [&] {
    const std::lock_guard lock(mutex);
    return gone.size();
  };
  {
    FrameClient client(port());
    client.request(1, {}, true, "/stays");
    client.request(3, {}, true, "/reset");
    ASSERT_TRUE(eventually([&] { return handler_.handled == 2; }));
    client.send(http2_frame(kReset, 0, 3, big_endian(8)));
    EXPECT_TRUE(eventually([&] { return gone_count() == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return gone_count() == 2; }));
  EXPECT_EQ(gone.front(), "/reset");
  const std::lock_guard lock(mutex);
  for (Responder& responder : kept) responder.send(Response{});
}

TEST_F(Http2Test, StreamsOverTheLimitAreRefused) {
  ServerSettings settings = small_settings();
  settings.streams_max = 5;
  start(settings);
  std::mutex mutex;
  std::vector<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(responder));
  };
  // One that does not know the limit yet may try the stream again; one that does is at fault.
  FrameClient early(port(), "", false);
  for (std::uint32_t i = 0; i < 6; ++i) early.send(get_frame(2 * i + 1));
  const Frame reset = early.next_of(kReset);
  EXPECT_EQ(reset.stream, 11U);
  EXPECT_EQ(reset.number(0), static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
  FrameClient late(port());
  for (std::uint32_t i = 0; i < 6; ++i) late.send(get_frame(2 * i + 1));
  const Frame goaway = late.next_of(kGoaway);
  EXPECT_EQ(goaway.number(4), static_cast<std::uint32_t>(NGHTTP2_PROTOCOL_ERROR));
  EXPECT_EQ(handler_.handled, 10);
  server_->stop(SystemClock().steady());  // before what the handler keeps
}

TEST_F(Http2Test, ASlowBodyEndsAtItsTimeout) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 200ms;
  start(settings);
  FrameClient client(port());
  client.request(1, kGrpcHeaders, false);
  client.data(1, std::string("\0\0", 2), false);
  const Frame answer = client.next_of(kHeaders);
  EXPECT_EQ(answer.get("grpc-status"), "4");
  EXPECT_TRUE(answer.is_end());
  EXPECT_EQ(server_->stats().buffered_bytes, 0U);
}

TEST_F(Http2Test, HeadersWithoutEndCloseTheConnection) {
  ServerSettings settings = small_settings();
  settings.head_timeout = 200ms;
  start(settings);
  FrameClient client(port());
  client.send(http2_frame(kHeaders, 0, 1, hpack_literals({{":method", "GET"}})));
  EXPECT_EQ(client.next_of(kGoaway).type, kGoaway);
  EXPECT_EQ(client.next().type, 0xff);
}

TEST_F(Http2Test, AnAnswerThatNobodyTakesIsGivenUp) {
  ServerSettings settings = small_settings();
  settings.request_timeout = 200ms;
  start(settings);
  handler_.on_handle = [](const Request&, Responder responder) {
    Response response;
    response.body = std::string(10U << 20U, 'x');
    responder.send(std::move(response));
  };
  FrameClient client(port(), std::string("\0\4\0\0\0\0", 6));  // a window of nothing
  client.send(get_frame(1));
  const Frame reset = client.next_of(kReset);
  EXPECT_EQ(reset.number(0), static_cast<std::uint32_t>(NGHTTP2_CANCEL));
}

TEST_F(Http2Test, AnIdleConnectionIsToldAndClosed) {
  ServerSettings settings = small_settings();
  settings.idle_timeout = 200ms;
  start(settings);
  FrameClient client(port());
  const Frame goaway = client.next_of(kGoaway);
  EXPECT_EQ(goaway.number(4), static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
  EXPECT_EQ(client.next().type, 0xff);
}

TEST_F(Http2Test, StopLetsCallsInFlightEnd) {
  start();
  std::optional<Responder> kept;
  handler_.on_handle = [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  };
  FrameClient client(port());
  client.send(get_frame(1));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  std::thread stopping([this] { server_->stop(SystemClock().steady() + 10s); });
  const Frame notice = client.next_of(kGoaway);
  EXPECT_EQ(notice.number(0), 0x7fffffffU);
  const Frame last = client.next_of(kGoaway);
  EXPECT_EQ(last.number(0), 1U);
  kept->send(Response{});
  EXPECT_EQ(client.next_of(kHeaders).get(":status"), "200");
  EXPECT_EQ(client.next().type, 0xff);
  stopping.join();
}

TEST_F(Http2Test, RubbishAfterThePrefaceHurtsNobodyElse) {
  start();
  std::uint32_t state = 1;
  for (int round = 0; round < 200; ++round) {
    std::string rubbish;
    for (int i = 0; i < 500; ++i) {
      state = state * 1664525U + 1013904223U;
      rubbish += static_cast<char>(state >> 24U);
    }
    RawClient raw(port());
    raw.send(internal::kHttp2Preface);
    if (round % 2 == 0) raw.send(http2_frame(kSettings, 0, 0, ""));
    if (round % 4 == 0) {
      raw.try_send(http2_frame(static_cast<std::uint8_t>(round / 4 % 10), 4, 1, rubbish));
    }
    raw.try_send(rubbish);
  }
  expect_alive();
  EXPECT_TRUE(eventually([this] { return server_->stats().connections <= 1; }));
}

}  // namespace
}  // namespace vigia::net
