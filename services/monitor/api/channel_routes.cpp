// Where a customer's alerts are sent.
#include "libs/json/writer.hpp"
#include "services/monitor/alerting/channel_check.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/parts.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/channels.hpp"

namespace vigia::monitor::api {
namespace {

constexpr std::size_t kTargetCharactersMax = 2000;
constexpr std::size_t kSlackNameCharactersMax = 100;

// Scheme and host of a URL; an e-mail address whole. A webhook's path is usually its secret.
std::string shown_target(const store::Channel& channel) {
  if (channel.type == "email") return channel.target;
  const auto start = channel.target.find("://");
  if (start == std::string::npos) return {};
  return channel.target.substr(0, channel.target.find_first_of("/?#", start + 3));
}

/// What the audit log says of a channel; its id says nothing to a person.
std::string audit_detail(const store::Channel& channel) {
  return channel.type + " " + shown_target(channel);
}

void write_channel(const store::Channel& channel, const store::ChannelOutcome& outcome,
                   json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", channel.id)
      .member("type", channel.type)
      .member("target", shown_target(channel))
      .member_or_null("channel",
                      channel.channel.empty() ? std::nullopt : std::optional(channel.channel))
      .member_time("created_at", channel.created_ms)
      .member("status", to_string(channel.state))
      .member_or_null("reason",
                      channel.reason.empty() ? std::nullopt : std::optional(channel.reason))
      .member_time("last_delivered_at", outcome.delivered_ms)
      .key("last_failure");
  if (outcome.failed_ms == 0) {
    writer.null();
  } else {
    writer.begin_object()
        .member_time("at", outcome.failed_ms)
        .member("reason", outcome.failure)
        .end_object();
  }
  writer.end_object();
}

ApiResult list(const ApiCall& call, const ApiParts& parts) {
  auto channels = parts.database.read([&](store::Connection& connection) {
    return store::list_channels(call.customer->id, connection);
  });
  if (!channels) return refuse(channels.error());
  json::JsonWriter writer;
  writer.begin_object().key("channels").begin_array();
  for (const auto& channel : *channels) {
    write_channel(channel, parts.outcomes.newest(channel), writer);
  }
  writer.end_array().end_object();
  return json_answer(200, writer.take());
}

ApiResult create(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  store::Channel channel{
      new_id(), call.customer->id, "", "", "", parts.clock.wall_ms(), store::ChannelState::kPending,
      ""};
  channel.type = body.text("type", 1, kNameCharactersMax);
  channel.target = body.text("target", 3, kTargetCharactersMax);
  channel.channel = body.optional_text("channel", 0, kSlackNameCharactersMax).value_or("");
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  auto checked = alerting::check_channel_text(channel.type, channel.target, channel.channel);
  if (!checked) return refuse(checked.error());
  if (channel.type != "email") {
    auto allowed = access::check_url(channel.target, channel_addresses(parts.settings));
    if (!allowed) return refuse(allowed.error());
  } else if (parts.settings.alertmanager.mail.smarthost.empty()) {
    return conflict("no mail server is configured (alerting.mail)");
  }
  auto created = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    auto present = store::list_channels(call.customer->id, connection);
    if (!present) return forward(present);
    if (present->size() >= kChannelsPerCustomerMax) return false;
    auto inserted = store::insert_channel(channel, connection);
    if (!inserted) return forward(inserted);
    auto audited = store::append_audit(
        audit_of(call, parts.clock, "channel.create", channel.id, audit_detail(channel)),
        connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return refuse(created.error());
  if (!*created) return conflict("too many channels");
  parts.channels_changed();
  json::JsonWriter writer;
  write_channel(channel, {}, writer);
  return json_answer(201, writer.take());
}

ApiResult remove(const ApiCall& call, const ApiParts& parts) {
  const auto id = call.path.at("channel_id");
  if (!is_object_id(id)) return not_found();
  auto removed = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    auto channel = store::find_channel(call.customer->id, id, connection);
    if (!channel) return forward(channel);
    if (!*channel) return false;
    auto done = store::delete_channel(call.customer->id, id, connection);
    if (!done || !*done) return done;
    auto audited = store::append_audit(
        audit_of(call, parts.clock, "channel.delete", id, audit_detail(**channel)), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!removed) return refuse(removed.error());
  if (!*removed) return not_found();
  parts.channels_changed();
  return no_content();
}

}  // namespace

void add_channel_routes(ApiTable& table, ApiParts parts) {
  const auto add = [&](std::string method, std::string path, Access access, auto function) {
    table.add(std::move(method), std::move(path), access,
              [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  add("GET", "/customers/{customer_id}/channels", Access::kCustomerPerson, list);
  add("POST", "/customers/{customer_id}/channels", Access::kCustomerProtected, create);
  add("DELETE", "/customers/{customer_id}/channels/{channel_id}", Access::kCustomerProtected,
      remove);
}

}  // namespace vigia::monitor::api
