#include "services/monitor/live/alerts.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "libs/base/rfc3339.hpp"
#include "libs/net/status.hpp"
#include "services/monitor/alerting/rules.hpp"
#include "services/monitor/json/json.hpp"
#include "services/monitor/limits.hpp"

namespace vigia::monitor {
namespace {

int severity_rank(std::string_view severity) {
  if (severity == "critical") return 0;
  return severity == "warning" ? 1 : 2;
}

ActiveAlert read_alert(const JsonValue& item) {
  ActiveAlert alert;
  std::vector<Label> labels;
  for (const auto& [name, value] : item["labels"].members()) {
    labels.push_back(Label{name, value.text().value_or("")});
  }
  alert.labels = Labels::from(std::move(labels));
  alert.id = item["fingerprint"].text().value_or("");
  alert.name = std::string(alert.labels.get("alertname"));
  alert.severity = std::string(alert.labels.get("severity"));
  alert.is_inhibited = !item["status"]["inhibitedBy"].items().empty();
  const bool is_quiet = item["status"]["state"].text() == "suppressed";
  alert.is_silenced = is_quiet && !alert.is_inhibited;
  auto customer = CustomerId::parse(alert.labels.get(kCustomerLabel));
  if (customer) alert.customer = std::move(*customer);
  alert.node_id = std::string(alert.labels.get("node_id"));
  alert.summary = item["annotations"]["summary"].text().value_or("");
  alert.summary_en = item["annotations"]["summary_en"].text().value_or("");
  alert.started_ms = parse_rfc3339(item["startsAt"].text().value_or("")).value_or(0);
  return alert;
}

}  // namespace

Result<std::vector<ActiveAlert>> read_alerts(std::string_view body) {
  auto answer = parse_json(body);
  if (!answer) {
    return fail(ErrorCode::kCorrupt,
                "Alertmanager's answer is not JSON: " + answer.error().message);
  }
  std::vector<ActiveAlert> alerts;
  for (const auto& item : answer->items()) alerts.push_back(read_alert(item));
  std::sort(alerts.begin(), alerts.end(), [](const ActiveAlert& a, const ActiveAlert& b) {
    return std::tuple(severity_rank(a.severity), -a.started_ms, a.id) <
           std::tuple(severity_rank(b.severity), -b.started_ms, b.id);
  });
  // Signals between our own parts, told to nobody: the first stands after every start of ours, the
  // second always.
  std::erase_if(alerts, [](const ActiveAlert& alert) {
    return (alert.name == kNodeAlertsHeld || alert.name == kWatchdog) && !alert.customer;
  });
  std::set<std::tuple<std::string, std::optional<CustomerId>, std::string>> seen;
  std::erase_if(alerts, [&](const ActiveAlert& alert) {
    return !alert.node_id.empty() &&
           !seen.emplace(alert.name, alert.customer, alert.node_id).second;
  });
  return alerts;
}

Result<std::vector<ActiveAlert>> fetch_alerts(net::Client& client, const std::string& url) {
  net::ClientRequest request;
  request.url = url + "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true";
  request.response_bytes_max = kAnswerBytesMax;
  request.timeout = kLiveTimeout;
  auto answer = client.fetch(std::move(request));
  if (!answer) {
    return tl::unexpected<Error>(with_context("Alertmanager", std::move(answer.error())));
  }
  if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
    return tl::unexpected<Error>(with_context("Alertmanager", std::move(*error)));
  }
  return read_alerts(answer->body);
}

}  // namespace vigia::monitor
