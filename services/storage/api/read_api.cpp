#include "services/storage/api/read_api.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "libs/net/status.hpp"
#include "libs/wire/remote_read/read_response.hpp"
#include "services/storage/api/answer_gaps.hpp"
#include "services/storage/api/fence_header.hpp"

namespace vigia::storage::api {
namespace {

// A lane that is no customer's, for requests that name several.
constexpr std::string_view kSeveral = "?";
constexpr int kUnprocessable = 422;

// The path is there: what is missing is what was asked for by it.
net::Response error_response(const Error& error) {
  net::Response response;
  const bool is_missing = error.code == ErrorCode::kNotFound;
  response.status = is_missing ? kUnprocessable : net::http_status(error.code);
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = error.message + "\n";
  return response;
}

net::Response samples_response(read::SamplesAnswer answer) {
  net::Response response;
  response.headers.add("content-type", wire::remote_read::kSamplesContentType);
  response.headers.add("content-encoding", "snappy");
  response.body = std::move(answer.body);
  response.held = std::move(answer.memory);
  if (answer.lacks_some) mark_incomplete(response, kLacksPeers);
  return response;
}

}  // namespace

std::string ReadApi::customer_of(const net::Request& request) {
  const std::string_view header = request.headers.get(kCustomerHeader);
  if (!header.empty()) return std::string(header);
  // Prometheus sends no header of ours; its fence is a matcher. This is only whose lane it waits
  // in: what may be read is decided by the fence.
  const auto parsed = wire::remote_read::parse_read_request(request.body);
  if (!parsed || parsed->queries.empty()) return {};
  std::optional<std::string> customer;
  for (const wire::remote_read::Query& query : parsed->queries) {
    for (const Matcher& matcher : query.matchers) {
      if (matcher.type != MatchType::kEqual || matcher.name != kCustomerLabel) continue;
      // Of two, one is what a customer wrote, and he shall not use another's turn by it.
      if (customer && *customer != matcher.value) return std::string(kSeveral);
      customer = matcher.value;
    }
  }
  return customer.value_or("");
}

net::Response ReadApi::handle(const net::Request& request, const ReadWork& work) const {
  const auto fence = read_fence(request.headers);
  if (!fence) return error_response(fence.error());
  const auto query = wire::remote_read::parse_read_request(request.body);
  if (!query) return error_response(query.error());
  const std::string customer = customer_of(request);
  if (query->response_type == wire::remote_read::ResponseType::kSamples) {
    auto answer = remote_read_.samples(customer, *fence, *query, *work.limit);
    return answer ? samples_response(std::move(*answer)) : error_response(answer.error());
  }
  auto pieces = remote_read_.chunks(customer, *fence, *query, work.limit);
  if (!pieces) return error_response(pieces.error());
  const auto readers = (*pieces)->readers();
  const auto stream = std::make_shared<AnswerStream>(std::move(*pieces), work.gone, work.go_on);
  if (auto begun = stream->begin(); !begun) return error_response(begun.error());
  net::Response response;
  response.headers.add("content-type", wire::remote_read::kChunksContentType);
  // By the first pieces; whoever is missing later breaks the answer off.
  if (readers->look().settle()) mark_incomplete(response, kLacksPeers);
  stream->send_by(response);
  return response;
}

}  // namespace vigia::storage::api
