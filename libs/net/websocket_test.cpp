#include "libs/net/websocket.hpp"

#include <gtest/gtest.h>

namespace vigia::net {
namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // of RFC 6455 §1.3

RequestHead opening() {
  RequestHead head;
  head.method = "GET";
  head.path = "/tail";
  head.headers = {{"host", "x"},
                  {"upgrade", "websocket"},
                  {"connection", "Upgrade"},
                  {"sec-websocket-version", "13"},
                  {"sec-websocket-key", kKey}};
  return head;
}

/// The opening with another value of one header, or without it where it is "".
RequestHead opening_with(std::string_view name, std::string_view value) {
  RequestHead head = opening();
  Headers headers;
  for (const Header& header : head.headers) {
    if (header.name != name) headers.add(header.name, header.value);
  }
  if (!value.empty()) headers.add(name, value);
  head.headers = headers;
  return head;
}

int refused(const RequestHead& head) {
  const auto refusal = refuse_websocket(head);
  return refusal ? refusal->status : 0;
}

TEST(WebSocketTest, AcceptIsThatOfTheStandardsExample) {
  EXPECT_EQ(websocket_accept(kKey), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketTest, AnOpeningIsTaken) {
  EXPECT_EQ(refused(opening()), 0);
  EXPECT_EQ(refused(opening_with("connection", "keep-alive, Upgrade")), 0) << "as Firefox writes";
  EXPECT_EQ(refused(opening_with("upgrade", "WebSocket")), 0);
  EXPECT_EQ(refused(opening_with("content-length", "0")), 0);
}

TEST(WebSocketTest, WhatIsNoneIsToldWhatToSend) {
  EXPECT_EQ(refused(opening_with("upgrade", "")), 426);
  EXPECT_EQ(refused(opening_with("upgrade", "h2c")), 426);
  EXPECT_EQ(refused(opening_with("connection", "keep-alive")), 426);
  EXPECT_EQ(refused(opening_with("connection", "upgraded")), 426);
  EXPECT_EQ(refused(opening_with("sec-websocket-version", "8")), 426);
  EXPECT_EQ(refused(opening_with("sec-websocket-version", "")), 426);
}

TEST(WebSocketTest, WhatIsWrongInIt) {
  EXPECT_EQ(refused(opening_with("sec-websocket-key", "")), 400);
  EXPECT_EQ(refused(opening_with("sec-websocket-key", "c2hvcnQ=")), 400);
  EXPECT_EQ(refused(opening_with("sec-websocket-key", "not base64")), 400);
  EXPECT_EQ(refused(opening_with("content-length", "5")), 400);
  EXPECT_EQ(refused(opening_with("transfer-encoding", "chunked")), 400);
  RequestHead twice = opening();
  twice.headers.add("sec-websocket-key", kKey);
  EXPECT_EQ(refused(twice), 400);
  RequestHead post = opening();
  post.method = "POST";
  EXPECT_EQ(refused(post), 400);
  RequestHead http2 = opening();
  http2.transport = Transport::kHttp2;
  EXPECT_EQ(refused(http2), 400);
}

}  // namespace
}  // namespace vigia::net
