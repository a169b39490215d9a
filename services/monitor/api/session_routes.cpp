// Logging in and out, one's own password and sessions.
#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/parts.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/sessions.hpp"
#include "services/monitor/store/users.hpp"

namespace vigia::monitor::api {
namespace {

std::string without_kind(const std::string& name) { return name.substr(name.find(':') + 1); }

Result<std::string> write_session(const access::Principal& principal, store::Database& database) {
  std::optional<std::string> customer_name;
  if (principal.customer) {
    auto customer = database.read([&](store::Connection& connection) {
      return store::find_customer(*principal.customer, connection);
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

ApiResult log_in(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  const auto user = body.text("user", 1, kUserCharactersMax);
  const auto password = body.text("password", 1, kPasswordCharactersMax);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  auto logged_in = parts.authenticator.log_in(user, password, call.request);
  if (!logged_in) return refuse(logged_in.error());
  *call.logged_in = logged_in->principal;
  auto text = write_session(logged_in->principal, parts.database);
  if (!text) return refuse(text.error());
  auto response = json_answer(200, std::move(*text));
  response.headers.add("set-cookie", logged_in->cookie);
  return response;
}

ApiResult show(const ApiCall& call, const ApiParts& parts) {
  auto text = write_session(call.principal, parts.database);
  if (!text) return refuse(text.error());
  return json_answer(200, std::move(*text));
}

ApiResult log_out(const ApiCall& call, const ApiParts& parts) {
  auto done = parts.database.write([&](store::Connection& connection) -> Result<void> {
    auto ended = store::end_session(call.principal.user_id, call.principal.session_id, connection);
    if (!ended) return forward(ended);
    auto& notes = parts.authenticator.notes();
    const access::SessionEvent event{"session.close", without_kind(call.principal.name),
                                     call.principal.customer, call.request.peer};
    // In the same transaction as the end of the session: a log-out without its entry, or the
    // reverse, cannot be.
    if (!notes.is_entry(event)) return {};
    return store::append_audit(notes.entry_of(event), connection);
  });
  if (!done) return refuse(done.error());
  auto response = no_content();
  response.headers.add("set-cookie", parts.authenticator.clearing_cookie());
  return response;
}

ApiResult change_password(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  const auto current = body.text("current_password", 1, kPasswordCharactersMax);
  const auto wanted = body.text("new_password", 1, kPasswordCharactersMax);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  const auto name = without_kind(call.principal.name);
  // The session alone is not enough: whoever finds an open browser must not take over the account.
  auto confirmed = parts.authenticator.confirm_password(name, current, call.request.peer);
  if (!confirmed) return refuse(confirmed.error());
  if (!*confirmed) return forbidden("current_password is wrong");
  auto checked = access::check_password_rules(wanted, name);
  if (!checked) return refuse(checked.error());
  auto hashed = parts.hasher.hash(wanted);
  if (!hashed) return refuse(hashed.error());
  auto done = parts.database.write([&](store::Connection& connection) -> Result<void> {
    const auto& id = call.principal.user_id;
    auto replaced =
        store::replace_password_hash(id, (*confirmed)->password_hash, *hashed, connection);
    if (!replaced) return forward(replaced);
    if (!*replaced) {
      return fail(ErrorCode::kForbidden, "current_password is wrong: it was changed just now");
    }
    auto ended = store::end_other_sessions(id, call.principal.session_id, connection);
    if (!ended) return forward(ended);
    return store::append_audit(audit_of(call, parts.clock, "user.password", name), connection);
  });
  if (!done) return refuse(done.error());
  return no_content();
}

ApiResult list_own(const ApiCall& call, const ApiParts& parts) {
  auto sessions = parts.database.read([&](store::Connection& connection) {
    return store::list_sessions(call.principal.user_id, connection);
  });
  if (!sessions) return refuse(sessions.error());
  const auto now_ms = parts.clock.wall_ms();
  const auto idle_max_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts.settings.session.idle_max)
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
  return json_answer(200, writer.take());
}

ApiResult end_own(const ApiCall& call, const ApiParts& parts) {
  const auto id = call.path.at("session_id");
  auto ended = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    auto done = store::end_session(call.principal.user_id, id, connection);
    if (!done || !*done) return done;
    auto audited = store::append_audit(audit_of(call, parts.clock, "session.end", id), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!ended) return refuse(ended.error());
  if (!*ended) return not_found();
  return no_content();
}

}  // namespace

void add_session_routes(ApiTable& table, ApiParts parts) {
  const auto add = [&](std::string method, std::string path, Access access, auto function) {
    table.add(std::move(method), std::move(path), access,
              [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  const auto add_hashing = [&](std::string method, std::string path, Access access, auto function) {
    table.add_hashing(std::move(method), std::move(path), access,
                      [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  add_hashing("POST", "/session", Access::kPublic, log_in);
  add("GET", "/session", Access::kLoggedIn, show);
  add("DELETE", "/session", Access::kSession, log_out);
  add_hashing("POST", "/session/password", Access::kSession, change_password);
  add("GET", "/sessions", Access::kSession, list_own);
  add("DELETE", "/sessions/{session_id}", Access::kSession, end_own);
}

}  // namespace vigia::monitor::api
