// People who log in, in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::users {

/// What a change names; the rest stays as it is in the database at that moment, so that two changes
/// at once never undo each other.
struct UserChange {
  std::optional<std::string> password_hash = {};
  std::optional<bool> is_enabled = {};
};

struct UserRow {
  std::string id;
  std::optional<CustomerId> customer;  ///< nothing: an operator
  std::string name;
  std::string password_hash;
  bool is_enabled = true;
  std::int64_t created_ms = 0;
  std::int64_t last_login_ms = 0;  ///< 0: never
};

/// Users of a customer, or with nothing the operators; by name.
Result<std::vector<UserRow>> list_users(const std::optional<CustomerId>& customer,
                                        store::DatabaseConnection& connection);
/// How many of them may log in.
Result<std::size_t> count_enabled_users(const std::optional<CustomerId>& customer,
                                        store::DatabaseConnection& connection);
/// Forgets the oldest of those who may not, with their sessions, so that `kept_max` are left. Their
/// names are free again; what they did is in the audit log.
Result<void> forget_disabled_users(const std::optional<CustomerId>& customer, std::size_t kept_max,
                                   store::DatabaseConnection& connection);
/// By the name typed at log-in; capital letters of ASCII do not matter.
Result<std::optional<UserRow>> find_user_by_name(const std::string& name,
                                                 store::DatabaseConnection& connection);
/// A user of exactly that owner.
Result<std::optional<UserRow>> find_user(const std::optional<CustomerId>& customer,
                                         const std::string& id,
                                         store::DatabaseConnection& connection);
/// False where the name is taken anywhere in the installation.
Result<bool> insert_user(const UserRow& user, store::DatabaseConnection& connection);
/// False where that owner has no such user.
Result<bool> change_user(const std::optional<CustomerId>& customer, const std::string& id,
                         const UserChange& change, store::DatabaseConnection& connection);
/// False, and nothing done, where the user's hash is no longer `old_hash`.
Result<bool> replace_password_hash(const std::string& user_id, const std::string& old_hash,
                                   const std::string& new_hash,
                                   store::DatabaseConnection& connection);
Result<void> note_login(const std::string& user_id, std::int64_t now_ms,
                        store::DatabaseConnection& connection);

}  // namespace vigia::monitor::users
