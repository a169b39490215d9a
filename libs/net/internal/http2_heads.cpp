#include "libs/net/internal/http2_heads.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/internal/response_head.hpp"

namespace vigia::net::internal {
namespace {

constexpr std::size_t kTimeoutDigitsMax = 8;
// More than a year means no deadline, and must not overflow.
constexpr std::int64_t kTimeoutHoursMax = 24L * 365;

}  // namespace

void add_field(RequestHead& head, std::string_view name, std::string_view value) {
  if (name == ":method") {
    head.method = value;
  } else if (name == ":path") {
    const std::size_t question = value.find('?');
    head.path = value.substr(0, question);
    if (question != std::string_view::npos) head.query = value.substr(question + 1);
  } else if (name == ":authority") {
    // RFC 9113 §8.3.1: :authority takes the place of Host, which handlers look for.
    head.headers.add("host", value);
  } else if (!name.starts_with(':')) {
    head.headers.add(name, value);
    if (name == "content-type" && value.starts_with("application/grpc") &&
        (value.size() == 16 || value[16] == '+' || value[16] == ';')) {
      head.transport = Transport::kGrpc;
    }
  }
}

std::optional<std::uint64_t> content_length(const Headers& headers) {
  const std::string_view text = headers.get("content-length");
  std::uint64_t value = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<Duration> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kTimeoutDigitsMax + 1) return std::nullopt;
  std::int64_t count = 0;
  const std::string_view digits = text.substr(0, text.size() - 1);
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (fault != std::errc() || end != digits.data() + digits.size() || count < 0) {
    return std::nullopt;
  }
  switch (text.back()) {
    case 'H':
      return std::chrono::hours(std::min(count, kTimeoutHoursMax));
    case 'M':
      return std::chrono::minutes(count);
    case 'S':
      return std::chrono::seconds(count);
    case 'm':
      return std::chrono::milliseconds(count);
    case 'u':
      return std::chrono::microseconds(count);
    case 'n':
      return std::chrono::nanoseconds(count);
    default:
      return std::nullopt;
  }
}

std::vector<Header> begin_grpc_answer(Response& response, bool is_exchange) {
  if (!is_exchange) response.stream = nullptr;
  response.shared_body = nullptr;
  std::vector<Header> headers = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"date", date_text()}};
  for (const Header& header : response.headers) {
    if (is_connection_header(header.name) || header.name == "content-type") continue;
    headers.push_back({header.name, clean_value(header.value)});
  }
  // "Trailers-Only" of the gRPC protocol: one HEADERS frame says all.
  if (effective_grpc_code(response) != GrpcCode::kOk) {
    append_grpc_trailers(headers, response);
    response.body = std::string();
    return headers;
  }
  headers.push_back({"grpc-accept-encoding", "identity,deflate,gzip,zstd"});
  if (!is_exchange) response.body.insert(0, grpc_prefix(response.body.size(), false));
  return headers;
}

std::vector<Header> begin_http_answer(Response& response, bool is_head_method) {
  std::vector<Header> headers = {{":status", std::to_string(response.status)},
                                 {"date", date_text()}};
  for (const Header& header : response.headers) {
    if (is_connection_header(header.name)) continue;
    headers.push_back({header.name, clean_value(header.value)});
  }
  const bool may_have = may_have_body(response.status);
  if (may_have && !response.stream) {
    headers.push_back({"content-length", std::to_string(response.content().size())});
  }
  if (!may_have || is_head_method) {
    response.body = std::string();
    response.shared_body = nullptr;
    response.stream = nullptr;
  }
  return headers;
}

}  // namespace vigia::net::internal
