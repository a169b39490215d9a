// Any bytes as the frames of a gRPC call, at the server behind sound headers, as one message and as
// several, and at the client as an answer. The first byte says how the input is cut into reads and
// which coding is said, so that length, flag and packed message are reached without HTTP/2 being
// guessed first.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/net/internal/grpc_reply.hpp"
#include "libs/net/internal/http2_session.hpp"
#include "libs/net/testing/bare_host.hpp"

namespace vigia::net::internal {
namespace {

constexpr std::size_t kBytesMax = 64U << 10U;
constexpr std::array<std::string_view, 4> kCodings{"identity", "gzip", "zstd", "rot13"};

std::string frame(std::uint8_t type, std::uint8_t flags, std::string_view payload) {
  std::string out;
  for (const unsigned shift : {16U, 8U, 0U})
    out += static_cast<char>((payload.size() >> shift) & 0xffU);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  out += std::string_view("\0\0\0\1", 4);  // of stream 1
  out += payload;
  return out;
}

/// A field as HPACK writes one that is not to be remembered.
void add_field(std::string& out, std::string_view name, std::string_view value) {
  out += '\0';
  out += static_cast<char>(name.size());
  out += name;
  out += static_cast<char>(value.size());
  out += value;
}

std::string call(std::string_view path, std::string_view coding, std::string_view message) {
  constexpr std::uint8_t kData = 0, kHeaders = 1, kEndStream = 1, kEndHeaders = 4;
  std::string fields;
  add_field(fields, ":method", "POST");
  add_field(fields, ":scheme", "http");
  add_field(fields, ":path", path);
  add_field(fields, ":authority", "x");
  add_field(fields, "content-type", "application/grpc");
  add_field(fields, "te", "trailers");
  add_field(fields, "grpc-encoding", coding);
  std::string out = frame(kHeaders, kEndHeaders, fields);
  constexpr std::size_t kFrameMax = 16'384;
  for (; message.size() > kFrameMax; message.remove_prefix(kFrameMax))
    out += frame(kData, 0, message.substr(0, kFrameMax));
  return out + frame(kData, kEndStream, message);
}

void serve(std::string_view path, std::string_view coding, std::string_view message,
           std::size_t piece) {
  EchoingHandler handler;
  ServerSettings settings;
  settings.body_bytes_max = kBytesMax;
  ServerCore core(settings, handler);
  BareHost host(core);
  const auto session = make_http2_session(host);
  session->receive(kHttp2Preface);
  run(host, *session, call(path, coding, message), piece);
}

void read_answer(std::string_view coding, std::string_view message) {
  ClientResponse response;
  response.status = 200;
  response.headers.add("content-type", "application/grpc");
  response.headers.add("grpc-encoding", std::string(coding));
  response.headers.add("grpc-status", "0");
  response.body = message;
  const auto reply = grpc_reply(std::move(response), kBytesMax);
  if (reply) CHECK(reply->body.size() <= kBytesMax);
}

}  // namespace
}  // namespace vigia::net::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  using namespace std::string_view_literals;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto coding = vigia::net::internal::kCodings[data[0] % 4];
  const std::size_t piece = 1 + data[0] / 4U * 37U;
  vigia::net::internal::serve("/a.B/Export", coding, bytes, piece);
  vigia::net::internal::serve("/a.B/Talk", coding, bytes, piece);
  vigia::net::internal::read_answer(coding, bytes);
  return 0;
}
