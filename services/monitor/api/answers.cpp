#include "services/monitor/api/answers.hpp"

#include <chrono>

#include "libs/json/writer.hpp"
#include "libs/net/status.hpp"
#include "libs/service/log.hpp"

namespace vigia::monitor::api {
namespace {

// Everything comes from this server; charts and component styles are set through the DOM, so no
// inline style is needed either.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

}  // namespace

Refusal::Refusal(const Error& error)
    : status(net::http_status(error.code)),
      code(to_string(error.code)),
      message(error.message),
      retry_after(error.retry_after) {
  // Faults of ours are told to the provider's log alone: their words hold paths, SQL and addresses,
  // which are nobody else's business.
  if (error.code == ErrorCode::kInternal || error.code == ErrorCode::kCorrupt) {
    service::log_error("request failed", {{"error", error.message}});
    code = "internal";
    message = "a fault of this server; its log says more";
  }
}

tl::unexpected<Refusal> not_found() {
  return tl::unexpected<Refusal>(Refusal(404, "not_found", "no such thing"));
}

tl::unexpected<Refusal> conflict(std::string message) {
  return tl::unexpected<Refusal>(Refusal(409, "conflict", std::move(message)));
}

tl::unexpected<Refusal> invalid(std::string message) {
  return tl::unexpected<Refusal>(Refusal(400, "invalid", std::move(message)));
}

tl::unexpected<Refusal> forbidden(std::string message) {
  return tl::unexpected<Refusal>(Refusal(403, "forbidden", std::move(message)));
}

net::Response json_answer(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.add("content-type", "application/json");
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

net::Response no_content() {
  net::Response response;
  response.status = 204;
  response.headers.add("cache-control", "no-store");
  return response;
}

net::Response to_response(const Refusal& refusal) {
  json::JsonWriter writer;
  writer.begin_object().member("error", refusal.code).member("message", refusal.message);
  writer.end_object();
  auto response = json_answer(refusal.status, writer.take());
  if (refusal.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*refusal.retry_after).count();
    response.headers.add("retry-after", std::to_string(seconds));
  }
  return response;
}

void add_security_headers(net::Response& response, bool is_secure) {
  response.headers.add("content-security-policy", kContentSecurityPolicy);
  response.headers.add("x-content-type-options", "nosniff");
  response.headers.add("x-frame-options", "DENY");
  response.headers.add("referrer-policy", "no-referrer");
  response.headers.add("cross-origin-opener-policy", "same-origin");
  response.headers.add("cross-origin-resource-policy", "same-origin");
  if (is_secure) response.headers.add("strict-transport-security", "max-age=31536000");
}

}  // namespace vigia::monitor::api
