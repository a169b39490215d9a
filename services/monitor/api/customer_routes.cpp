// Customers: list, create, change, disable.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/parts.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/sessions.hpp"

namespace vigia::monitor::api {
namespace {

// What a customer may send where nobody said more: one that floods is stopped before it costs the
// others their hot store. 0 lifts a limit, but for the two of labels, where it stands for the
// collector's own.
constexpr store::CustomerLimits kDefaults = {50'000, 20'000, 20'000, 20'971'520, 200'000, 0, 0};
constexpr std::int64_t kLimitMax = 1'000'000'000'000;  // as many as a directory may name

void write_customer(const store::Customer& customer, json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", customer.id.text())
      .member("name", customer.name)
      .member_bool("is_enabled", customer.is_enabled)
      .member("hot_shard", customer.hot_shard)
      .member("language", customer.language);
  writer.key("limits").begin_object();
  for (const auto& limit : store::kCustomerLimits)
    writer.member(limit.name, customer.limits.*limit.value);
  writer.end_object();
  writer.member_time("created_at", customer.created_ms).end_object();
}

ApiResult customer_answer(int status, const store::Customer& customer) {
  json::JsonWriter writer;
  write_customer(customer, writer);
  return json_answer(status, writer.take());
}

// Only what the body names.
std::string read_limits(BodyReader& body, store::CustomerChange& change) {
  BodyReader limits(body.object("limits"));
  for (const auto& limit : store::kCustomerLimits) {
    const auto value = limits.optional_integer(limit.name, 0, kLimitMax);
    if (value) change.limits[limit.name] = *value;
  }
  return limits.problem();
}

// "" where it is one of ours or not named.
std::string read_language(BodyReader& body, store::CustomerChange& change) {
  change.language = body.optional_text("language", 1, kNameCharactersMax);
  const bool is_known =
      !change.language || std::find(store::kLanguages.begin(), store::kLanguages.end(),
                                    *change.language) != store::kLanguages.end();
  return is_known ? ""
                  : "language: one of " + fmt::format("{}", fmt::join(store::kLanguages, ", "));
}

ApiResult list(const ApiCall& call, const ApiParts& parts) {
  auto customers = parts.database.read(
      [](store::Connection& connection) { return store::list_customers(connection); });
  if (!customers) return refuse(customers.error());
  json::JsonWriter writer;
  writer.begin_object().key("customers").begin_array();
  for (const auto& customer : *customers) {
    if (call.principal.customer && customer.id != *call.principal.customer) continue;
    write_customer(customer, writer);
  }
  writer.end_array().end_object();
  return json_answer(200, writer.take());
}

ApiResult create(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  auto id = CustomerId::parse(body.text("id", 1, kNameCharactersMax));
  const auto name = body.text("name", 1, kNameCharactersMax);
  const auto& shards = parts.settings.shards;
  const auto shard =
      body.optional_text("hot_shard", 1, kNameCharactersMax).value_or(shards.front().name);
  const auto now_ms = parts.clock.wall_ms();
  store::CustomerChange limits;
  const auto limits_problem = read_limits(body, limits);
  const auto language_problem = read_language(body, limits);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  if (!limits_problem.empty()) return invalid("limits: " + limits_problem);
  if (!language_problem.empty()) return invalid(language_problem);
  if (!id) return invalid("id: " + id.error().message);
  const bool is_known_shard = std::any_of(
      shards.begin(), shards.end(), [&](const ShardSettings& one) { return one.name == shard; });
  if (!is_known_shard) return invalid("hot_shard: no such shard in the configuration");
  store::Customer customer{*id, name, true, shard, kDefaults, now_ms, now_ms};
  if (limits.language) customer.language = *limits.language;
  for (const auto& limit : store::kCustomerLimits) {
    const auto found = limits.limits.find(limit.name);
    if (found != limits.limits.end()) customer.limits.*limit.value = found->second;
  }
  auto created = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    auto all = store::list_customers(connection);
    if (!all) return forward(all);
    if (all->size() >= kCustomersMax) return fail(ErrorCode::kOverLimit, "too many customers");
    auto inserted = store::insert_customer(customer, connection);
    if (!inserted || !*inserted) return inserted;
    auto entry = audit_of(call, parts.clock, "customer.create", id->text(), name);
    entry.customer = *id;
    auto audited = store::append_audit(entry, connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return refuse(created.error());
  if (!*created) return conflict("id: there is a customer with this id");
  parts.directory_changed();
  return customer_answer(201, customer);
}

ApiResult show(const ApiCall& call, const ApiParts& /*parts*/) {
  return customer_answer(200, *call.customer);
}

// A disabled customer's sessions end in the same step.
ApiResult save(const ApiCall& call, const ApiParts& parts, const store::CustomerChange& change,
               const std::string& action) {
  const auto& id = call.customer->id;
  using Saved = std::optional<store::Customer>;
  auto saved = parts.database.write([&](store::Connection& connection) -> Result<Saved> {
    auto changed = store::change_customer(id, change, connection);
    if (!changed) return forward(changed);
    auto customer = store::find_customer(id, connection);
    if (!customer || !*customer) return customer;
    if (!(*customer)->is_enabled) {
      auto ended = store::end_sessions_of_customer(id.text(), connection);
      if (!ended) return forward(ended);
    }
    auto detail = fmt::format("name={} is_enabled={}", (*customer)->name, (*customer)->is_enabled);
    if (change.language) detail += " language=" + *change.language;
    for (const auto& limit : store::kCustomerLimits) {
      if (!change.limits.contains(limit.name)) continue;
      detail += fmt::format(" {}={}", limit.name, (*customer)->limits.*limit.value);
    }
    auto audited =
        store::append_audit(audit_of(call, parts.clock, action, id.text(), detail), connection);
    if (!audited) return forward(audited);
    return customer;
  });
  if (!saved) return refuse(saved.error());
  if (!*saved) return not_found();
  parts.directory_changed();
  if (change.language || change.name) parts.channels_changed();
  return customer_answer(200, **saved);
}

ApiResult change(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  store::CustomerChange change;
  change.name = body.optional_text("name", 1, kNameCharactersMax);
  change.is_enabled = body.optional_boolean("is_enabled");
  const auto limits_problem = read_limits(body, change);
  const auto language_problem = read_language(body, change);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  if (!limits_problem.empty()) return invalid("limits: " + limits_problem);
  if (!language_problem.empty()) return invalid(language_problem);
  return save(call, parts, change, "customer.change");
}

ApiResult disable(const ApiCall& call, const ApiParts& parts) {
  store::CustomerChange change;
  change.is_enabled = false;
  auto saved = save(call, parts, change, "customer.disable");
  if (!saved) return saved;
  return no_content();
}

}  // namespace

void add_customer_routes(ApiTable& table, ApiParts parts) {
  const auto add = [&](std::string method, std::string path, Access access, auto function) {
    table.add(std::move(method), std::move(path), access,
              [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  add("GET", "/customers", Access::kLoggedIn, list);
  add("POST", "/customers", Access::kOperator, create);
  add("GET", "/customers/{customer_id}", Access::kCustomer, show);
  add("PATCH", "/customers/{customer_id}", Access::kCustomerProtected, change);
  add("DELETE", "/customers/{customer_id}", Access::kCustomerProtected, disable);
}

}  // namespace vigia::monitor::api
