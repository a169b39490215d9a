// The client against peers that misbehave, byte by byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/client.hpp"
#include "libs/net/status.hpp"
#include "libs/net/testing/grpc_call.hpp"
#include "libs/net/testing/scripted_peer.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::ScriptedPeer;
using testing::HasSubstr;

// Peers that misbehave. Each test gives the frames that answer the client's first request.

Result<GrpcReply> call_peer(ScriptedPeer& peer) {
  ClientRequest request;
  request.url = peer.url() + "/p.S/M";
  request.body = "x";
  request.timeout = 5s;
  return call_and_wait(*Client::create({}), std::move(request), "");
}

TEST(ClientAndPeer, TrailersOnly) {
  ScriptedPeer peer([](ScriptedPeer::Call& call) {
    call.headers({{":status", "200"},
                  {"content-type", "application/grpc"},
                  {"grpc-status", "5"},
                  {"grpc-message", "no%20such"}},
                 true);
  });
  const auto reply = call_peer(peer);
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->code, GrpcCode::kNotFound);
  EXPECT_EQ(reply->message, "no such");
}

TEST(ClientAndPeer, MissingTrailersAreRetryable) {
  ScriptedPeer peer([](ScriptedPeer::Call& call) {
    call.headers({{":status", "200"}, {"content-type", "application/grpc"}}, false);
    call.data(std::string(5, '\0'), true);
  });
  EXPECT_EQ(call_peer(peer).error().code, ErrorCode::kUnavailable);
}

TEST(ClientAndPeer, ABadFrameIsCorrupt) {
  const auto corrupt = [](std::string data) {
    ScriptedPeer peer([data](ScriptedPeer::Call& call) {
      call.headers({{":status", "200"}, {"content-type", "application/grpc"}}, false);
      if (!data.empty()) call.data(data, false);
      call.headers({{"grpc-status", "0"}}, true);
    });
    const auto reply = call_peer(peer);
    return !reply && reply.error().code == ErrorCode::kCorrupt;
  };
  EXPECT_TRUE(corrupt(""));
  EXPECT_TRUE(corrupt(std::string("\0\0\0", 3)));
  EXPECT_TRUE(corrupt(std::string("\0\0\0\0\2x", 6)));
  EXPECT_TRUE(corrupt(std::string("\0\0\0\0\0x", 6)));
  EXPECT_TRUE(corrupt(std::string("\2\0\0\0\1x", 6)));
  EXPECT_TRUE(corrupt(std::string("\1\0\0\0\1x", 6)));
  EXPECT_FALSE(corrupt(std::string("\0\0\0\0\1x", 6)));
}

// R-EXP-2: no answer was had.
TEST(ClientAndPeer, GoawayResetAndCloseAreRetryable) {
  for (const int kind : {0, 1, 2}) {
    ScriptedPeer peer([kind](ScriptedPeer::Call& call) {
      if (kind == 0) call.goaway();
      if (kind == 1) call.reset();
      if (kind == 2) call.close();
    });
    const auto reply = call_peer(peer);
    ASSERT_FALSE(reply.has_value()) << kind;
    EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable) << kind << reply.error().message;
  }
}

TEST(ClientAndPeer, HttpErrorsKeepTheirMeaning) {
  const auto code = [](std::string status) {
    ScriptedPeer peer([status](ScriptedPeer::Call& call) {
      call.headers({{":status", status}, {"content-type", "text/html"}}, true);
    });
    return call_peer(peer).error().code;
  };
  EXPECT_EQ(code("503"), ErrorCode::kUnavailable);
  EXPECT_EQ(code("401"), ErrorCode::kUnauthenticated);
  EXPECT_EQ(code("204"), ErrorCode::kUnavailable);
}

// R-SEC-3.
TEST(ClientAndPeer, HostileDetailsAreNotRead) {
  ScriptedPeer peer([](ScriptedPeer::Call& call) {
    call.headers({{":status", "200"},
                  {"content-type", "application/grpc"},
                  {"grpc-status", "8"},
                  {"grpc-status-details-bin", std::string(14'000, 'A')}},
                 true);
  });
  const auto reply = call_peer(peer);
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->details, "");
  EXPECT_EQ(reply->code, GrpcCode::kResourceExhausted);
}

// R-EXP-5, R-SEC-3.
TEST(ClientAndPeer, AnEndlessAnswerIsCutOff) {
  ScriptedPeer peer([](ScriptedPeer::Call& call) {
    call.headers({{":status", "200"}, {"content-type", "application/grpc"}}, false);
    for (int i = 0; i < 200; ++i) call.data(std::string(16'000, 'x'), false);
  });
  ClientRequest request;
  request.url = peer.url() + "/p.S/M";
  request.response_bytes_max = 1U << 20U;
  const auto reply = call_and_wait(*Client::create({}), std::move(request), "");
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace vigia::net
