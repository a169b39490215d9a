#include "services/monitor/live/router_queries.hpp"

#include "libs/net/form.hpp"
#include "libs/net/status.hpp"
#include "services/monitor/live/limits.hpp"

namespace vigia::monitor::live {
namespace {

// The store stops working on what nobody waits for any more.
std::pair<std::string, std::string> timeout_of(Duration patience) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
  return {"timeout", std::to_string(seconds) + "s"};
}

}  // namespace

Result<net::ClientResponse> RouterQueries::post(std::string_view path, std::string form,
                                                const std::optional<CustomerId>& customer,
                                                Bounds bounds) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = url_ + std::string(path);
  request.headers.add("authorization", "Bearer " + token_);
  request.headers.add("content-type", "application/x-www-form-urlencoded");
  // A header and not a matcher in the text: the router builds the fence, so that a mistake in a
  // query of ours cannot show one customer another's data.
  if (customer) request.headers.add("x-vigia-customer", customer->text());
  request.body = std::move(form);
  request.response_bytes_max = bounds.bytes_max;
  request.timeout = bounds.timeout;
  auto answer = client_.fetch(std::move(request));
  if (!answer) {
    return tl::unexpected<Error>(with_context("router", std::move(answer.error())));
  }
  if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
    return tl::unexpected<Error>(with_context("router", std::move(*error)));
  }
  return answer;
}

Result<std::vector<VectorSample>> RouterQueries::instant(std::string_view query) {
  auto answer = post("/api/v1/query",
                     net::encode_form({{"query", std::string(query)}, timeout_of(kLiveTimeout)}),
                     std::nullopt, {kLiveTimeout, kLiveAnswerBytesMax});
  if (!answer) return forward(answer);
  return read_vector(std::move(answer->body));
}

// One customer's answer is bounded like a curve, not like the look at all: a single one must not
// take the memory that is meant for everybody.
Result<InstantAnswer> RouterQueries::instant_of(const CustomerId& customer, std::string_view query,
                                                std::int64_t time_s) {
  auto answer = post("/api/v1/query",
                     net::encode_form({{"query", std::string(query)},
                                       {"time", std::to_string(time_s)},
                                       timeout_of(kLiveTimeout)}),
                     customer, {kLiveTimeout, kCurveAnswerBytesMax});
  if (!answer) return forward(answer);
  InstantAnswer out;
  out.served = std::string(answer->headers.get("x-vigia-served"));
  auto samples = read_vector(std::move(answer->body), out.warnings);
  if (!samples) return forward(samples);
  out.samples = std::move(*samples);
  return out;
}

Result<RangeAnswer> RouterQueries::range(const CustomerId& customer, std::string_view query,
                                         const TimeGrid& grid) {
  return ask_range(customer, query, grid);
}

Result<RangeAnswer> RouterQueries::range_of_all(std::string_view query, const TimeGrid& grid) {
  return ask_range(std::nullopt, query, grid);
}

Result<RangeAnswer> RouterQueries::ask_range(const std::optional<CustomerId>& customer,
                                             std::string_view query, const TimeGrid& grid) {
  auto answer = post("/api/v1/query_range",
                     net::encode_form({{"query", std::string(query)},
                                       {"start", std::to_string(grid.start_s)},
                                       {"end", std::to_string(grid.end_s)},
                                       {"step", std::to_string(grid.step_s)},
                                       timeout_of(kCurveTimeout)}),
                     customer, {kCurveTimeout, kCurveAnswerBytesMax});
  if (!answer) return forward(answer);
  RangeAnswer out;
  out.served = std::string(answer->headers.get("x-vigia-served"));
  auto series = read_matrix(std::move(answer->body), out.warnings);
  if (!series) return forward(series);
  out.series = std::move(*series);
  return out;
}

}  // namespace vigia::monitor::live
