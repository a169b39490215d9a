#include "services/monitor/customers/customer_routes.hpp"

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/call_audit.hpp"
#include "services/monitor/api/limits.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/customers/hot_assignment.hpp"
#include "services/monitor/customers/limits.hpp"
#include "services/monitor/store/audit.hpp"

namespace vigia::monitor::customers {
namespace {

constexpr std::int64_t kLimitMax = 1'000'000'000'000;  // as many as a directory may name

void write_field(const fields::CustomerField& field, const CustomerRow& customer,
                 json::JsonWriter& writer) {
  std::visit(
      [&](const auto& kind) {
        const auto& value = customer.*kind.value;
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, fields::TextField>) {
          writer.member(field.name, value);
        } else if constexpr (std::is_same_v<Kind, fields::ListField>) {
          writer.key(field.name).begin_array();
          for (const auto& text : value) writer.string(text);
          writer.end_array();
        } else if constexpr (std::is_same_v<Kind, fields::FlagField>) {
          writer.member_bool(field.name, value);
        } else if (!kind.shown_as.empty()) {
          writer.member_time(kind.shown_as, value);
        }
      },
      field.kind);
}

void write_customer(const CustomerRow& customer, json::JsonWriter& writer) {
  writer.begin_object().member("id", customer.id.text());
  for (const auto& field : kCustomerFields) write_field(field, customer, writer);
  writer.key("limits").begin_object();
  for (const auto& limit : kCustomerLimits) writer.member(limit.name, customer.limits.*limit.value);
  writer.end_object().end_object();
}

api::ApiResult customer_answer(int status, const CustomerRow& customer) {
  json::JsonWriter writer;
  write_customer(customer, writer);
  return api::json_answer(status, writer.take());
}

bool is_one_of(const std::string& value, std::span<const std::string_view> known) {
  return std::find(known.begin(), known.end(), value) != known.end();
}

void read_text(const fields::CustomerField& field, const fields::TextField& kind, bool is_needed,
               api::BodyReader& body, CustomerChange& change) {
  const auto [min, max] = std::pair(kind.characters_min, kind.characters_max);
  auto value = is_needed ? std::optional(body.text(field.name, min, max))
                         : body.optional_text(field.name, min, max);
  if (!value) return;
  if (!kind.one_of.empty() && !is_one_of(*value, kind.one_of)) {
    body.note(field.name, fmt::format("one of {}", fmt::join(kind.one_of, ", ")));
  }
  change.values.*kind.value = *std::move(value);
  change.named.insert(field.name);
}

// Notes the field as named where the body has it.
void read_field(const fields::CustomerField& field, bool is_needed, api::BodyReader& body,
                CustomerChange& change) {
  if (const auto* text = std::get_if<fields::TextField>(&field.kind)) {
    read_text(field, *text, is_needed, body, change);
  } else if (const auto* list = std::get_if<fields::ListField>(&field.kind)) {
    auto texts = body.optional_texts(field.name, list->count_max, api::kNameCharactersMax);
    if (!texts) return;
    change.values.*list->value = *std::move(texts);
    change.named.insert(field.name);
  } else if (const auto* flag = std::get_if<fields::FlagField>(&field.kind)) {
    const auto value = body.optional_boolean(field.name);
    if (!value) return;
    change.values.*flag->value = *value;
    change.named.insert(field.name);
  }  // moments are the program's own
}

// Only what the body names.
void read_limits(api::BodyReader& body, CustomerChange& change) {
  api::BodyReader limits(body.object("limits"));
  for (const auto& limit : kCustomerLimits) {
    const auto value = limits.optional_integer(limit.name, 0, kLimitMax);
    if (!value) continue;
    change.values.limits.*limit.value = *value;
    change.named.insert(limit.name);
  }
  if (const auto problem = limits.problem(); !problem.empty()) body.note("limits", problem);
}

// Who creates a customer names what it may, who changes one what may change.
void read_fields(bool is_creation, api::BodyReader& body, CustomerChange& change) {
  for (const auto& field : kCustomerFields) {
    const bool is_taken =
        is_creation ? field.at_creation != fields::AtCreation::kNo : field.may_change;
    if (!is_taken) continue;
    const bool is_needed = is_creation && field.at_creation == fields::AtCreation::kMust;
    read_field(field, is_needed, body, change);
  }
  read_limits(body, change);
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
  const auto& shards = parts.hot_shards;
  const auto now_ms = parts.clock.wall_ms();
  // Without an id it is nobody's until it is refused below, with all else that is wrong.
  CustomerChange made{
      CustomerRow{.id = id.value_or(CustomerId::provider()), .hot_shard = shards.front()}};
  auto& customer = made.values;
  customer.assigned_ms = customer.created_ms = now_ms;
  for (const auto& limit : kCustomerLimits) customer.limits.*limit.value = limit.at_creation;
  read_fields(true, body, made);
  if (!id) body.note("id", id.error().message);
  settle_hot_shards(shards, body, made);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  auto created = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto all = list_customers(connection);
    if (!all) return forward(all);
    if (all->size() >= kCustomersMax) return fail(ErrorCode::kOverLimit, "too many customers");
    auto inserted = insert_customer(customer, connection);
    if (!inserted || !*inserted) return inserted;
    auto entry = api::audit_of(call, parts.clock, "customer.create", id->text(), customer.name);
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

void tell_field(const fields::CustomerField& field, const CustomerRow& customer,
                std::string& detail) {
  std::visit(
      [&](const auto& kind) {
        detail += fmt::format("{}{}=", detail.empty() ? "" : " ", field.name);
        if constexpr (std::is_same_v<std::decay_t<decltype(kind)>, fields::ListField>) {
          detail += fmt::format("{}", fmt::join(customer.*kind.value, ","));
        } else {
          detail += fmt::format("{}", customer.*kind.value);
        }
      },
      field.kind);
}

// What the audit says of a change, by what stands there after it.
std::string detail_of(const CustomerChange& change, const CustomerRow& customer) {
  std::string detail;
  for (const auto& field : kCustomerFields) {
    const bool is_told =
        field.audited == fields::Audited::kAlways ||
        (field.audited == fields::Audited::kWhereNamed && change.named.contains(field.name));
    if (is_told) tell_field(field, customer, detail);
  }
  for (const auto& limit : kCustomerLimits) {
    if (!change.named.contains(limit.name)) continue;
    detail += fmt::format(" {}={}", limit.name, customer.limits.*limit.value);
  }
  return detail;
}

bool is_in_messages(const CustomerChange& change) {
  return std::any_of(kCustomerFields.begin(), kCustomerFields.end(), [&](const auto& field) {
    return field.is_in_messages && change.named.contains(field.name);
  });
}

// A disabled customer's sessions end in the same step.
api::ApiResult save(const api::ApiCall& call, const CustomerParts& parts,
                    const CustomerChange& change, const std::string& action) {
  const auto& id = *call.customer;
  using Saved = std::optional<CustomerRow>;
  auto saved = parts.database.write([&](store::DatabaseConnection& connection) -> Result<Saved> {
    auto kept = find_customer(id, connection);
    if (!kept || !*kept) return kept;
    auto changed =
        change_customer(assigned_anew(change, **kept, parts.clock.wall_ms()), connection);
    if (!changed) return forward(changed);
    auto customer = find_customer(id, connection);
    if (!customer || !*customer) return customer;
    if (!(*customer)->is_enabled) {
      auto ended = parts.end_sessions(id, connection);
      if (!ended) return forward(ended);
    }
    auto audited = store::append_audit(
        api::audit_of(call, parts.clock, action, id.text(), detail_of(change, **customer)),
        connection);
    if (!audited) return forward(audited);
    return customer;
  });
  if (!saved) return api::refuse(saved.error());
  if (!*saved) return api::not_found();
  parts.directory_changed();
  if (is_in_messages(change)) parts.channels_changed();
  return customer_answer(200, **saved);
}

api::ApiResult change(const api::ApiCall& call, const CustomerParts& parts) {
  api::BodyReader body(call.body);
  CustomerChange change{CustomerRow{.id = *call.customer}};
  read_fields(false, body, change);
  settle_hot_shards(parts.hot_shards, body, change);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  return save(call, parts, change, "customer.change");
}

api::ApiResult disable(const api::ApiCall& call, const CustomerParts& parts) {
  const CustomerChange change{CustomerRow{.id = *call.customer, .is_enabled = false},
                              {"is_enabled"}};
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
