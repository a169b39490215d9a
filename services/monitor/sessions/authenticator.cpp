#include "services/monitor/sessions/authenticator.hpp"

#include <algorithm>
#include <optional>

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/net/bearer_token.hpp"
#include "services/monitor/access/client_address.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/sessions/limits.hpp"
#include "services/monitor/sessions/sessions.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::sessions {
namespace {

constexpr std::size_t kSessionTokenBytes = 32;
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kUserAgentCharactersMax = 200;
constexpr std::int64_t kTouchEveryMs = 60'000;  // a page that refreshes must not write each time

constexpr std::string_view kNotLoggedIn = "log in first: no session, or it has ended";
constexpr std::string_view kWrongLogin = "wrong user or password";

std::int64_t to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// Nothing is stored for it: who has the session's cookie can be told the CSRF token again.
std::string csrf_of(std::string_view session_token) {
  return sha256_hex(std::string("vigia csrf\n") + std::string(session_token));
}

// What one look at the database says about a session's owner.
struct Owner {
  SessionRow session;
  users::UserRow user;
};

Result<std::optional<users::UserRow>> find_any_user(const std::string& user_id,
                                                    store::DatabaseConnection& connection) {
  auto rows = connection.query("SELECT name FROM users WHERE id = :a", {user_id});
  if (!rows) return forward(rows);
  if (rows->empty()) return std::nullopt;
  return users::find_user_by_name(rows->front().text(0), connection);
}

Result<bool> is_allowed(const users::UserRow& user, store::DatabaseConnection& connection) {
  if (!user.is_enabled) return false;
  if (!user.customer) return true;
  auto customer = customers::find_customer(*user.customer, connection);
  if (!customer) return forward(customer);
  return *customer && (*customer)->is_enabled;
}

Result<std::optional<Owner>> find_owner(const std::string& token_sha256, std::int64_t now_ms,
                                        std::int64_t idle_max_ms,
                                        store::DatabaseConnection& connection) {
  auto session = find_session(token_sha256, connection);
  if (!session) return forward(session);
  if (!*session) return std::nullopt;
  if (!(*session)->is_valid(now_ms, idle_max_ms)) return std::nullopt;
  auto user = find_any_user((*session)->user_id, connection);
  if (!user) return forward(user);
  if (!*user) return std::nullopt;
  auto allowed = is_allowed(**user, connection);
  if (!allowed) return forward(allowed);
  if (!*allowed) return std::nullopt;
  return Owner{**session, **user};
}

access::Principal principal_of(const users::UserRow& user, const SessionRow& session,
                               std::string_view token, std::int64_t idle_max_ms) {
  access::Principal principal;
  principal.user_id = user.id;
  principal.name = "user:" + user.name;
  principal.customer = user.customer;
  principal.session_id = session.id;
  principal.csrf_token = csrf_of(token);
  principal.expires_ms = session.expires_ms;
  principal.idle_expires_ms = std::min(session.expires_ms, session.last_used_ms + idle_max_ms);
  return principal;
}

// Ends a try whatever becomes of it.
class Try {
 public:
  Try(access::LoginThrottle& throttle, const std::string& user, const std::string& address)
      : throttle_(throttle), user_(user), address_(address) {}
  Try(const Try&) = delete;
  Try& operator=(const Try&) = delete;
  ~Try() { throttle_.end_try(user_, address_, outcome_); }
  void is_right(bool right) {
    outcome_ =
        right ? access::LoginThrottle::Outcome::kRight : access::LoginThrottle::Outcome::kWrong;
  }

 private:
  access::LoginThrottle& throttle_;
  const std::string& user_;
  const std::string& address_;
  access::LoginThrottle::Outcome outcome_ = access::LoginThrottle::Outcome::kUndecided;
};

// The oldest sessions above the limit go, and nothing else: one that is over is refused by its
// times, and a clock that is ahead for a moment must end nobody's for good.
Result<void> trim_sessions(const std::string& user_id, store::DatabaseConnection& connection) {
  auto sessions = list_sessions(user_id, connection);
  if (!sessions) return forward(sessions);
  for (std::size_t i = kSessionsPerUserMax - 1; i < sessions->size(); ++i) {
    auto ended = end_session(user_id, (*sessions)[i].id, connection);
    if (!ended) return forward(ended);
  }
  return {};
}

}  // namespace

std::string_view cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const auto end = header.find(';');
    auto part = header.substr(0, end);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=') {
      return part.substr(name.size() + 1);
    }
  }
  return {};
}

Result<access::Principal> Authenticator::authenticate(const net::RequestHead& head) {
  // A proxy in front may have checked the other one.
  if (head.headers.count("authorization") > 1) {
    return fail(ErrorCode::kInvalid, "several Authorization headers");
  }
  const auto authorization = head.headers.get("authorization");
  if (!authorization.empty()) {
    const auto token = net::bearer_token(authorization);
    if (!token) return fail(ErrorCode::kUnauthenticated, std::string(kNotLoggedIn));
    return from_token(*token);
  }
  return from_cookie(cookie_value(head.headers.get("cookie"), cookie_name()));
}

Result<access::Principal> Authenticator::from_token(std::string_view token) {
  const auto now_ms = clock_.wall_ms();
  return database_.read([&](store::DatabaseConnection& connection) -> Result<access::Principal> {
    auto found = tokens::find_token_by_hash(sha256_hex(token), connection);
    if (!found) return forward(found);
    if (!*found || !(*found)->is_valid(now_ms) || (*found)->scope == "ingest") {
      return fail(ErrorCode::kUnauthenticated, "unknown, expired or revoked token");
    }
    access::Principal principal;
    principal.name = "token:" + (*found)->name;
    principal.customer = (*found)->customer;
    principal.may_change = !principal.customer && (*found)->scope == "manage";
    principal.expires_ms = (*found)->expires_ms;
    if (principal.customer) {
      auto customer = customers::find_customer(*principal.customer, connection);
      if (!customer) return forward(customer);
      if (!*customer || !(*customer)->is_enabled) {
        return fail(ErrorCode::kUnauthenticated, "unknown, expired or revoked token");
      }
    }
    return principal;
  });
}

Result<access::Principal> Authenticator::from_cookie(std::string_view token) {
  if (token.empty()) return fail(ErrorCode::kUnauthenticated, std::string(kNotLoggedIn));
  const auto now_ms = clock_.wall_ms();
  const auto idle_max_ms = to_ms(settings_.idle_max);
  auto owner = database_.read([&](store::DatabaseConnection& connection) {
    return find_owner(sha256_hex(token), now_ms, idle_max_ms, connection);
  });
  if (!owner) return forward(owner);
  if (!*owner) return fail(ErrorCode::kUnauthenticated, std::string(kNotLoggedIn));
  SessionRow& session = (*owner)->session;
  // Not with every request: each would be a write, and writes are one after another. One that fails
  // is the database's to tell (DriverFailures): whoever reads is not locked out by a full disk.
  if (now_ms - session.last_used_ms >= kTouchEveryMs) {
    const auto touched = database_.write([&](store::DatabaseConnection& connection) {
      return touch_session(session.id, now_ms, connection);
    });
    if (touched) session.last_used_ms = now_ms;
  }
  return principal_of((*owner)->user, session, token, idle_max_ms);
}

// By its sessions, so that a restart forgets nobody; one of a user who has ended them all is a
// stranger again.
bool Authenticator::has_logged_in(const std::string& user_name, const std::string& address) {
  const auto known = database_.read([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto user = users::find_user_by_name(user_name, connection);
    if (!user) return forward(user);
    if (!*user) return false;
    auto sessions = list_sessions((*user)->id, connection);
    if (!sessions) return forward(sessions);
    return std::any_of(sessions->begin(), sessions->end(), [&](const SessionRow& session) {
      return access::caller_key(session.address) == access::caller_key(address);
    });
  });
  return known && *known;
}

Result<std::optional<users::UserRow>> Authenticator::confirm_password(const std::string& user_name,
                                                                      const std::string& password,
                                                                      const std::string& address) {
  auto wait = throttle_.begin_try(user_name, address);
  if (wait && has_logged_in(user_name, address)) {
    wait = throttle_.begin_try(user_name, address, true);
  }
  if (wait) {
    return tl::unexpected<Error>(
        Error{ErrorCode::kOverLimit, "too many failed tries, wait a little", *wait});
  }
  Try one(throttle_, user_name, address);
  auto user = database_.read([&](store::DatabaseConnection& connection) {
    return users::find_user_by_name(user_name, connection);
  });
  if (!user) return forward(user);
  // Hashed for an unknown user as well: the time of the answer must not tell who exists.
  auto matches = hasher_.matches(password, *user ? (*user)->password_hash : std::string());
  if (!matches) return forward(matches);
  one.is_right(*matches);
  if (*matches) return user;
  return std::nullopt;
}

Result<LoggedIn> Authenticator::log_in(const std::string& user_name, const std::string& password,
                                       const net::RequestHead& head) {
  auto user = confirm_password(user_name, password, head.peer);
  if (!user) return forward(user);
  auto allowed = database_.read([&](store::DatabaseConnection& connection) -> Result<bool> {
    if (!*user) return false;
    return is_allowed(**user, connection);
  });
  if (!allowed) return forward(allowed);
  if (!*allowed) {
    if (*user) throttle_.note_failure(user_name, head.peer);
    auto noted = notes_.note(SessionEvent{"session.refused", user_name, std::nullopt, head.peer});
    if (!noted) return forward(noted);
    return fail(ErrorCode::kUnauthenticated, std::string(kWrongLogin));
  }
  auto current = with_current_hash(std::move(**user), password);
  if (!current) return forward(current);
  return open_session(*current, head);
}

Result<users::UserRow> Authenticator::with_current_hash(users::UserRow user,
                                                        const std::string& password) {
  if (!users::PasswordHasher::is_outdated(user.password_hash)) return user;
  auto hashed = hasher_.hash(password);
  if (!hashed) return forward(hashed);
  auto replaced = database_.write([&](store::DatabaseConnection& connection) {
    return users::replace_password_hash(user.id, user.password_hash, *hashed, connection);
  });
  if (!replaced) return forward(replaced);
  if (*replaced) user.password_hash = std::move(*hashed);
  return user;
}

// The cookie holds the token, the database only its hash: a copy of the database opens no session.
SessionRow Authenticator::new_session(const std::string& user_id, const std::string& token,
                                      std::int64_t now_ms, const net::RequestHead& head) const {
  return {to_hex(random_bytes(kIdBytes)),
          sha256_hex(token),
          user_id,
          now_ms,
          now_ms,
          now_ms + to_ms(settings_.absolute_max),
          head.peer,
          std::string(head.headers.get("user-agent").substr(0, kUserAgentCharactersMax))};
}

Result<LoggedIn> Authenticator::open_session(const users::UserRow& confirmed,
                                             const net::RequestHead& head) {
  const auto token = to_hex(random_bytes(kSessionTokenBytes));
  const auto now_ms = clock_.wall_ms();
  const auto idle_max_ms = to_ms(settings_.idle_max);
  return database_.write([&](store::DatabaseConnection& connection) -> Result<LoggedIn> {
    // Looked at again: since the password was checked the user may have been switched off or given
    // another password, which ends what the old one opened.
    auto user = users::find_user_by_name(confirmed.name, connection);
    if (!user) return forward(user);
    if (!*user || (*user)->password_hash != confirmed.password_hash) {
      return fail(ErrorCode::kUnauthenticated, std::string(kWrongLogin));
    }
    auto allowed = is_allowed(**user, connection);
    if (!allowed) return forward(allowed);
    if (!*allowed) return fail(ErrorCode::kUnauthenticated, std::string(kWrongLogin));
    auto trimmed = trim_sessions((*user)->id, connection);
    if (!trimmed) return forward(trimmed);
    const auto session = new_session((*user)->id, token, now_ms, head);
    auto inserted = insert_session(session, connection);
    if (!inserted) return forward(inserted);
    auto noted = users::note_login((*user)->id, now_ms, connection);
    if (!noted) return forward(noted);
    const SessionEvent event{"session.open", (*user)->name, (*user)->customer, head.peer};
    if (notes_.is_entry(event)) {
      auto audited = store::append_audit(notes_.entry_of(event), connection);
      if (!audited) return forward(audited);
    }
    return LoggedIn{principal_of(**user, session, token, idle_max_ms),
                    cookie_name() + "=" + token + cookie_attributes()};
  });
}

std::string Authenticator::cookie_attributes() const {
  return settings_.is_secure ? "; Path=/; HttpOnly; SameSite=Strict; Secure"
                             : "; Path=/; HttpOnly; SameSite=Strict";
}

std::string Authenticator::clearing_cookie() const {
  return cookie_name() + "=" + cookie_attributes() + "; Max-Age=0";
}

}  // namespace vigia::monitor::sessions
