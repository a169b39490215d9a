// Tokens of customers and of operators: created (shown once), listed without values, revoked.
#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/parts.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/tokens.hpp"

namespace vigia::monitor::api {
namespace {

constexpr std::size_t kTokenBytes = 24;  // 192 bits; A3 wants 128

// A recognisable beginning, so that a leaked token is found by a scanner and known at a glance.
std::string new_token(std::string_view prefix) {
  return std::string(prefix) + to_hex(random_bytes(kTokenBytes));
}

void write_token(const store::Token& token, const std::string& value, json::JsonWriter& writer) {
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
std::string audit_detail(const store::Token& token) {
  return "scope=" + token.scope + " name=" + token.name;
}

ApiResult list_of(const std::optional<CustomerId>& owner, const ApiParts& parts) {
  auto tokens = parts.database.read(
      [&](store::Connection& connection) { return store::list_tokens(owner, connection); });
  if (!tokens) return refuse(tokens.error());
  json::JsonWriter writer;
  writer.begin_object().key("tokens").begin_array();
  for (const auto& token : *tokens) write_token(token, "", writer);
  writer.end_array().end_object();
  return json_answer(200, writer.take());
}

// Stores a filled token under a new value and answers with it.
ApiResult store(const ApiCall& call, const ApiParts& parts, store::Token token,
                std::string_view prefix) {
  const auto value = new_token(prefix);
  token.id = new_id();
  token.token_sha256 = sha256_hex(value);
  token.created_by = call.principal.name;
  token.created_ms = parts.clock.wall_ms();
  if (token.expires_ms != 0 && token.expires_ms <= token.created_ms) {
    return invalid("expires_at: is in the past");
  }
  auto stored = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    auto valid = store::count_valid_tokens(token.customer, token.created_ms, connection);
    if (!valid) return forward(valid);
    if (*valid >= kTokensPerCustomerMax) return false;
    auto inserted = store::insert_token(token, connection);
    if (!inserted) return forward(inserted);
    auto forgotten = store::forget_old_tokens(token.customer, kTokensMadeSinceMax, connection);
    if (!forgotten) return forward(forgotten);
    auto audited = store::append_audit(
        audit_of(call, parts.clock, "token.create", token.id, audit_detail(token)), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!stored) return refuse(stored.error());
  if (!*stored) return conflict("too many tokens are valid: revoke those that nobody uses");
  parts.directory_changed();
  json::JsonWriter writer;
  write_token(token, value, writer);
  return json_answer(201, writer.take());
}

ApiResult revoke_of(const std::optional<CustomerId>& owner, const ApiCall& call,
                    const ApiParts& parts) {
  const auto id = call.path.at("token_id");
  if (!is_object_id(id)) return not_found();
  auto revoked = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    auto token = store::find_token(owner, id, connection);
    if (!token) return forward(token);
    if (!*token) return false;
    auto done = store::revoke_token(owner, id, parts.clock.wall_ms(), connection);
    if (!done || !*done) return done;
    auto audited = store::append_audit(
        audit_of(call, parts.clock, "token.revoke", id, audit_detail(**token)), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!revoked) return refuse(revoked.error());
  if (!*revoked) return not_found();
  parts.directory_changed();
  return no_content();
}

ApiResult list(const ApiCall& call, const ApiParts& parts) {
  return list_of(call.customer->id, parts);
}

ApiResult create(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  store::Token token;
  token.customer = call.customer->id;
  token.name = body.text("name", 1, kNameCharactersMax);
  token.scope = body.text("scope", 1, kNameCharactersMax);
  token.expires_ms = body.optional_time("expires_at").value_or(0);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  if (token.scope != "ingest" && token.scope != "read") return invalid("scope: ingest or read");
  const auto prefix = token.scope == "ingest" ? "vgi_" : "vgr_";
  return store(call, parts, std::move(token), prefix);
}

ApiResult revoke(const ApiCall& call, const ApiParts& parts) {
  return revoke_of(call.customer->id, call, parts);
}

ApiResult list_operators(const ApiCall& /*call*/, const ApiParts& parts) {
  return list_of(std::nullopt, parts);
}

ApiResult create_operators(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  store::Token token;
  token.name = body.text("name", 1, kNameCharactersMax);
  token.scope = body.optional_text("scope", 1, kNameCharactersMax).value_or("read");
  token.expires_ms = body.optional_time("expires_at").value_or(0);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  if (token.scope != "read" && token.scope != "manage") return invalid("scope: read or manage");
  return store(call, parts, std::move(token), "vgo_");
}

ApiResult revoke_operators(const ApiCall& call, const ApiParts& parts) {
  return revoke_of(std::nullopt, call, parts);
}

}  // namespace

void add_token_routes(ApiTable& table, ApiParts parts) {
  const auto add = [&](std::string method, std::string path, Access access, auto function) {
    table.add(std::move(method), std::move(path), access,
              [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  add("GET", "/customers/{customer_id}/tokens", Access::kCustomerPerson, list);
  add("POST", "/customers/{customer_id}/tokens", Access::kCustomer, create);
  add("DELETE", "/customers/{customer_id}/tokens/{token_id}", Access::kCustomer, revoke);
  add("GET", "/operator-tokens", Access::kOperator, list_operators);
  add("POST", "/operator-tokens", Access::kOperator, create_operators);
  add("DELETE", "/operator-tokens/{token_id}", Access::kOperator, revoke_operators);
}

}  // namespace vigia::monitor::api
