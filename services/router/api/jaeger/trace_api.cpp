#include "services/router/api/jaeger/trace_api.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/json/writer.hpp"
#include "libs/net/status.hpp"
#include "services/router/plan/notes.hpp"
#include "services/router/upstream/store_health.hpp"

namespace vigia::router::api::jaeger {
namespace {

constexpr std::size_t kTraceIdDigits = 32;
constexpr std::chrono::seconds kTimeout{30};

}  // namespace

net::Response error_form(const Error& error, int status) {
  // Headers as every JSON answer has them: Retry-After, WWW-Authenticate.
  net::Response response = net::json_error(error);
  response.status = status;
  vigia::json::JsonWriter body;
  body.begin_object().key("data").null();
  for (const char* count : {"total", "limit", "offset"}) body.member(count, std::int64_t{0});
  body.key("errors").begin_array().begin_object().member("code", std::int64_t{status});
  body.member("msg", error.message).end_object().end_array().end_object();
  response.body = body.take();
  return response;
}

std::optional<std::string> normal_trace_id(std::string_view text) {
  if (text.empty() || text.size() > kTraceIdDigits) return std::nullopt;
  // Ids of 64 bits are the same with zeros in front (Jaeger), and that is how they are stored.
  std::string id(kTraceIdDigits - text.size(), '0');
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool is_hex = (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f');
    if (!is_hex) return std::nullopt;
    id += lower;
  }
  if (id.find_first_not_of('0') == std::string::npos) return std::nullopt;
  return id;
}

Error why_no_trace(const Result<net::ClientResponse>& answer,
                   const std::optional<coverage::ColdReplacement>& replaced) {
  if (!answer) {
    const Error& error = answer.error();
    if (error.code == ErrorCode::kOverLimit || error.code == ErrorCode::kForbidden) return error;
    return {ErrorCode::kUnavailable, "the long-term store does not answer"};
  }
  if (answer->status == 404) {
    return {ErrorCode::kNotFound,
            replaced ? "trace not found: " + replaced->text() : "trace not found"};
  }
  const std::string_view gaps = answer->headers.get(upstream::kIncompleteHeader);
  if (answer->status == 503 && !gaps.empty()) {
    return {ErrorCode::kUnavailable, "trace not found; " + plan::gaps_warning(gaps)};
  }
  return {ErrorCode::kUnavailable,
          fmt::format("the long-term store cannot say now (it answered {})", answer->status)};
}

std::optional<Error> late_by_own_time(const Result<net::ClientResponse>& answer,
                                      const request::Exchange& exchange) {
  if (answer || answer.error().code != ErrorCode::kDeadline) return std::nullopt;
  return exchange.over_time();
}

void TraceApi::trace(request::ApiRequest request, request::Exchange exchange) {
  const auto id = normal_trace_id(request.path_values.find("id")->second);
  if (!id) {
    return exchange.fail({ErrorCode::kInvalid, "a trace id has 1 to 32 hex digits, not all 0"});
  }
  if (stores_.cold() == nullptr) {
    return exchange.fail({ErrorCode::kNotFound, "there is no store for traces here"});
  }
  upstream::Ask ask{request.caller.customer,
                    "/jaeger/api/traces/" + *id,
                    {},
                    false,
                    request.caller.limits.at_most(kTimeout)};
  ask.answer_bytes_max = request.caller.limits.bytes;
  ask.interest = request.interest;
  stores_.cold()->fetch(std::move(ask), [this, exchange = std::move(exchange)](
                                            Result<net::ClientResponse> answer) mutable {
    if (!answer || answer->status != 200) {
      if (auto late = late_by_own_time(answer, exchange)) return exchange.fail(*late);
      return exchange.fail(why_no_trace(answer, stores_.cold_replacement()));
    }
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.body = std::move(answer->body);
    exchange.send(std::move(response));
  });
}

}  // namespace vigia::router::api::jaeger
