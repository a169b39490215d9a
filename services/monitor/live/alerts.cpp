#include "services/monitor/live/alerts.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "libs/base/rfc3339.hpp"
#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/net/form.hpp"
#include "libs/net/status.hpp"
#include "services/monitor/alerting/rules.hpp"
#include "services/monitor/live/limits.hpp"

namespace vigia::monitor::live {
namespace {

int severity_rank(std::string_view severity) {
  if (severity == "critical") return 0;
  return severity == "warning" ? 1 : 2;
}

ActiveAlert read_alert(const json::JsonValue& item) {
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

constexpr std::string_view kSpace = " \t\r\n";

// By its braces, not by the JSON reader: of an answer that was cut off at its bound the last object
// is a torn one, and what stands before it is good and worth showing.
/// Takes one whole object off the beginning of `text`; "" where it is cut off in it.
std::string_view take_object(std::string_view& text) {
  std::size_t depth = 0;
  bool is_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (is_string) {
      if (letter == '\\') {
        ++i;
      } else if (letter == '"') {
        is_string = false;
      }
    } else if (letter == '"') {
      is_string = true;
    } else if (letter == '{') {
      ++depth;
    } else if (letter == '}' && --depth == 0) {
      const auto object = text.substr(0, i + 1);
      text.remove_prefix(i + 1);
      return object;
    }
  }
  return {};
}

tl::unexpected<Error> not_json(const std::string& why) {
  return fail(ErrorCode::kCorrupt, "Alertmanager's answer is not JSON: " + why);
}

/// The objects of an array, each for itself.
Result<std::vector<ActiveAlert>> read_items(std::string_view text, bool is_cut) {
  std::vector<ActiveAlert> alerts;
  const auto skip = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  };
  skip();
  if (!text.starts_with('[')) return not_json("it is no list");
  for (char before = '['; before == '[' || before == ',';) {
    text.remove_prefix(1);
    skip();
    if (before == '[' && text.starts_with(']')) return alerts;
    const auto object = text.starts_with('{') ? take_object(text) : std::string_view();
    if (object.empty()) {
      if (is_cut) return alerts;
      return not_json("an alert of it is not whole");
    }
    auto item = json::parse_json(object);
    if (!item) return not_json(item.error().message);
    alerts.push_back(read_alert(*item));
    skip();
    before = text.empty() ? '\0' : text.front();
  }
  if (!is_cut && !text.starts_with(']')) return not_json("its end is missing");
  return alerts;
}

// Ids are words of letters, digits, dots and dashes (libs/model/ids.hpp).
std::string filter_of(const AlertsAsked& asked) {
  if (asked.customers.empty()) return "customer_id=\"\"";
  std::string names;
  for (const auto& customer : asked.customers) {
    names += (names.empty() ? "" : "|") + customer.text();
  }
  return "customer_id=~\"" + names + "\"";
}

}  // namespace

bool comes_first(const ActiveAlert& a, const ActiveAlert& b) {
  const auto key = [](const ActiveAlert& alert) {
    return std::tuple<int, std::int64_t, const std::string&>(severity_rank(alert.severity),
                                                             -alert.started_ms, alert.id);
  };
  return key(a) < key(b);
}

Result<std::vector<ActiveAlert>> read_alerts(std::string_view body, bool is_cut) {
  auto read = read_items(body, is_cut);
  if (!read) return read;
  std::vector<ActiveAlert> alerts = std::move(*read);
  std::sort(alerts.begin(), alerts.end(), comes_first);
  // Signals between our own parts, told to nobody: the first stands after every start of ours, the
  // second always.
  std::erase_if(alerts, [](const ActiveAlert& alert) {
    return (alert.name == alerting::kNodeAlertsHeld || alert.name == alerting::kWatchdog) &&
           !alert.customer;
  });
  std::set<std::tuple<std::string, std::optional<CustomerId>, std::string>> seen;
  std::erase_if(alerts, [&](const ActiveAlert& alert) {
    return !alert.node_id.empty() &&
           !seen.emplace(alert.name, alert.customer, alert.node_id).second;
  });
  return alerts;
}

Result<AlertsAnswer> fetch_alerts(net::Client& client, const std::string& url,
                                  const AlertsAsked& asked) {
  net::ClientRequest request;
  request.url = url +
                "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true&filter=" +
                net::percent_encode(filter_of(asked));
  request.response_bytes_max = asked.answer_bytes_max;
  // Of one customer a part is better than nothing. Of a group it would be unknown whose are
  // missing: it is halved and asked again instead (alert_looks.cpp).
  request.cuts_body = asked.customers.size() == 1;
  request.timeout = kLiveTimeout;
  auto answer = client.fetch(std::move(request));
  if (!answer) {
    return tl::unexpected<Error>(with_context("Alertmanager", std::move(answer.error())));
  }
  if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
    return tl::unexpected<Error>(with_context("Alertmanager", std::move(*error)));
  }
  const bool is_cut = answer->body.size() >= asked.answer_bytes_max;
  auto alerts = read_alerts(answer->body, is_cut);
  if (!alerts) return forward(alerts);
  return AlertsAnswer{std::move(*alerts), is_cut};
}

}  // namespace vigia::monitor::live
