#include "services/monitor/alerting/posted_alerts.hpp"

#include <algorithm>

#include "libs/base/rfc3339.hpp"
#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/json/writer.hpp"
#include "libs/net/form.hpp"
#include "libs/net/status.hpp"
#include "services/monitor/alerting/limits.hpp"

namespace vigia::monitor::alerting {
namespace {

// As Go writes a time that is not set.
std::string time_text(std::int64_t time_ms) {
  constexpr std::string_view kNever = "0001-01-01T00:00:00Z";
  return time_ms == 0 ? std::string(kNever) : format_rfc3339(time_ms).value_or("");
}

PostedAlert::Texts read_texts(const json::JsonValue& object) {
  PostedAlert::Texts texts;
  for (const auto& [name, value] : object.members()) {
    texts.emplace_back(name, value.text().value_or(""));
  }
  return texts;
}

void write_texts(std::string_view key, const PostedAlert::Texts& texts, json::JsonWriter& writer) {
  writer.key(key).begin_object();
  for (const auto& [name, value] : texts) writer.member(name, value);
  writer.end_object();
}

void write_body(const PostedAlert& alert, json::JsonWriter& writer) {
  write_texts("labels", alert.labels, writer);
  write_texts("annotations", alert.annotations, writer);
  writer.member("startsAt", time_text(alert.starts_ms)).member("endsAt", time_text(alert.ends_ms));
  if (!alert.generator_url.empty()) writer.member("generatorURL", alert.generator_url);
}

Result<net::ClientResponse> exchange(net::Client& client, net::ClientRequest request,
                                     std::string_view whom) {
  auto answer = client.fetch(std::move(request));
  if (!answer) return tl::unexpected<Error>(with_context(whom, std::move(answer.error())));
  if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
    return tl::unexpected<Error>(with_context(whom, std::move(*error)));
  }
  return answer;
}

Result<void> post_json(net::Client& client, const std::string& url, std::string body,
                       std::string_view whom) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.headers.add("content-type", "application/json");
  request.body = std::move(body);
  request.timeout = kAlertmanagerTimeout;
  auto answer = exchange(client, std::move(request), whom);
  if (!answer) return forward(answer);
  return {};
}

}  // namespace

std::string_view PostedAlert::label(std::string_view name) const {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

Result<std::vector<PostedAlert>> list_posted(net::Client& client, const std::string& url,
                                             const std::string& names) {
  net::ClientRequest request;
  request.url = url + "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true";
  // The filter is Alertmanager's work: with 10,000 alerts of customers active, our own three are
  // found without reading the rest. An alert with a customer is never ours, whatever it is called.
  if (!names.empty()) {
    request.url += "&filter=" + net::percent_encode("alertname=~\"" + names + "\"") +
                   "&filter=" + net::percent_encode("customer_id=\"\"");
  }
  request.response_bytes_max = kAnswerBytesMax;
  request.timeout = kAlertmanagerTimeout;
  auto answer = exchange(client, std::move(request), "Alertmanager");
  if (!answer) return forward(answer);
  auto body = json::parse_json(answer->body);
  if (!body) return fail(ErrorCode::kCorrupt, "Alertmanager's answer is not JSON");
  std::vector<PostedAlert> alerts;
  for (const auto& item : body->items()) {
    alerts.push_back(PostedAlert{read_texts(item["labels"]), read_texts(item["annotations"]),
                                 item["generatorURL"].text().value_or(""),
                                 parse_rfc3339(item["startsAt"].text().value_or("")).value_or(0),
                                 parse_rfc3339(item["endsAt"].text().value_or("")).value_or(0),
                                 item["updatedAt"].text().value_or("")});
  }
  return alerts;
}

Result<void> post_alerts(net::Client& client, const std::string& url,
                         const std::vector<PostedAlert>& alerts) {
  // In pieces: Alertmanager reads a body as a whole, and one that is too large would be refused
  // with all that is in it, so that alerts would end which should be kept alive.
  for (std::size_t begin = 0; begin < alerts.size(); begin += kAlertsPostedAtOnce) {
    const auto end = std::min(begin + kAlertsPostedAtOnce, alerts.size());
    json::JsonWriter writer;
    writer.begin_array();
    for (auto i = begin; i < end; ++i) {
      writer.begin_object();
      write_body(alerts[i], writer);
      writer.end_object();
    }
    writer.end_array();
    auto posted = post_json(client, url + "/api/v2/alerts", writer.take(), "Alertmanager");
    if (!posted) return posted;
  }
  return {};
}

Result<void> send_to_webhook(net::Client& client, const std::string& url, const PostedAlert& alert,
                             bool is_firing) {
  // In the form of Alertmanager's own webhook messages: while it is away the receiver is the same
  // program, which must not need a second reader for the one message that matters most.
  const std::string_view status = is_firing ? "firing" : "resolved";
  json::JsonWriter writer;
  writer.begin_object()
      .member("version", "4")
      .member("groupKey", "vigia-monitor:" + std::string(alert.label("alertname")))
      .member("truncatedAlerts", std::int64_t{0})
      .member("status", status)
      .member("receiver", "provider");
  write_texts("groupLabels", {{"alertname", std::string(alert.label("alertname"))}}, writer);
  write_texts("commonLabels", alert.labels, writer);
  write_texts("commonAnnotations", alert.annotations, writer);
  writer.member("externalURL", "").key("alerts").begin_array().begin_object();
  writer.member("status", status).member("fingerprint", "");
  write_body(alert, writer);
  writer.end_object().end_array().end_object();
  return post_json(client, url, writer.take(), "the provider's webhook");
}

}  // namespace vigia::monitor::alerting
