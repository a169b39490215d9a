#include "services/storage/api/read_api.hpp"

#include "libs/net/status.hpp"
#include "libs/wire/remote_read/read_response.hpp"
#include "services/storage/api/fence_header.hpp"

namespace vigia::storage {
namespace {

net::Response error_response(const Error& error) {
  net::Response response;
  response.status = net::http_status(error.code);
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = error.message + "\n";
  return response;
}

}  // namespace

std::string ReadApi::customer_of(const net::Request& request) {
  const std::string_view header = request.headers.get(kCustomerHeader);
  if (!header.empty()) return std::string(header);
  const auto parsed = wire::remote_read::parse_read_request(request.body);
  if (!parsed || parsed->queries.empty()) return {};
  for (const auto& matcher : parsed->queries.front().matchers) {
    const bool is_equality = matcher.type == wire::remote_read::MatchType::kEqual;
    if (is_equality && matcher.name == kCustomerLabel) return matcher.value;
  }
  return {};
}

net::Response ReadApi::handle(const net::Request& request) const {
  const auto fence = read_fence(request.headers);
  if (!fence) return error_response(fence.error());
  const auto query = wire::remote_read::parse_read_request(request.body);
  if (!query) return error_response(query.error());
  auto answer = remote_read_.answer(customer_of(request), *fence, *query);
  if (!answer) return error_response(answer.error());
  net::Response response;
  if (answer->is_chunks) {
    response.headers.add("content-type", wire::remote_read::kChunksContentType);
  } else {
    response.headers.add("content-type", wire::remote_read::kSamplesContentType);
    response.headers.add("content-encoding", "snappy");
  }
  response.body = std::move(answer->body);
  return response;
}

}  // namespace vigia::storage
