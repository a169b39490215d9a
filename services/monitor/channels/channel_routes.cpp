#include "services/monitor/channels/channel_routes.hpp"

#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/call_audit.hpp"
#include "services/monitor/api/limits.hpp"
#include "services/monitor/api/object_ids.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/channels/channel_check.hpp"
#include "services/monitor/channels/channels.hpp"
#include "services/monitor/channels/limits.hpp"
#include "services/monitor/store/audit.hpp"

namespace vigia::monitor::channels {
namespace {

constexpr std::size_t kTargetCharactersMax = 2000;
constexpr std::size_t kSlackNameCharactersMax = 100;

// Scheme and host of a URL; an e-mail address whole. A webhook's path is usually its secret.
std::string shown_target(const ChannelRow& channel) {
  if (channel.type == "email") return channel.target;
  const auto start = channel.target.find("://");
  if (start == std::string::npos) return {};
  return channel.target.substr(0, channel.target.find_first_of("/?#", start + 3));
}

/// What the audit log says of a channel; its id says nothing to a person.
std::string audit_detail(const ChannelRow& channel) {
  return channel.type + " " + shown_target(channel);
}

void write_channel(const ChannelRow& channel, const ChannelOutcome& outcome,
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

api::ApiResult list(const api::ApiCall& call, const ChannelParts& parts) {
  auto channels = parts.database.read([&](store::DatabaseConnection& connection) {
    return list_channels(*call.customer, connection);
  });
  if (!channels) return api::refuse(channels.error());
  json::JsonWriter writer;
  writer.begin_object().key("channels").begin_array();
  for (const auto& channel : *channels) {
    write_channel(channel, parts.outcomes.newest(channel), writer);
  }
  writer.end_array().end_object();
  return api::json_answer(200, writer.take());
}

api::ApiResult create(const api::ApiCall& call, const ChannelParts& parts) {
  api::BodyReader body(call.body);
  ChannelRow channel{api::new_id(),         *call.customer,         "", "", "",
                     parts.clock.wall_ms(), ChannelState::kPending, ""};
  channel.type = body.text("type", 1, api::kNameCharactersMax);
  channel.target = body.text("target", 3, kTargetCharactersMax);
  channel.channel = body.optional_text("channel", 0, kSlackNameCharactersMax).value_or("");
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  auto checked = check_channel_text(channel.type, channel.target, channel.channel);
  if (!checked) return api::refuse(checked.error());
  if (channel.type != "email") {
    auto allowed = access::check_url(channel.target, parts.addresses);
    if (!allowed) return api::refuse(allowed.error());
  } else if (!parts.has_mail_server) {
    return api::conflict("no mail server is configured (alerting.mail)");
  }
  // Counted in the transaction that inserts: of two that are created at once only one may be the
  // last that fits.
  auto created = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto present = list_channels(*call.customer, connection);
    if (!present) return forward(present);
    if (present->size() >= kChannelsPerCustomerMax) return false;
    auto inserted = insert_channel(channel, connection);
    if (!inserted) return forward(inserted);
    auto audited = store::append_audit(
        api::audit_of(call, parts.clock, "channel.create", channel.id, audit_detail(channel)),
        connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return api::refuse(created.error());
  if (!*created) return api::conflict("too many channels");
  parts.channels_changed();
  json::JsonWriter writer;
  write_channel(channel, {}, writer);
  return api::json_answer(201, writer.take());
}

api::ApiResult remove(const api::ApiCall& call, const ChannelParts& parts) {
  const auto id = call.path.at("channel_id");
  if (!api::is_object_id(id)) return api::not_found();
  auto removed = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    // Read before it goes, in the same transaction: what the audit says of it is gone with the row,
    // and of two who remove it at once only one is told that it did.
    auto channel = find_channel(*call.customer, id, connection);
    if (!channel) return forward(channel);
    if (!*channel) return false;
    auto done = delete_channel(*call.customer, id, connection);
    if (!done || !*done) return done;
    auto audited = store::append_audit(
        api::audit_of(call, parts.clock, "channel.delete", id, audit_detail(**channel)),
        connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!removed) return api::refuse(removed.error());
  if (!*removed) return api::not_found();
  parts.channels_changed();
  return api::no_content();
}

}  // namespace

void add_channel_routes(api::ApiTable& table, ChannelParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add("GET", "/customers/{customer_id}/channels", api::Access::kCustomerPerson, list);
  routes.add("POST", "/customers/{customer_id}/channels", api::Access::kCustomerProtected, create);
  routes.add("DELETE", "/customers/{customer_id}/channels/{channel_id}",
             api::Access::kCustomerProtected, remove);
}

}  // namespace vigia::monitor::channels
