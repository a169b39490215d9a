#include "services/router/api/prometheus/read_api.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "services/router/plan/remote_read.hpp"
#include "services/router/plan/shown_text.hpp"
#include "services/router/upstream/store_health.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr std::size_t kWordsBytesMax = 4096;
constexpr std::chrono::seconds kRetryAfter{5};

/// Storage tells it in a line of text; what is no fault of the question's is its absence.
Error why_refused(const net::ClientResponse& answer) {
  ErrorCode code = ErrorCode::kInvalid;
  switch (answer.status) {
    case 400:
    case 422:
      break;
    case 413:
      code = ErrorCode::kTooLarge;
      break;
    case 429:
      code = ErrorCode::kOverLimit;
      break;
    default:
      return {ErrorCode::kUnavailable,
              fmt::format("the long-term store cannot say now (it answered {})", answer.status),
              kRetryAfter};
  }
  std::string words = answer.body.substr(0, kWordsBytesMax);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  if (words.empty() || plan::may_show_address(words)) words = "the long-term store refuses this";
  return {code, std::move(words)};
}

net::Response response_of(net::ClientResponse answer) {
  net::Response response;
  for (const std::string_view name :
       {std::string_view("content-type"), std::string_view("content-encoding"),
        upstream::kIncompleteHeader}) {
    if (answer.headers.count(name) > 0) response.headers.add(name, answer.headers.get(name));
  }
  response.body = std::move(answer.body);
  return response;
}

}  // namespace

void ReadApi::read(request::ApiRequest request, request::Exchange exchange) {
  auto message = plan::fenced_read(request.caller, request.message);
  if (!message) return exchange.fail(message.error());
  if (stores_.cold() == nullptr) {
    return exchange.fail({ErrorCode::kUnavailable, "there is no long-term store here"});
  }
  upstream::Ask ask(request.caller.customer, "/api/v1/read");
  ask.message = std::move(*message);
  ask.timeout = request.caller.limits.at_most(stores_.settings().query_timeout);
  ask.answer_bytes_max = request.caller.limits.bytes;
  ask.interest = request.interest;
  // Nobody knows how much it is before it is there.
  ask.lane = upstream::Lane::kHeavy;
  stores_.cold()->fetch(
      std::move(ask), [exchange = std::move(exchange)](Result<net::ClientResponse> answer) mutable {
        if (!answer) return exchange.fail(upstream::outward(std::move(answer.error())));
        if (answer->status != 200) return exchange.fail(why_refused(*answer));
        exchange.send(response_of(std::move(*answer)));
      });
}

}  // namespace vigia::router::api::prometheus
