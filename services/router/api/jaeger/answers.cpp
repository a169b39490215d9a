#include "services/router/api/jaeger/answers.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/json/strict_reader.hpp"
#include "libs/json/writer.hpp"

namespace vigia::router::api::jaeger {
namespace {

constexpr std::size_t kErrorBytesMax = 64U << 10U;
constexpr std::chrono::seconds kRetryAfter{5};

Error silent() {
  return {ErrorCode::kUnavailable, "the long-term store does not answer", kRetryAfter};
}

Error strange() {
  return {ErrorCode::kUnavailable, "the long-term store does not answer as it should", kRetryAfter};
}

/// Whose words are our own they are passed on; the client's name addresses.
Error why_no_answer(const Error& error) {
  switch (error.code) {
    case ErrorCode::kForbidden:
    case ErrorCode::kOverLimit:
      return error;
    case ErrorCode::kTooLarge:
      return {error.code, "the answer is too large; ask for fewer traces, or a shorter time"};
    case ErrorCode::kDeadline:
      return {error.code, "the search took too long; ask for a shorter time"};
    default:
      return silent();
  }
}

Error why_refused(const net::ClientResponse& answer) {
  Error error{ErrorCode::kUnavailable,
              fmt::format("the long-term store cannot say now (it answered {})", answer.status),
              kRetryAfter};
  switch (answer.status) {
    case 400:
      error = {ErrorCode::kInvalid, "the long-term store does not take this"};
      break;
    case 413:
      error = {ErrorCode::kTooLarge, "the answer is too large"};
      break;
    case 429:
      error = {ErrorCode::kOverLimit, "too much is asked of the long-term store at once"};
      break;
    case 504:
      error = {ErrorCode::kDeadline, "the search took too long; ask for a shorter time"};
      break;
    default:
      return error;
  }
  if (answer.body.size() > kErrorBytesMax) return error;
  const auto body = json::parse_json(answer.body);
  if (!body) return error;
  if (auto message = (*body)["message"].text()) error.message = std::move(*message);
  return error;
}

void append_remarks(std::string& body, const Told& told) {
  char before = '[';
  for (const Remark& one : told) {
    body += std::exchange(before, ',');
    body += R"({"msg":)";
    append_json_text(body, one.text);
    if (!one.trace_id.empty()) {
      body += R"(,"traceID":)";
      append_json_text(body, one.trace_id);
    }
    body += '}';
  }
  body += ']';
}

/// A list, else kUnavailable.
Result<json::JsonValue> read_list(std::string_view data) {
  auto list = json::parse_json(data);
  if (!list || !list->is_array()) return tl::unexpected<Error>(strange());
  return list;
}

}  // namespace

net::Response list_answer(std::string_view data, std::size_t total, const Told& told) {
  constexpr std::size_t kEnds = 256;
  std::size_t bytes = data.size() + kEnds;
  for (const Remark& one : told) bytes += json_text_bytes(one.text) + kEnds;
  net::Response response;
  response.headers.add("content-type", "application/json");
  std::string& body = response.body;
  body.reserve(bytes);
  body += R"({"data":)";
  body += data;
  body += fmt::format(R"(,"total":{},"limit":0,"offset":0,"errors":)", total);
  if (told.empty()) {
    body += "null";
  } else {
    append_remarks(body, told);
  }
  body += '}';
  return response;
}

Result<wire::prometheus_api::Envelope> read_cold(Result<net::ClientResponse> answer) {
  if (!answer) return tl::unexpected<Error>(why_no_answer(answer.error()));
  if (answer->status != 200) return tl::unexpected<Error>(why_refused(*answer));
  auto envelope = wire::prometheus_api::Envelope::read(std::move(answer->body));
  if (!envelope || !envelope->is_success()) return tl::unexpected<Error>(strange());
  return envelope;
}

Result<net::Response> show_services(std::string_view data, const Told& told) {
  const auto list = read_list(data);
  if (!list) return forward(list);
  return list_answer(data, list->items().size(), told);
}

Result<net::Response> show_operations(std::string_view data, const Told& told) {
  const auto list = read_list(data);
  if (!list) return forward(list);
  json::JsonWriter shown;
  shown.begin_array();
  for (const json::JsonValue& one : list->items()) {
    shown.begin_object().member("name", one["name"].text().value_or(""));
    shown.member("spanKind", one["span_kind"].text().value_or("")).end_object();
  }
  shown.end_array();
  return list_answer(shown.text(), list->items().size(), told);
}

Result<net::Response> show_operation_names(std::string_view data, const Told& told) {
  const auto list = read_list(data);
  if (!list) return forward(list);
  json::JsonWriter shown;
  shown.begin_array();
  std::size_t total = 0;
  std::string last;
  for (const json::JsonValue& one : list->items()) {
    std::string name = one["name"].text().value_or("");
    // They come in order, one of several kinds beside itself.
    if (total > 0 && name == last) continue;
    shown.string(name);
    ++total;
    last = std::move(name);
  }
  shown.end_array();
  return list_answer(shown.text(), total, told);
}

Result<net::Response> show_as_it_is(std::string_view data, const Told& told) {
  if (!data.starts_with('[')) return tl::unexpected<Error>(strange());
  return list_answer(data, 0, told);
}

}  // namespace vigia::router::api::jaeger
