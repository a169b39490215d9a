#include "libs/net/internal/grpc_trailers.hpp"

#include "libs/base/base64.hpp"
#include "libs/net/internal/response_head.hpp"

namespace vigia::net::internal {

namespace {
// R-OTLP-4: a long text must not make the trailers larger than what clients take (8 KiB).
constexpr std::size_t kMessageBytesMax = 2048;
constexpr std::size_t kDetailsBytesMax = 4096;
}  // namespace

std::string grpc_prefix(std::size_t message_bytes, bool is_compressed) {
  std::string prefix(5, '\0');
  prefix[0] = is_compressed ? '\1' : '\0';
  for (std::size_t i = 0; i < 4; ++i) {
    prefix[4 - i] = static_cast<char>(message_bytes >> (8 * i) & 0xffU);
  }
  return prefix;
}

// Handlers answer in the words of HTTP; over gRPC nobody sees that status, so the code has to say
// the same to whoever decides by it whether to send again.
GrpcCode effective_grpc_code(const Response& response) {
  if (response.grpc_code != GrpcCode::kOk || response.status < 400) return response.grpc_code;
  switch (response.status) {
    case 400:
      return GrpcCode::kInvalidArgument;
    case 401:
      return GrpcCode::kUnauthenticated;
    case 403:
      return GrpcCode::kPermissionDenied;
    case 404:
    case 405:
    case 415:
      return GrpcCode::kUnimplemented;
    case 413:
    case 431:
      return GrpcCode::kResourceExhausted;
    case 429:
    case 502:
    case 503:
      return GrpcCode::kUnavailable;
    case 504:
      return GrpcCode::kDeadlineExceeded;
    default:
      return GrpcCode::kUnknown;
  }
}

void append_grpc_trailers(std::vector<Header>& headers, const Response& response) {
  const auto code = static_cast<int>(effective_grpc_code(response));
  headers.push_back({"grpc-status", std::to_string(code)});
  if (!response.grpc_message.empty()) {
    const std::string_view cut =
        std::string_view(response.grpc_message).substr(0, kMessageBytesMax);
    headers.push_back({"grpc-message", encode_grpc_message(cut)});
  }
  if (!response.grpc_details.empty() && response.grpc_details.size() <= kDetailsBytesMax) {
    headers.push_back({"grpc-status-details-bin", to_base64_unpadded(response.grpc_details)});
  }
}

}  // namespace vigia::net::internal
