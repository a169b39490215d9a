#include "services/monitor/live/hot_queries.hpp"

#include <algorithm>

#include "libs/net/routes.hpp"
#include "libs/net/status.hpp"
#include "services/monitor/limits.hpp"

namespace vigia::monitor {

Result<std::vector<MatrixSeries>> HotQueries::range(std::string_view shard, std::string_view query,
                                                    const TimeGrid& grid) {
  const auto found = std::find_if(shards_.begin(), shards_.end(),
                                  [&](const auto& one) { return one.first == shard; });
  if (found == shards_.end()) {
    return fail(ErrorCode::kNotFound, "no hot store has the name " + std::string(shard));
  }
  const auto patience = std::chrono::duration_cast<std::chrono::seconds>(kCurveTimeout).count();
  net::ClientRequest request;
  request.method = "POST";
  request.url = found->second + "/api/v1/query_range";
  request.headers.add("content-type", "application/x-www-form-urlencoded");
  request.body = net::encode_form({{"query", std::string(query)},
                                   {"start", std::to_string(grid.start_s)},
                                   {"end", std::to_string(grid.end_s)},
                                   {"step", std::to_string(grid.step_s)},
                                   {"timeout", std::to_string(patience) + "s"}});
  request.response_bytes_max = kAnswerBytesMax;
  request.timeout = kCurveTimeout;
  auto answer = client_.fetch(std::move(request));
  if (!answer) {
    return tl::unexpected<Error>(with_context("hot store", std::move(answer.error())));
  }
  if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
    return tl::unexpected<Error>(with_context("hot store", std::move(*error)));
  }
  std::vector<std::string> warnings;
  return read_matrix(answer->body, warnings);
}

}  // namespace vigia::monitor
