#include "services/monitor/tokens/token_routes.hpp"

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/call_audit.hpp"
#include "services/monitor/api/limits.hpp"
#include "services/monitor/api/object_ids.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/tokens/limits.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::tokens {
namespace {

constexpr std::size_t kTokenBytes = 24;  // 192 bits; A3 wants 128

// A recognisable beginning, so that a leaked token is found by a scanner and known at a glance.
std::string new_token(std::string_view prefix) {
  return std::string(prefix) + to_hex(random_bytes(kTokenBytes));
}

void write_token(const TokenRow& token, const std::string& value, json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", token.id)
      .member("name", token.name)
      .member("scope", token.scope);
  if (!token.customer) writer.member("created_by", token.created_by);
  writer.member_time("created_at", token.created_ms)
      .member_time("expires_at", token.expires_ms)
      .member_time("revoked_at", token.revoked_ms);
  if (!value.empty()) writer.member("token", value);
  writer.end_object();
}

/// What the audit log says of a token; its id says nothing to a person.
std::string audit_detail(const TokenRow& token) {
  return "scope=" + token.scope + " name=" + token.name;
}

api::ApiResult list_of(const std::optional<CustomerId>& owner, const TokenParts& parts) {
  auto tokens = parts.database.read(
      [&](store::DatabaseConnection& connection) { return list_tokens(owner, connection); });
  if (!tokens) return api::refuse(tokens.error());
  json::JsonWriter writer;
  writer.begin_object().key("tokens").begin_array();
  for (const auto& token : *tokens) write_token(token, "", writer);
  writer.end_array().end_object();
  return api::json_answer(200, writer.take());
}

// Stores a filled token under a new value and answers with it.
api::ApiResult store(const api::ApiCall& call, const TokenParts& parts, TokenRow token,
                     std::string_view prefix) {
  const auto value = new_token(prefix);
  token.id = api::new_id();
  token.token_sha256 = sha256_hex(value);
  token.created_by = call.principal.name;
  token.created_ms = parts.clock.wall_ms();
  if (token.expires_ms != 0 && token.expires_ms <= token.created_ms) {
    return api::invalid("expires_at: is in the past");
  }
  auto stored = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto valid = count_valid_tokens(token.customer, token.created_ms, connection);
    if (!valid) return forward(valid);
    if (*valid >= kTokensPerCustomerMax) return false;
    auto inserted = insert_token(token, connection);
    if (!inserted) return forward(inserted);
    // A program that makes a token a day would fill the table with dead ones; the audit log goes on
    // to name them.
    auto forgotten = forget_old_tokens(token.customer, kTokensMadeSinceMax, connection);
    if (!forgotten) return forward(forgotten);
    auto audited = store::append_audit(
        api::audit_of(call, parts.clock, "token.create", token.id, audit_detail(token)),
        connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!stored) return api::refuse(stored.error());
  if (!*stored) return api::conflict("too many tokens are valid: revoke those that nobody uses");
  parts.directory_changed();
  json::JsonWriter writer;
  write_token(token, value, writer);
  return api::json_answer(201, writer.take());
}

api::ApiResult revoke_of(const std::optional<CustomerId>& owner, const api::ApiCall& call,
                         const TokenParts& parts) {
  const auto id = call.path.at("token_id");
  if (!api::is_object_id(id)) return api::not_found();
  auto revoked = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto token = find_token(owner, id, connection);
    if (!token) return forward(token);
    if (!*token) return false;
    auto done = revoke_token(owner, id, parts.clock.wall_ms(), connection);
    if (!done || !*done) return done;
    auto audited = store::append_audit(
        api::audit_of(call, parts.clock, "token.revoke", id, audit_detail(**token)), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!revoked) return api::refuse(revoked.error());
  if (!*revoked) return api::not_found();
  parts.directory_changed();
  return api::no_content();
}

api::ApiResult list(const api::ApiCall& call, const TokenParts& parts) {
  return list_of(*call.customer, parts);
}

api::ApiResult create(const api::ApiCall& call, const TokenParts& parts) {
  api::BodyReader body(call.body);
  TokenRow token;
  token.customer = *call.customer;
  token.name = body.text("name", 1, api::kNameCharactersMax);
  token.scope = body.text("scope", 1, api::kNameCharactersMax);
  token.expires_ms = body.optional_time("expires_at").value_or(0);
  if (token.scope != "ingest" && token.scope != "read") body.note("scope", "ingest or read");
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  const auto prefix = token.scope == "ingest" ? "vgi_" : "vgr_";
  return store(call, parts, std::move(token), prefix);
}

api::ApiResult revoke(const api::ApiCall& call, const TokenParts& parts) {
  return revoke_of(*call.customer, call, parts);
}

api::ApiResult list_operators(const api::ApiCall& /*call*/, const TokenParts& parts) {
  return list_of(std::nullopt, parts);
}

api::ApiResult create_operators(const api::ApiCall& call, const TokenParts& parts) {
  api::BodyReader body(call.body);
  TokenRow token;
  token.name = body.text("name", 1, api::kNameCharactersMax);
  token.scope = body.optional_text("scope", 1, api::kNameCharactersMax).value_or("read");
  token.expires_ms = body.optional_time("expires_at").value_or(0);
  if (token.scope != "read" && token.scope != "manage") body.note("scope", "read or manage");
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  return store(call, parts, std::move(token), "vgo_");
}

api::ApiResult revoke_operators(const api::ApiCall& call, const TokenParts& parts) {
  return revoke_of(std::nullopt, call, parts);
}

}  // namespace

void add_token_routes(api::ApiTable& table, TokenParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add("GET", "/customers/{customer_id}/tokens", api::Access::kCustomerPerson, list);
  routes.add("POST", "/customers/{customer_id}/tokens", api::Access::kCustomer, create);
  routes.add("DELETE", "/customers/{customer_id}/tokens/{token_id}", api::Access::kCustomer,
             revoke);
  routes.add("GET", "/operator-tokens", api::Access::kOperator, list_operators);
  routes.add("POST", "/operator-tokens", api::Access::kOperator, create_operators);
  routes.add("DELETE", "/operator-tokens/{token_id}", api::Access::kOperator, revoke_operators);
}

}  // namespace vigia::monitor::tokens
