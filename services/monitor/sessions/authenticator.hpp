// From a request's cookie or bearer token to the principal; log-in and log-out (A3 to A6).
#pragma once

#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/net/message.hpp"
#include "services/monitor/access/principal.hpp"
#include "services/monitor/access/throttle.hpp"
#include "services/monitor/sessions/session_notes.hpp"
#include "services/monitor/sessions/sessions.hpp"
#include "services/monitor/sessions/settings.hpp"
#include "services/monitor/store/database.hpp"
#include "services/monitor/users/password.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::sessions {

struct LoggedIn {
  access::Principal principal;
  std::string cookie;  ///< value of Set-Cookie
};

/// Thread contract: any thread but an event loop; calls block.
class Authenticator {
 public:
  Authenticator(store::Database& database, users::PasswordHasher& hasher, const Clock& clock,
                SessionSettings settings)
      : database_(database),
        hasher_(hasher),
        clock_(clock),
        throttle_(clock),
        notes_(database, clock),
        settings_(settings) {}

  /// kUnauthenticated, one message for every reason; kInvalid for two Authorization headers.
  Result<access::Principal> authenticate(const net::RequestHead& head);
  /// kUnauthenticated with the same message and the same work for every reason, kOverLimit with
  /// retry_after while the caller is slowed down.
  Result<LoggedIn> log_in(const std::string& user, const std::string& password,
                          const net::RequestHead& head);
  /// The user, as stored when the password was found to be theirs; nothing where it is not. Slowed
  /// down like a log-in.
  Result<std::optional<users::UserRow>> confirm_password(const std::string& user_name,
                                                         const std::string& password,
                                                         const std::string& address);
  /// Whether one of the user's sessions was opened from there (by host; of IPv6 its network).
  bool has_logged_in(const std::string& user_name, const std::string& address);
  /// How log-ins and log-outs come into the audit log.
  SessionNotes& notes() { return notes_; }
  /// Value of Set-Cookie that clears the cookie.
  std::string clearing_cookie() const;
  const SessionSettings& settings() const { return settings_; }

 private:
  Result<access::Principal> from_token(std::string_view token);
  Result<access::Principal> from_cookie(std::string_view token);
  /// The user with today's hash, where the stored one was made with other parameters.
  Result<users::UserRow> with_current_hash(users::UserRow user, const std::string& password);
  Result<LoggedIn> open_session(const users::UserRow& confirmed, const net::RequestHead& head);
  SessionRow new_session(const std::string& user_id, const std::string& token, std::int64_t now_ms,
                         const net::RequestHead& head) const;
  std::string cookie_name() const { return settings_.is_secure ? "__Host-vigia" : "vigia"; }
  std::string cookie_attributes() const;

  store::Database& database_;
  users::PasswordHasher& hasher_;
  const Clock& clock_;
  access::LoginThrottle throttle_;
  SessionNotes notes_;
  SessionSettings settings_;
};

/// The value of one cookie of a Cookie header; "" where it is not there.
std::string_view cookie_value(std::string_view header, std::string_view name);

}  // namespace vigia::monitor::sessions
