#include "services/monitor/users/user_routes.hpp"

#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/call_audit.hpp"
#include "services/monitor/api/object_ids.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/users/limits.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::users {
namespace {

void write_user(const UserRow& user, json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", user.id)
      .member("name", user.name)
      .member("role", user.customer ? "customer" : "operator")
      .member_bool("is_enabled", user.is_enabled)
      .member_time("created_at", user.created_ms)
      .member_time("last_login_at", user.last_login_ms)
      .end_object();
}

api::ApiResult user_answer(int status, const UserRow& user) {
  json::JsonWriter writer;
  write_user(user, writer);
  return api::json_answer(status, writer.take());
}

api::ApiResult list_of(const std::optional<CustomerId>& owner, const UserParts& parts) {
  auto users = parts.database.read(
      [&](store::DatabaseConnection& connection) { return list_users(owner, connection); });
  if (!users) return api::refuse(users.error());
  json::JsonWriter writer;
  writer.begin_object().key("users").begin_array();
  for (const auto& user : *users) write_user(user, writer);
  writer.end_array().end_object();
  return api::json_answer(200, writer.take());
}

// The hash of a password that keeps the rules.
tl::expected<std::string, api::Refusal> hash_checked(const std::string& password,
                                                     const std::string& user,
                                                     const UserParts& parts) {
  auto checked = check_password_rules(password, user);
  if (!checked) return api::refuse(checked.error());
  auto hashed = parts.hasher.hash(password);
  if (!hashed) return api::refuse(hashed.error());
  return *hashed;
}

Result<void> check_room(const std::optional<CustomerId>& owner, std::size_t enabled_max,
                        store::DatabaseConnection& connection) {
  auto enabled = count_enabled_users(owner, connection);
  if (!enabled) return forward(enabled);
  if (*enabled <= enabled_max) return {};
  return fail(ErrorCode::kOverLimit, "too many users may log in: disable one first");
}

api::ApiResult create_of(const std::optional<CustomerId>& owner, const api::ApiCall& call,
                         const UserParts& parts) {
  api::BodyReader body(call.body);
  UserRow user;
  user.id = api::new_id();
  user.customer = owner;
  user.name = body.text("name", 1, kUserCharactersMax);
  const auto password = body.text("password", 1, kPasswordCharactersMax);
  user.created_ms = parts.clock.wall_ms();
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  auto hash = hash_checked(password, user.name, parts);
  if (!hash) return tl::unexpected<api::Refusal>(hash.error());
  user.password_hash = std::move(*hash);
  auto created = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    // One less: this user is not in the table yet.
    auto room = check_room(owner, kUsersPerCustomerMax - 1, connection);
    if (!room) return forward(room);
    auto forgotten = forget_disabled_users(owner, kDisabledUsersKeptMax, connection);
    if (!forgotten) return forward(forgotten);
    auto inserted = insert_user(user, connection);
    if (!inserted || !*inserted) return inserted;
    auto audited =
        store::append_audit(api::audit_of(call, parts.clock, "user.create", user.name), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return api::refuse(created.error());
  if (!*created) return api::conflict("name: there is a user with this name");
  return user_answer(201, user);
}

api::ApiResult list(const api::ApiCall& call, const UserParts& parts) {
  return list_of(*call.customer, parts);
}

api::ApiResult create(const api::ApiCall& call, const UserParts& parts) {
  return create_of(*call.customer, call, parts);
}

api::ApiResult list_operators(const api::ApiCall& /*call*/, const UserParts& parts) {
  return list_of(std::nullopt, parts);
}

api::ApiResult create_operator(const api::ApiCall& call, const UserParts& parts) {
  return create_of(std::nullopt, call, parts);
}

// Nobody could log in to undo it.
Result<void> check_operator_left(store::DatabaseConnection& connection) {
  auto operators = list_users(std::nullopt, connection);
  if (!operators) return forward(operators);
  for (const auto& one : *operators) {
    if (one.is_enabled) return {};
  }
  return fail(ErrorCode::kInvalid, "is_enabled: this is the last operator who can log in");
}

// A new password and disabling both end the user's sessions in the same step.
Result<std::optional<UserRow>> save(const std::optional<CustomerId>& owner,
                                    const api::ApiCall& call, const UserParts& parts,
                                    const UserChange& change) {
  const auto id = call.path.at("user_id");
  return parts.database.write(
      [&](store::DatabaseConnection& connection) -> Result<std::optional<UserRow>> {
        auto changed = change_user(owner, id, change, connection);
        if (!changed) return forward(changed);
        auto user = find_user(owner, id, connection);
        if (!user || !*user) return user;
        if (change.is_enabled == true) {  // what is refused is undone with the rest
          auto room = check_room(owner, kUsersPerCustomerMax, connection);
          if (!room) return forward(room);
        }
        if (!owner) {
          // After the change, in its transaction: what is refused rolls it back, and two operators
          // who disable each other at once are seen one after the other.
          auto left = check_operator_left(connection);
          if (!left) return forward(left);
        }
        if (change.password_hash || !(*user)->is_enabled) {
          auto ended = parts.end_sessions(id, connection);
          if (!ended) return forward(ended);
        }
        const auto detail = std::string(change.password_hash ? "password " : "") +
                            ((*user)->is_enabled ? "is_enabled=true" : "is_enabled=false");
        auto audited = store::append_audit(
            api::audit_of(call, parts.clock, "user.change", (*user)->name, detail), connection);
        if (!audited) return forward(audited);
        return user;
      });
}

api::ApiResult change_of(const std::optional<CustomerId>& owner, const api::ApiCall& call,
                         const UserParts& parts) {
  api::BodyReader body(call.body);
  const auto password = body.optional_text("password", 1, kPasswordCharactersMax);
  UserChange change;
  change.is_enabled = body.optional_boolean("is_enabled");
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  // Hashing takes long, so it is done outside the transaction, which keeps all writers out.
  auto user = parts.database.read([&](store::DatabaseConnection& connection) {
    return find_user(owner, call.path.at("user_id"), connection);
  });
  if (!user) return api::refuse(user.error());
  if (!*user) return api::not_found();
  if (password) {
    auto hash = hash_checked(*password, (*user)->name, parts);
    if (!hash) return tl::unexpected<api::Refusal>(hash.error());
    change.password_hash = std::move(*hash);
  }
  auto changed = save(owner, call, parts, change);
  if (!changed) return api::refuse(changed.error());
  if (!*changed) return api::not_found();
  return user_answer(200, **changed);
}

api::ApiResult change(const api::ApiCall& call, const UserParts& parts) {
  return change_of(*call.customer, call, parts);
}

api::ApiResult change_operator(const api::ApiCall& call, const UserParts& parts) {
  return change_of(std::nullopt, call, parts);
}

}  // namespace

void add_user_routes(api::ApiTable& table, UserParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add("GET", "/customers/{customer_id}/users", api::Access::kCustomerPerson, list);
  routes.add_hashing("POST", "/customers/{customer_id}/users", api::Access::kCustomerProtected,
                     create);
  routes.add_hashing("PATCH", "/customers/{customer_id}/users/{user_id}",
                     api::Access::kCustomerProtected, change);
  routes.add("GET", "/operators", api::Access::kOperator, list_operators);
  routes.add_hashing("POST", "/operators", api::Access::kOperator, create_operator);
  routes.add_hashing("PATCH", "/operators/{user_id}", api::Access::kOperator, change_operator);
}

}  // namespace vigia::monitor::users
