#include "libs/net/internal/websocket_frames.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/testing/websocket_client.hpp"

namespace vigia::net::internal {
namespace {

using testing::ElementsAre;

constexpr std::size_t kMost = 1000;

std::string text_of(const WebSocketEvent& event) {
  using Kind = WebSocketEvent::Kind;
  switch (event.kind) {
    case Kind::kMessage:
      return "message " + event.payload;
    case Kind::kPing:
      return "ping " + event.payload;
    case Kind::kPong:
      return "pong " + event.payload;
    case Kind::kClose:
      return "close " + std::to_string(event.code) + " " + event.payload;
    case Kind::kFault:
      return "fault " + std::to_string(event.code);
  }
  return "";
}

/// What is read, the bytes given in pieces of so many.
std::vector<std::string> read_in(std::string_view bytes, std::size_t piece) {
  WebSocketReader reader(kMost);
  std::vector<std::string> events;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (const auto event = reader.take(part)) events.push_back(text_of(*event));
  }
  return events;
}

/// The same however it is cut.
std::vector<std::string> read(const std::string& bytes) {
  const auto whole = read_in(bytes, bytes.size());
  for (const std::size_t piece : {1, 2, 3, 7}) EXPECT_EQ(read_in(bytes, piece), whole);
  return whole;
}

TEST(WebSocketFramesTest, MessagesWholeAndInParts) {
  EXPECT_THAT(read(client_frame("hola")), ElementsAre("message hola"));
  EXPECT_THAT(read(client_frame("")), ElementsAre("message "));
  EXPECT_THAT(read(client_frame(0x01, "ho") + client_frame(0x00, "l") + client_frame(0x80, "a") +
                   client_frame(0x82, "\xff")),
              ElementsAre("message hola", "message \xff"));
}

TEST(WebSocketFramesTest, ControlFramesMayStandWithinAMessage) {
  EXPECT_THAT(read(client_frame(0x01, "ho") + client_frame(0x89, "p") + client_frame(0x8a, "") +
                   client_frame(0x80, "la")),
              ElementsAre("ping p", "pong ", "message hola"));
}

TEST(WebSocketFramesTest, LengthsOfThreeForms) {
  const std::string long_text(300, 'x');
  EXPECT_THAT(read(client_frame(long_text)), ElementsAre("message " + long_text));
  EXPECT_THAT(read(client_frame(std::string(kMost, 'x'))).front().size(), kMost + 8);
}

TEST(WebSocketFramesTest, TooLargeIsKnownBeforeItComes) {
  const std::string whole = client_frame(std::string(kMost + 1, 'x'));
  EXPECT_THAT(read(whole.substr(0, 8)), ElementsAre("fault 1009"));
  EXPECT_THAT(read(client_frame(0x01, std::string(kMost, 'x')) + client_frame(0x80, "x")),
              ElementsAre("fault 1009"));
  const std::string endless("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14);
  EXPECT_THAT(read(endless), ElementsAre("fault 1009"));
}

TEST(WebSocketFramesTest, PartsAreBounded) {
  std::string parts = client_frame(0x01, "");
  for (int i = 0; i < 2000; ++i) parts += client_frame(0x00, "");
  EXPECT_THAT(read(parts), ElementsAre("fault 1008"));
}

TEST(WebSocketFramesTest, TextIsUtf8AsAWhole) {
  EXPECT_THAT(read(client_frame(0x01, "\xc3") + client_frame(0x80, "\xa9")),
              ElementsAre("message \xc3\xa9"));
  EXPECT_THAT(read(client_frame("\xc3")), ElementsAre("fault 1007"));
}

TEST(WebSocketFramesTest, FramesThatNoClientMaySend) {
  EXPECT_THAT(read(client_frame("x", {.is_masked = false})), ElementsAre("fault 1002"));
  EXPECT_THAT(read(client_frame(0xc1, "x")), ElementsAre("fault 1002")) << "a reserved bit";
  EXPECT_THAT(read(client_frame(0x83, "x")), ElementsAre("fault 1002")) << "an opcode that is none";
  EXPECT_THAT(read(client_frame(0x8b, "x")), ElementsAre("fault 1002"));
  EXPECT_THAT(read(client_frame(0x09, "x")), ElementsAre("fault 1002")) << "a ping that is cut";
  EXPECT_THAT(read(client_frame(0x89, std::string(126, 'x'))), ElementsAre("fault 1002"));
  EXPECT_THAT(read(client_frame(0x80, "x")), ElementsAre("fault 1002")) << "goes on with nothing";
  EXPECT_THAT(read(client_frame(0x01, "x") + client_frame(0x81, "x")), ElementsAre("fault 1002"));
  const std::string wide("\x81\xfe\x00\x05\0\0\0\0hola!", 13);
  EXPECT_THAT(read(wide), ElementsAre("fault 1002")) << "a length of more bytes than it takes";
}

TEST(WebSocketFramesTest, Closes) {
  EXPECT_THAT(read(client_frame(0x88, "")), ElementsAre("close 0 "));
  EXPECT_THAT(read(client_frame(0x88, close_payload(1000, "adi\xc3\xb3s"))),
              ElementsAre("close 1000 adi\xc3\xb3s"));
  EXPECT_THAT(read(client_frame(0x88, close_payload(4321))), ElementsAre("close 4321 "));
  EXPECT_THAT(read(client_frame(0x88, "x")), ElementsAre("fault 1002"));
  for (const int number : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000}) {
    const auto code = static_cast<std::uint16_t>(number);
    EXPECT_THAT(read(client_frame(0x88, close_payload(code))), ElementsAre("fault 1002")) << code;
  }
  EXPECT_THAT(read(client_frame(0x88, close_payload(1000, "\xff"))), ElementsAre("fault 1007"));
  EXPECT_THAT(read(client_frame(0x88, "") + client_frame("x")), ElementsAre("close 0 "))
      << "nothing is read behind it";
}

TEST(WebSocketFramesTest, HeadsOfAServer) {
  EXPECT_EQ(websocket_frame_head(WebSocketOpcode::kText, 5), "\x81\x05");
  EXPECT_EQ(websocket_frame_head(WebSocketOpcode::kText, 126), std::string("\x81\x7e\x00\x7e", 4));
  EXPECT_EQ(websocket_frame_head(WebSocketOpcode::kText, 65'536),
            std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(WebSocketFramesTest, AReasonIsCutBetweenLetters) {
  const std::string payload = websocket_close_payload(1008, std::string(122, 'x') + "\xc3\xb3");
  EXPECT_EQ(payload, close_payload(1008, std::string(122, 'x')));
}

}  // namespace
}  // namespace vigia::net::internal
