#include "libs/net/internal/grpc_reply.hpp"

#include <charconv>

#include <fmt/format.h>

#include "libs/base/base64.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/internal/response_head.hpp"
#include "libs/net/status.hpp"

namespace vigia::net::internal {

namespace {

constexpr std::size_t kPrefixBytes = 5;
constexpr std::size_t kDetailsBytesMax = 8192;
// gRPC's grpc-timeout has at most eight digits.
constexpr std::int64_t kTimeoutMsMax = 99'999'999;

/// The last value: trailers come after headers, and a proxy may have put one there.
std::string_view last_value(const Headers& headers, std::string_view name) {
  std::string_view value;
  for (const Header& header : headers) {
    if (header.name == name) value = header.value;
  }
  return value;
}

GrpcCode parse_code(std::string_view text) {
  int code = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), code);
  const bool is_number = fault == std::errc() && end == text.data() + text.size();
  if (!is_number || code < 0 || code > static_cast<int>(GrpcCode::kUnauthenticated)) {
    return GrpcCode::kUnknown;
  }
  return static_cast<GrpcCode>(code);
}

/// The one message of a body.
Result<std::string> unframe(std::string body, std::string_view encoding, std::size_t bytes_max) {
  if (body.size() < kPrefixBytes) {
    return fail(ErrorCode::kCorrupt, "the gRPC answer ends before its message");
  }
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) {
    size = size << 8U | static_cast<unsigned char>(body[i]);
  }
  const auto flag = static_cast<unsigned char>(body[0]);
  if (flag > 1 || size != body.size() - kPrefixBytes) {
    return fail(ErrorCode::kCorrupt, "the gRPC answer is not one whole message");
  }
  body.erase(0, kPrefixBytes);
  if (flag == 0) return body;
  if (encoding.empty() || encoding == "identity") {
    return fail(ErrorCode::kCorrupt, "a compressed gRPC answer without grpc-encoding");
  }
  Result<std::string> plain = decompress(encoding, body, bytes_max);
  if (plain || plain.error().code == ErrorCode::kTooLarge) return plain;
  return fail(ErrorCode::kCorrupt, plain.error().message);
}

}  // namespace

Result<ClientRequest> grpc_request(ClientRequest request, std::string_view compression) {
  const bool is_compressed = !compression.empty() && compression != "identity";
  if (is_compressed) {
    Result<std::string> packed = compress(compression, request.body);
    if (!packed) return forward(packed);
    request.body = std::move(*packed);
    request.headers.add("grpc-encoding", compression);
  }
  request.body.insert(0, grpc_prefix(request.body.size(), is_compressed));
  request.method = "POST";
  request.headers.add("content-type", "application/grpc+proto");
  request.headers.add("te", "trailers");
  request.headers.add("grpc-accept-encoding", "identity,gzip,deflate,zstd");
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout).count();
  request.headers.add("grpc-timeout",
                      fmt::format("{}m", std::clamp<std::int64_t>(left, 1, kTimeoutMsMax)));
  request.response_bytes_max += kPrefixBytes;
  return request;
}

Result<GrpcReply> grpc_reply(ClientResponse response, std::size_t bytes_max) {
  const Headers& headers = response.headers;
  if (response.status != 200) {
    auto error = error_from_http(response.status, headers, response.body);
    if (error) return tl::unexpected(std::move(*error));
    return fail(ErrorCode::kUnavailable, fmt::format("HTTP {} is no gRPC answer", response.status));
  }
  if (headers.count("grpc-status") == 0) {
    return fail(ErrorCode::kUnavailable, "the gRPC answer has no trailers");
  }
  GrpcReply reply;
  reply.date = headers.get("date");
  reply.code = parse_code(last_value(headers, "grpc-status"));
  reply.message = decode_grpc_message(last_value(headers, "grpc-message"));
  const std::string_view details = last_value(headers, "grpc-status-details-bin");
  if (details.size() <= kDetailsBytesMax * 4 / 3 + 4) {
    reply.details = from_base64(details).value_or("");
    if (reply.details.size() > kDetailsBytesMax) reply.details.clear();
  }
  if (reply.code != GrpcCode::kOk) return reply;
  const std::string encoding(last_value(headers, "grpc-encoding"));
  Result<std::string> message = unframe(std::move(response.body), encoding, bytes_max);
  if (!message) return forward(message);
  reply.body = std::move(*message);
  return reply;
}

}  // namespace vigia::net::internal
