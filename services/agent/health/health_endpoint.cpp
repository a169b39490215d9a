#include "services/agent/health/health_endpoint.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "libs/service/internal_token.hpp"
#include "libs/service/metrics_page.hpp"

namespace vigia::agent::health {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return out;
}

net::Response answer(int status, const char* content_type, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.add("content-type", content_type);
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

std::string join_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += ',';
    out += json_text(text);
  }
  return "[" + out + "]";
}

}  // namespace

/// Scrapers name a version, browsers and curl do not: a person who looks gets JSON.
HealthForm health_form(std::string_view accept) {
  if (service::metrics_form(accept) == service::MetricsForm::kOpenMetrics)
    return HealthForm::kOpenMetrics;
  const std::string text = lower(accept);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view range = std::string_view(text).substr(begin, end - begin);
    if (range.find("text/plain") != std::string_view::npos &&
        range.find("version=") != std::string_view::npos) {
      return HealthForm::kText;
    }
    begin = end + 1;
  }
  return HealthForm::kJson;
}

std::string format_uptime(Duration uptime) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(uptime).count();
  const auto hours = seconds / 3600;
  const auto minutes = seconds / 60 % 60;
  if (hours > 0)
    return minutes > 0 ? fmt::format("{}h{}m", hours, minutes) : fmt::format("{}h", hours);
  if (minutes > 0) return fmt::format("{}m{}s", minutes, seconds % 60);
  return fmt::format("{}s", seconds);
}

std::string format_percent(double percent) { return fmt::format("{:.0f}%", percent); }

HealthEndpoint::HealthEndpoint(const CustomerId& customer, const NodeId& node, std::string token,
                               AgentStatus& status)
    : customer_(customer.text()), node_(node.text()), token_(std::move(token)), status_(status) {}

std::optional<net::Response> HealthEndpoint::admit(net::RequestHead& head) {
  if (head.path != "/health" && head.path != "/ready") {
    return net::json_error({ErrorCode::kNotFound, "there is /health and /ready"});
  }
  if (head.method != "GET" && head.method != "HEAD") {
    net::Response response = answer(405, "application/json", "{\"error\":\"method not allowed\"}");
    response.headers.add("allow", "GET, HEAD");
    return response;
  }
  if (token_.empty()) return std::nullopt;
  // Two of them could be read differently by a proxy in front and by us.
  if (service::InternalToken(token_).is_shown_by(head)) return std::nullopt;
  net::Response response =
      net::json_error({ErrorCode::kUnauthenticated, "this agent's health wants its token"});
  response.headers.add("www-authenticate", "Bearer");
  return response;
}

void HealthEndpoint::handle(net::Request request, net::Responder responder) {
  responder.send(request.path == "/ready" ? ready() : health(request.headers.get("accept")));
}

net::Response HealthEndpoint::ready() {
  const bool is_healthy = status_.report().reasons.empty();
  return answer(is_healthy ? 200 : 503, "application/json",
                is_healthy ? "{\"status\":\"healthy\"}\n" : "{\"status\":\"degraded\"}\n");
}

net::Response HealthEndpoint::health(std::string_view accept) {
  const HealthForm form = health_form(accept);
  if (form == HealthForm::kJson) return answer(200, "application/json", json());
  service::MetricRegistry registry;
  registry.on_collect([this](const service::MetricRegistry::Emit& emit) {
    for (const StatusValue& value : status_.values()) {
      service::MetricLabels labels;
      for (const auto& [name, text] : value.labels) labels.emplace_back(name, text);
      emit(value.name, value.help,
           value.is_counter ? service::MetricType::kCounter : service::MetricType::kGauge, labels,
           value.value);
    }
  });
  net::Response response = service::metrics_page(registry, form == HealthForm::kOpenMetrics
                                                               ? service::MetricsForm::kOpenMetrics
                                                               : service::MetricsForm::kText);
  response.headers.add("cache-control", "no-store");
  return response;
}

std::string HealthEndpoint::json() {
  const HealthReport report = status_.report();
  std::string dropped;
  for (const auto& [reason, items] : report.buffer.dropped) {
    dropped += fmt::format("{}{}:{}", dropped.empty() ? "" : ",", json_text(reason), items);
  }
  return fmt::format(
      "{{\"status\":\"{}\",\"collector_reachable\":{},\"buffer_usage\":\"{}\",\"uptime\":\"{}\","
      "\"reasons\":{},\"buffer_usage_percent\":{:.3f},\"buffer_bytes\":{},\"buffer_dropped\":{{{}}}"
      ",\"buffer_damaged_records\":{},\"clock_offset_seconds\":{},"
      "\"customer_id\":{},\"node_id\":{},\"version\":\"{}\"}}\n",
      report.reasons.empty() ? "healthy" : "degraded", report.is_collector_reachable,
      format_percent(report.buffer.usage_percent), format_uptime(report.uptime),
      join_json(report.reasons), report.buffer.usage_percent, report.buffer.bytes, dropped,
      report.buffer.damaged_records,
      report.clock_offset_s ? fmt::format("{:.1f}", *report.clock_offset_s) : "null",
      json_text(customer_), json_text(node_), VIGIA_VERSION);
}

}  // namespace vigia::agent::health
