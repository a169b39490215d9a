#include "services/monitor/audit/audit_routes.hpp"

#include <charconv>
#include <set>

#include "libs/json/writer.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::audit {
namespace {

constexpr std::int64_t kPageDefault = 100;
constexpr std::int64_t kPageMax = 500;

// Nothing where the parameter is there and no integer within the bounds.
std::optional<std::int64_t> integer_parameter(const api::ApiCall& call, std::string_view name,
                                              std::int64_t fallback, std::int64_t max) {
  const auto text = call.parameter(name);
  if (!text) return fallback;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 1 || value > max) {
    return std::nullopt;
  }
  return value;
}

void write_entry(const store::AuditEntry& entry, bool shows_address, json::JsonWriter& writer) {
  writer.begin_object()
      .member("sequence", entry.sequence)
      .member_time("time", entry.time_ms)
      .member("actor", entry.actor)
      .member("action", entry.action)
      .member_or_null("customer_id",
                      entry.customer ? std::optional(entry.customer->text()) : std::nullopt)
      .member("object", entry.object)
      .member("detail", entry.detail)
      .member("address", shows_address ? entry.address : "")
      .member("hash", entry.hash)
      .end_object();
}

api::ApiResult list(const api::ApiCall& call, const AuditParts& parts) {
  const auto limit = integer_parameter(call, "limit", kPageDefault, kPageMax);
  const auto before = integer_parameter(call, "before", 0, INT64_MAX);
  if (!limit) return api::invalid("limit: 1 to 500");
  if (!before) return api::invalid("before: a sequence");
  auto customer = call.principal.customer;
  if (const auto text = call.parameter("customer_id")) {
    auto wanted = CustomerId::parse(*text);
    if (!wanted) return api::refuse(wanted.error());
    if (customer && *customer != *wanted) return api::not_found();
    customer = std::move(*wanted);
  }
  std::set<std::string> people;
  auto entries = parts.database.read(
      [&](store::DatabaseConnection& connection) -> Result<std::vector<store::AuditEntry>> {
        auto users = users::list_users(call.principal.customer, connection);
        if (!users) return forward(users);
        for (const users::UserRow& user : *users) people.insert("user:" + user.name);
        const auto& own = call.principal.customer;
        return own ? store::list_own_audit(*own, *before, *limit, connection)
                   : store::list_audit(customer, *before, *limit, connection);
      });
  if (!entries) return api::refuse(entries.error());
  json::JsonWriter writer;
  writer.begin_object().key("entries").begin_array();
  // Where the provider's people sit is none of a customer's business.
  for (const auto& entry : *entries) {
    const bool shows_address = call.principal.is_operator() || people.count(entry.actor) > 0;
    write_entry(entry, shows_address, writer);
  }
  writer.end_array().key("next_before");
  const bool is_full = static_cast<std::int64_t>(entries->size()) == *limit;
  is_full && entries->back().sequence > 1 ? writer.integer(entries->back().sequence)
                                          : writer.null();
  writer.end_object();
  return api::json_answer(200, writer.take());
}

api::ApiResult verify(const api::ApiCall& /*call*/, const AuditParts& parts) {
  auto outcome = parts.database.read(
      [](store::DatabaseConnection& connection) { return store::verify_audit(connection); });
  if (!outcome) return api::refuse(outcome.error());
  json::JsonWriter writer;
  writer.begin_object()
      .member_bool("is_intact", !outcome->broken_at)
      .member("entries", outcome->entries)
      .key("broken_at");
  outcome->broken_at ? writer.integer(*outcome->broken_at) : writer.null();
  writer.end_object();
  return api::json_answer(200, writer.take());
}

}  // namespace

void add_audit_routes(api::ApiTable& table, AuditParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add("GET", "/audit", api::Access::kNoDataToken, list);
  routes.add("GET", "/audit/verification", api::Access::kOperator, verify);
}

}  // namespace vigia::monitor::audit
