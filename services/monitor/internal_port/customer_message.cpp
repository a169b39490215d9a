#include "services/monitor/internal_port/customer_message.hpp"

#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/json/writer.hpp"
#include "libs/net/form.hpp"

namespace vigia::monitor::internal_port {
namespace {

constexpr std::string_view kExternal = "externalURL";
constexpr std::string_view kGenerator = "generatorURL";

// The portal's own paths (alerting/alertmanager_config.cpp gives the same to mails and Slack).
std::string page_of(const json::JsonValue& alert, const CustomerId& customer,
                    std::string_view portal) {
  if (portal.empty()) return {};
  const auto node = alert["labels"]["node_id"].text().value_or("");
  if (node.empty()) return std::string(portal) + "/alerts";
  return std::string(portal) + "/nodes/" + customer.text() + "/" + net::percent_encode(node);
}

void write_alert(const json::JsonValue& alert, const std::string& page, json::JsonWriter& writer) {
  writer.begin_object();
  for (const auto& [name, value] : alert.members()) {
    if (name == kGenerator) {
      writer.member(name, page);
    } else {
      writer.key(name).value(value);
    }
  }
  writer.end_object();
}

}  // namespace

Result<std::string> customer_message(std::string_view body, const CustomerId& customer,
                                     std::string_view portal) {
  auto message = json::parse_json(body);
  if (!message) return forward(message);
  if (!message->is_object()) return fail(ErrorCode::kInvalid, "the message is no JSON object");
  json::JsonWriter writer;
  // Everything else goes through as it came, also members of a later version of Alertmanager: a
  // customer's program is written for its messages and not for ours.
  writer.begin_object();
  for (const auto& [name, value] : message->members()) {
    writer.key(name);
    if (name == kExternal) {
      writer.string(portal.empty() ? "" : std::string(portal) + "/alerts");
    } else if (name == "alerts") {
      writer.begin_array();
      for (const auto& alert : value.items()) {
        write_alert(alert, page_of(alert, customer, portal), writer);
      }
      writer.end_array();
    } else {
      writer.value(value);
    }
  }
  writer.end_object();
  return writer.take();
}

}  // namespace vigia::monitor::internal_port
