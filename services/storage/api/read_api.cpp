#include "services/storage/api/read_api.hpp"

#include <memory>
#include <utility>

#include "libs/net/status.hpp"
#include "libs/wire/remote_read/read_response.hpp"
#include "services/storage/api/fence_header.hpp"

namespace vigia::storage::api {
namespace {

net::Response error_response(const Error& error) {
  net::Response response;
  response.status = net::http_status(error.code);
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = error.message + "\n";
  return response;
}

// Each piece's memory is given back when the next one is asked for: then the client has room.
net::BodySource sender_of(read::ReadAnswer answer) {
  struct State {
    read::ReadAnswer answer;
    std::size_t sent = 0;
  };
  // Shared because std::function copies; there is one owner at a time.
  const auto state = std::make_shared<State>(State{std::move(answer)});
  return [state]() -> Result<std::string> {
    state->answer.memory->release(std::exchange(state->sent, 0));
    if (state->answer.pieces.empty()) return std::string();
    std::string piece = std::move(state->answer.pieces.front());
    state->answer.pieces.pop_front();
    state->sent = piece.size();
    return piece;
  };
}

}  // namespace

std::string ReadApi::customer_of(const net::Request& request) {
  const std::string_view header = request.headers.get(kCustomerHeader);
  if (!header.empty()) return std::string(header);
  // Prometheus sends no header of ours; its fence is a matcher. This is only whose lane it waits
  // in: what may be read is decided by the fence.
  const auto parsed = wire::remote_read::parse_read_request(request.body);
  if (!parsed || parsed->queries.empty()) return {};
  for (const auto& matcher : parsed->queries.front().matchers) {
    const bool is_equality = matcher.type == MatchType::kEqual;
    if (is_equality && matcher.name == kCustomerLabel) return matcher.value;
  }
  return {};
}

net::Response ReadApi::handle(const net::Request& request, const store::WorkLimit& limit) const {
  const auto fence = read_fence(request.headers);
  if (!fence) return error_response(fence.error());
  const auto query = wire::remote_read::parse_read_request(request.body);
  if (!query) return error_response(query.error());
  auto answer = remote_read_.answer(customer_of(request), *fence, *query, limit);
  if (!answer) return error_response(answer.error());
  net::Response response;
  if (answer->is_chunks) {
    response.headers.add("content-type", wire::remote_read::kChunksContentType);
  } else {
    response.headers.add("content-type", wire::remote_read::kSamplesContentType);
    response.headers.add("content-encoding", "snappy");
  }
  response.stream = sender_of(std::move(*answer));
  return response;
}

}  // namespace vigia::storage::api
