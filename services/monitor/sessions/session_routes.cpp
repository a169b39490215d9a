#include "services/monitor/sessions/session_routes.hpp"

#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/call_audit.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/sessions/sessions.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/users/limits.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::sessions {
namespace {

std::string without_kind(const std::string& name) { return name.substr(name.find(':') + 1); }

Result<std::string> write_session(const access::Principal& principal, store::Database& database) {
  std::optional<std::string> customer_name;
  if (principal.customer) {
    auto customer = database.read([&](store::DatabaseConnection& connection) {
      return customers::find_customer(*principal.customer, connection);
    });
    if (!customer) return forward(customer);
    if (*customer) customer_name = (*customer)->name;
  }
  json::JsonWriter writer;
  writer.begin_object()
      .member("user", without_kind(principal.name))
      .member("role", principal.is_operator() ? "operator" : "customer")
      .member_or_null("customer_id",
                      principal.customer ? std::optional(principal.customer->text()) : std::nullopt)
      .member_or_null("customer_name", customer_name)
      .member_or_null("csrf_token", principal.csrf_token.empty()
                                        ? std::nullopt
                                        : std::optional(principal.csrf_token))
      .member_time("expires_at", principal.expires_ms)
      .member_time("idle_expires_at", principal.idle_expires_ms)
      .end_object();
  return writer.take();
}

api::ApiResult log_in(const api::ApiCall& call, const SessionParts& parts) {
  api::BodyReader body(call.body);
  const auto user = body.text("user", 1, users::kUserCharactersMax);
  const auto password = body.text("password", 1, users::kPasswordCharactersMax);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  auto logged_in = parts.authenticator.log_in(user, password, call.request);
  if (!logged_in) return api::refuse(logged_in.error());
  *call.logged_in = logged_in->principal;
  auto text = write_session(logged_in->principal, parts.database);
  if (!text) return api::refuse(text.error());
  auto response = api::json_answer(200, std::move(*text));
  response.headers.add("set-cookie", logged_in->cookie);
  return response;
}

api::ApiResult show(const api::ApiCall& call, const SessionParts& parts) {
  auto text = write_session(call.principal, parts.database);
  if (!text) return api::refuse(text.error());
  return api::json_answer(200, std::move(*text));
}

api::ApiResult log_out(const api::ApiCall& call, const SessionParts& parts) {
  auto done = parts.database.write([&](store::DatabaseConnection& connection) -> Result<void> {
    auto ended = end_session(call.principal.user_id, call.principal.session_id, connection);
    if (!ended) return forward(ended);
    auto& notes = parts.authenticator.notes();
    const SessionEvent event{"session.close", without_kind(call.principal.name),
                             call.principal.customer, call.request.peer};
    // In the same transaction as the end of the session: a log-out without its entry, or the
    // reverse, cannot be.
    if (!notes.is_entry(event)) return {};
    return store::append_audit(notes.entry_of(event), connection);
  });
  if (!done) return api::refuse(done.error());
  auto response = api::no_content();
  response.headers.add("set-cookie", parts.authenticator.clearing_cookie());
  return response;
}

api::ApiResult change_password(const api::ApiCall& call, const SessionParts& parts) {
  api::BodyReader body(call.body);
  const auto current = body.text("current_password", 1, users::kPasswordCharactersMax);
  const auto wanted = body.text("new_password", 1, users::kPasswordCharactersMax);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  const auto name = without_kind(call.principal.name);
  // The session alone is not enough: whoever finds an open browser must not take over the account.
  auto confirmed = parts.authenticator.confirm_password(name, current, call.request.peer);
  if (!confirmed) return api::refuse(confirmed.error());
  if (!*confirmed) return api::forbidden("current_password is wrong");
  auto checked = users::check_password_rules(wanted, name);
  if (!checked) return api::refuse(checked.error());
  auto hashed = parts.hasher.hash(wanted);
  if (!hashed) return api::refuse(hashed.error());
  auto done = parts.database.write([&](store::DatabaseConnection& connection) -> Result<void> {
    const auto& id = call.principal.user_id;
    auto replaced =
        users::replace_password_hash(id, (*confirmed)->password_hash, *hashed, connection);
    if (!replaced) return forward(replaced);
    if (!*replaced) {
      return fail(ErrorCode::kForbidden, "current_password is wrong: it was changed just now");
    }
    auto ended = end_other_sessions(id, call.principal.session_id, connection);
    if (!ended) return forward(ended);
    return store::append_audit(api::audit_of(call, parts.clock, "user.password", name), connection);
  });
  if (!done) return api::refuse(done.error());
  return api::no_content();
}

api::ApiResult list_own(const api::ApiCall& call, const SessionParts& parts) {
  auto sessions = parts.database.read([&](store::DatabaseConnection& connection) {
    return list_sessions(call.principal.user_id, connection);
  });
  if (!sessions) return api::refuse(sessions.error());
  const auto now_ms = parts.clock.wall_ms();
  const auto idle_max_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts.authenticator.settings().idle_max)
          .count();
  json::JsonWriter writer;
  writer.begin_object().key("sessions").begin_array();
  for (const auto& session : *sessions) {
    // Ended ones stay in the table until the user has too many: see the authenticator.
    if (!session.is_valid(now_ms, idle_max_ms)) continue;
    writer.begin_object()
        .member("id", session.id)
        .member_time("created_at", session.created_ms)
        .member_time("last_used_at", session.last_used_ms)
        .member("address", session.address)
        .member("user_agent", session.user_agent)
        .member_bool("is_current", session.id == call.principal.session_id)
        .end_object();
  }
  writer.end_array().end_object();
  return api::json_answer(200, writer.take());
}

api::ApiResult end_own(const api::ApiCall& call, const SessionParts& parts) {
  const auto id = call.path.at("session_id");
  auto ended = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto done = end_session(call.principal.user_id, id, connection);
    if (!done || !*done) return done;
    auto audited =
        store::append_audit(api::audit_of(call, parts.clock, "session.end", id), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!ended) return api::refuse(ended.error());
  if (!*ended) return api::not_found();
  return api::no_content();
}

}  // namespace

void add_session_routes(api::ApiTable& table, SessionParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add_hashing("POST", "/session", api::Access::kPublic, log_in);
  routes.add("GET", "/session", api::Access::kLoggedIn, show);
  routes.add("DELETE", "/session", api::Access::kSession, log_out);
  routes.add_hashing("POST", "/session/password", api::Access::kSession, change_password);
  routes.add("GET", "/sessions", api::Access::kSession, list_own);
  routes.add("DELETE", "/sessions/{session_id}", api::Access::kSession, end_own);
}

}  // namespace vigia::monitor::sessions
