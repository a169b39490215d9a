#include "services/monitor/customers/customer_routes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/call_audit.hpp"
#include "services/monitor/api/limits.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/customers/limits.hpp"
#include "services/monitor/store/audit.hpp"

namespace vigia::monitor::customers {
namespace {

// What a customer may send where nobody said more: one that floods is stopped before it costs the
// others their hot store. 0 lifts a limit, but for the two of labels, where it stands for the
// collector's own.
constexpr CustomerLimits kDefaults = {50'000, 20'000, 20'000, 20'971'520, 200'000, 0, 0};
constexpr std::int64_t kLimitMax = 1'000'000'000'000;  // as many as a directory may name

void write_customer(const CustomerRow& customer, json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", customer.id.text())
      .member("name", customer.name)
      .member_bool("is_enabled", customer.is_enabled)
      .member("hot_shard", customer.hot_shard)
      .member("language", customer.language);
  writer.key("limits").begin_object();
  for (const auto& limit : kCustomerLimits) writer.member(limit.name, customer.limits.*limit.value);
  writer.end_object();
  writer.member_time("created_at", customer.created_ms).end_object();
}

api::ApiResult customer_answer(int status, const CustomerRow& customer) {
  json::JsonWriter writer;
  write_customer(customer, writer);
  return api::json_answer(status, writer.take());
}

// Only what the body names.
std::string read_limits(api::BodyReader& body, CustomerChange& change) {
  api::BodyReader limits(body.object("limits"));
  for (const auto& limit : kCustomerLimits) {
    const auto value = limits.optional_integer(limit.name, 0, kLimitMax);
    if (value) change.limits[limit.name] = *value;
  }
  return limits.problem();
}

// "" where it is one of ours or not named.
std::string read_language(api::BodyReader& body, CustomerChange& change) {
  change.language = body.optional_text("language", 1, api::kNameCharactersMax);
  const bool is_known = !change.language || std::find(kLanguages.begin(), kLanguages.end(),
                                                      *change.language) != kLanguages.end();
  return is_known ? "" : "language: one of " + fmt::format("{}", fmt::join(kLanguages, ", "));
}

api::ApiResult list(const api::ApiCall& call, const CustomerParts& parts) {
  auto customers = parts.database.read(
      [](store::DatabaseConnection& connection) { return list_customers(connection); });
  if (!customers) return api::refuse(customers.error());
  json::JsonWriter writer;
  writer.begin_object().key("customers").begin_array();
  for (const auto& customer : *customers) {
    if (call.principal.customer && customer.id != *call.principal.customer) continue;
    write_customer(customer, writer);
  }
  writer.end_array().end_object();
  return api::json_answer(200, writer.take());
}

api::ApiResult create(const api::ApiCall& call, const CustomerParts& parts) {
  api::BodyReader body(call.body);
  auto id = CustomerId::parse(body.text("id", 1, api::kNameCharactersMax));
  const auto name = body.text("name", 1, api::kNameCharactersMax);
  const auto& shards = parts.hot_shards;
  const auto shard =
      body.optional_text("hot_shard", 1, api::kNameCharactersMax).value_or(shards.front());
  const auto now_ms = parts.clock.wall_ms();
  CustomerChange limits;
  const auto limits_problem = read_limits(body, limits);
  const auto language_problem = read_language(body, limits);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  if (!limits_problem.empty()) return api::invalid("limits: " + limits_problem);
  if (!language_problem.empty()) return api::invalid(language_problem);
  if (!id) return api::invalid("id: " + id.error().message);
  const bool is_known_shard = std::find(shards.begin(), shards.end(), shard) != shards.end();
  if (!is_known_shard) return api::invalid("hot_shard: no such shard in the configuration");
  CustomerRow customer{*id, name, true, shard, kDefaults, now_ms, now_ms};
  if (limits.language) customer.language = *limits.language;
  for (const auto& limit : kCustomerLimits) {
    const auto found = limits.limits.find(limit.name);
    if (found != limits.limits.end()) customer.limits.*limit.value = found->second;
  }
  auto created = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto all = list_customers(connection);
    if (!all) return forward(all);
    if (all->size() >= kCustomersMax) return fail(ErrorCode::kOverLimit, "too many customers");
    auto inserted = insert_customer(customer, connection);
    if (!inserted || !*inserted) return inserted;
    auto entry = api::audit_of(call, parts.clock, "customer.create", id->text(), name);
    entry.customer = *id;
    auto audited = store::append_audit(entry, connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return api::refuse(created.error());
  if (!*created) return api::conflict("id: there is a customer with this id");
  parts.directory_changed();
  return customer_answer(201, customer);
}

api::ApiResult show(const api::ApiCall& call, const CustomerParts& parts) {
  auto customer = parts.database.read([&](store::DatabaseConnection& connection) {
    return find_customer(*call.customer, connection);
  });
  if (!customer) return api::refuse(customer.error());
  if (!*customer) return api::not_found();
  return customer_answer(200, **customer);
}

// A disabled customer's sessions end in the same step.
api::ApiResult save(const api::ApiCall& call, const CustomerParts& parts,
                    const CustomerChange& change, const std::string& action) {
  const auto& id = *call.customer;
  using Saved = std::optional<CustomerRow>;
  auto saved = parts.database.write([&](store::DatabaseConnection& connection) -> Result<Saved> {
    auto changed = change_customer(id, change, connection);
    if (!changed) return forward(changed);
    auto customer = find_customer(id, connection);
    if (!customer || !*customer) return customer;
    if (!(*customer)->is_enabled) {
      auto ended = parts.end_sessions(id, connection);
      if (!ended) return forward(ended);
    }
    auto detail = fmt::format("name={} is_enabled={}", (*customer)->name, (*customer)->is_enabled);
    if (change.language) detail += " language=" + *change.language;
    for (const auto& limit : kCustomerLimits) {
      if (!change.limits.contains(limit.name)) continue;
      detail += fmt::format(" {}={}", limit.name, (*customer)->limits.*limit.value);
    }
    auto audited = store::append_audit(api::audit_of(call, parts.clock, action, id.text(), detail),
                                       connection);
    if (!audited) return forward(audited);
    return customer;
  });
  if (!saved) return api::refuse(saved.error());
  if (!*saved) return api::not_found();
  parts.directory_changed();
  if (change.language || change.name) parts.channels_changed();
  return customer_answer(200, **saved);
}

api::ApiResult change(const api::ApiCall& call, const CustomerParts& parts) {
  api::BodyReader body(call.body);
  CustomerChange change;
  change.name = body.optional_text("name", 1, api::kNameCharactersMax);
  change.is_enabled = body.optional_boolean("is_enabled");
  const auto limits_problem = read_limits(body, change);
  const auto language_problem = read_language(body, change);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  if (!limits_problem.empty()) return api::invalid("limits: " + limits_problem);
  if (!language_problem.empty()) return api::invalid(language_problem);
  return save(call, parts, change, "customer.change");
}

api::ApiResult disable(const api::ApiCall& call, const CustomerParts& parts) {
  CustomerChange change;
  change.is_enabled = false;
  auto saved = save(call, parts, change, "customer.disable");
  if (!saved) return saved;
  return api::no_content();
}

}  // namespace

void add_customer_routes(api::ApiTable& table, CustomerParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add("GET", "/customers", api::Access::kLoggedIn, list);
  routes.add("POST", "/customers", api::Access::kOperator, create);
  routes.add("GET", "/customers/{customer_id}", api::Access::kCustomer, show);
  routes.add("PATCH", "/customers/{customer_id}", api::Access::kCustomerProtected, change);
  routes.add("DELETE", "/customers/{customer_id}", api::Access::kCustomerProtected, disable);
}

}  // namespace vigia::monitor::customers
