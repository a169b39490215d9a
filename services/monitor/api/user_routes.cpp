// People who log in: a customer's users and the operators.
#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/parts.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/sessions.hpp"
#include "services/monitor/store/users.hpp"

namespace vigia::monitor::api {
namespace {

void write_user(const store::User& user, json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", user.id)
      .member("name", user.name)
      .member("role", user.customer ? "customer" : "operator")
      .member_bool("is_enabled", user.is_enabled)
      .member_time("created_at", user.created_ms)
      .member_time("last_login_at", user.last_login_ms)
      .end_object();
}

ApiResult user_answer(int status, const store::User& user) {
  json::JsonWriter writer;
  write_user(user, writer);
  return json_answer(status, writer.take());
}

ApiResult list_of(const std::optional<CustomerId>& owner, const ApiParts& parts) {
  auto users = parts.database.read(
      [&](store::Connection& connection) { return store::list_users(owner, connection); });
  if (!users) return refuse(users.error());
  json::JsonWriter writer;
  writer.begin_object().key("users").begin_array();
  for (const auto& user : *users) write_user(user, writer);
  writer.end_array().end_object();
  return json_answer(200, writer.take());
}

// The hash of a password that keeps the rules.
tl::expected<std::string, Refusal> hash_checked(const std::string& password,
                                                const std::string& user, const ApiParts& parts) {
  auto checked = access::check_password_rules(password, user);
  if (!checked) return refuse(checked.error());
  auto hashed = parts.hasher.hash(password);
  if (!hashed) return refuse(hashed.error());
  return *hashed;
}

Result<void> check_room(const std::optional<CustomerId>& owner, std::size_t enabled_max,
                        store::Connection& connection) {
  auto enabled = store::count_enabled_users(owner, connection);
  if (!enabled) return forward(enabled);
  if (*enabled <= enabled_max) return {};
  return fail(ErrorCode::kOverLimit, "too many users may log in: disable one first");
}

ApiResult create_of(const std::optional<CustomerId>& owner, const ApiCall& call,
                    const ApiParts& parts) {
  BodyReader body(call.body);
  store::User user;
  user.id = new_id();
  user.customer = owner;
  user.name = body.text("name", 1, kUserCharactersMax);
  const auto password = body.text("password", 1, kPasswordCharactersMax);
  user.created_ms = parts.clock.wall_ms();
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  auto hash = hash_checked(password, user.name, parts);
  if (!hash) return tl::unexpected<Refusal>(hash.error());
  user.password_hash = std::move(*hash);
  auto created = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    // One less: this user is not in the table yet.
    auto room = check_room(owner, kUsersPerCustomerMax - 1, connection);
    if (!room) return forward(room);
    auto forgotten = store::forget_disabled_users(owner, kDisabledUsersKeptMax, connection);
    if (!forgotten) return forward(forgotten);
    auto inserted = store::insert_user(user, connection);
    if (!inserted || !*inserted) return inserted;
    auto audited =
        store::append_audit(audit_of(call, parts.clock, "user.create", user.name), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return refuse(created.error());
  if (!*created) return conflict("name: there is a user with this name");
  return user_answer(201, user);
}

ApiResult list(const ApiCall& call, const ApiParts& parts) {
  return list_of(call.customer->id, parts);
}

ApiResult create(const ApiCall& call, const ApiParts& parts) {
  return create_of(call.customer->id, call, parts);
}

ApiResult list_operators(const ApiCall& /*call*/, const ApiParts& parts) {
  return list_of(std::nullopt, parts);
}

ApiResult create_operator(const ApiCall& call, const ApiParts& parts) {
  return create_of(std::nullopt, call, parts);
}

// Nobody could log in to undo it.
Result<void> check_operator_left(store::Connection& connection) {
  auto operators = store::list_users(std::nullopt, connection);
  if (!operators) return forward(operators);
  for (const auto& one : *operators) {
    if (one.is_enabled) return {};
  }
  return fail(ErrorCode::kInvalid, "is_enabled: this is the last operator who can log in");
}

// A new password and disabling both end the user's sessions in the same step.
Result<std::optional<store::User>> save(const std::optional<CustomerId>& owner, const ApiCall& call,
                                        const ApiParts& parts, const store::UserChange& change) {
  const auto id = call.path.at("user_id");
  return parts.database.write(
      [&](store::Connection& connection) -> Result<std::optional<store::User>> {
        auto changed = store::change_user(owner, id, change, connection);
        if (!changed) return forward(changed);
        auto user = store::find_user(owner, id, connection);
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
          auto ended = store::end_other_sessions(id, "", connection);
          if (!ended) return forward(ended);
        }
        const auto detail = std::string(change.password_hash ? "password " : "") +
                            ((*user)->is_enabled ? "is_enabled=true" : "is_enabled=false");
        auto audited = store::append_audit(
            audit_of(call, parts.clock, "user.change", (*user)->name, detail), connection);
        if (!audited) return forward(audited);
        return user;
      });
}

ApiResult change_of(const std::optional<CustomerId>& owner, const ApiCall& call,
                    const ApiParts& parts) {
  BodyReader body(call.body);
  const auto password = body.optional_text("password", 1, kPasswordCharactersMax);
  store::UserChange change;
  change.is_enabled = body.optional_boolean("is_enabled");
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  // Hashing takes long, so it is done outside the transaction, which keeps all writers out.
  auto user = parts.database.read([&](store::Connection& connection) {
    return store::find_user(owner, call.path.at("user_id"), connection);
  });
  if (!user) return refuse(user.error());
  if (!*user) return not_found();
  if (password) {
    auto hash = hash_checked(*password, (*user)->name, parts);
    if (!hash) return tl::unexpected<Refusal>(hash.error());
    change.password_hash = std::move(*hash);
  }
  auto changed = save(owner, call, parts, change);
  if (!changed) return refuse(changed.error());
  if (!*changed) return not_found();
  return user_answer(200, **changed);
}

ApiResult change(const ApiCall& call, const ApiParts& parts) {
  return change_of(call.customer->id, call, parts);
}

ApiResult change_operator(const ApiCall& call, const ApiParts& parts) {
  return change_of(std::nullopt, call, parts);
}

}  // namespace

void add_user_routes(ApiTable& table, ApiParts parts) {
  const auto add = [&](std::string method, std::string path, Access access, auto function) {
    table.add(std::move(method), std::move(path), access,
              [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  const auto add_hashing = [&](std::string method, std::string path, Access access, auto function) {
    table.add_hashing(std::move(method), std::move(path), access,
                      [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  add("GET", "/customers/{customer_id}/users", Access::kCustomerPerson, list);
  add_hashing("POST", "/customers/{customer_id}/users", Access::kCustomerProtected, create);
  add_hashing("PATCH", "/customers/{customer_id}/users/{user_id}", Access::kCustomerProtected,
              change);
  add("GET", "/operators", Access::kOperator, list_operators);
  add_hashing("POST", "/operators", Access::kOperator, create_operator);
  add_hashing("PATCH", "/operators/{user_id}", Access::kOperator, change_operator);
}

}  // namespace vigia::monitor::api
