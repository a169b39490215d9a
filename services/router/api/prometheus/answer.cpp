#include "services/router/api/prometheus/answer.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/json/writer.hpp"
#include "libs/net/status.hpp"
#include "services/router/plan/shown_text.hpp"
#include "services/router/spool/stored_stream.hpp"
#include "services/router/upstream/ask.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr int kClientClosedRequest = 499;
constexpr int kUnprocessable = 422;
constexpr std::size_t kNotesBytes = 256;  // as many as are usual

/// What to do about an error of Prometheus that only says that there is one.
std::string_view hint_for(std::string_view error) {
  if (error.find("too many samples") == std::string_view::npos) return {};
  return ": its series times its steps, or the samples of its ranges, are more than a store holds "
         "for one query; ask for fewer series, a shorter range or a longer step";
}

std::string error_body(std::string_view type, std::string_view message) {
  vigia::json::JsonWriter body;
  body.begin_object().member("status", "error").member("errorType", type).member("error", message);
  return body.end_object().take();
}

void append_list(std::string& body, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  body += fmt::format(",\"{}\":[", key);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) body += ',';
    body += json_text(texts[i]);
  }
  body += ']';
}

/// What stands behind the data.
void append_end(std::string& body, const plan::Notes& notes) {
  append_list(body, "warnings", notes.warnings);
  append_list(body, "infos", notes.infos);
  body += '}';
}

net::Response success_head(const plan::Notes& notes) {
  net::Response response;
  response.headers.add("content-type", "application/json");
  if (!notes.served.empty()) response.headers.add("x-vigia-served", notes.served);
  return response;
}

net::Response stored_success(const wire::prometheus_api::Envelope& answer,
                             const plan::Notes& notes) {
  net::Response response = success_head(notes);
  spool::BodyParts body{begin_success(), answer.stored(), answer.stored_data(), {}};
  if (body.ranges.empty()) body.head += "null";
  append_end(body.tail, notes);
  spool::send_stored(response, std::move(body));
  return response;
}

}  // namespace

net::Response error_form(const Error& error, int status) {
  net::Response response = net::prometheus_error(error);
  response.status = status;
  // Those whose words no error of ours has. Of its own limits Prometheus says "execution", too.
  if (status == kClientClosedRequest) response.body = error_body("canceled", error.message);
  if (status == kUnprocessable) response.body = error_body("execution", error.message);
  return response;
}

net::Response error_response(const Error& error) { return net::prometheus_error(error); }

std::string begin_success() { return std::string(wire::prometheus_api::Envelope::kPlainStart); }

net::Response success(std::string_view data, const plan::Notes& notes) {
  std::string body = begin_success();
  body.reserve(body.size() + data.size() + kNotesBytes);
  body += data;
  return end_success(std::move(body), notes);
}

net::Response success(wire::prometheus_api::Envelope answer, const plan::Notes& notes) {
  if (answer.is_stored()) return stored_success(answer, notes);
  if (auto body = std::move(answer).take_plain()) return end_success(std::move(*body), notes);
  return success(answer.data(), notes);
}

net::Response end_success(std::string body, const plan::Notes& notes) {
  net::Response response = success_head(notes);
  response.body = std::move(body);
  append_end(response.body, notes);
  return response;
}

// 422 where the query is right and could not be evaluated, 400 where it is wrong: clients show
// both, and only the first is worth another try with less.
net::Response refusal(const wire::prometheus_api::Envelope& envelope) {
  const bool is_execution = envelope.error_type() == "execution";
  net::Response response;
  response.status = is_execution ? 422 : 400;
  response.headers.add("content-type", "application/json");
  const std::string_view message = plan::may_show_address(envelope.error())
                                       ? std::string_view("the query could not be evaluated")
                                       : std::string_view(envelope.error());
  response.body = error_body(is_execution ? "execution" : "bad_data",
                             fmt::format("{}{}", message, hint_for(message)));
  return response;
}

net::Response passed_on(Result<wire::prometheus_api::Envelope> answer) {
  if (!answer) return error_response(upstream::outward(std::move(answer.error())));
  if (!answer->is_success()) return refusal(*answer);
  plan::Notes notes;
  plan::finish_notes(*answer, notes);
  return success(std::move(*answer), notes);
}

}  // namespace vigia::router::api::prometheus
