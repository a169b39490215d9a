#include "services/monitor/users/users.hpp"

#include <algorithm>

#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::users {
namespace {

constexpr std::string_view kSelect =
    "SELECT id, customer_id, name, password_hash, is_enabled, created_ms, last_login_ms "
    "FROM users ";

std::string owner_text(const std::optional<CustomerId>& customer) {
  return customer ? customer->text() : std::string();
}

// Names are unique in any case of ASCII letters. Not by LOWER(): SQLite and PostgreSQL differ in it
// beyond ASCII.
std::string name_key(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

Result<UserRow> read_user(const store::Row& row) {
  UserRow user;
  user.id = row.text(0);
  if (!row.text(1).empty()) {
    auto customer = CustomerId::parse(row.text(1));
    if (!customer) return forward(customer);
    user.customer = std::move(*customer);
  }
  user.name = row.text(2);
  user.password_hash = row.text(3);
  user.is_enabled = row.boolean(4);
  user.created_ms = row.integer(5);
  user.last_login_ms = row.integer(6);
  return user;
}

Result<std::vector<UserRow>> select_users(const std::string& where,
                                          const std::vector<store::Value>& values,
                                          store::DatabaseConnection& connection) {
  auto rows = connection.query(std::string(kSelect) + where, values);
  if (!rows) return forward(rows);
  return store::read_each("users", *rows, connection, read_user);
}

Result<std::optional<UserRow>> select_one(const std::string& where,
                                          const std::vector<store::Value>& values,
                                          store::DatabaseConnection& connection) {
  auto users = select_users(where, values, connection);
  if (!users) return forward(users);
  if (users->empty()) return std::nullopt;
  return std::optional(std::move(users->front()));
}

}  // namespace

Result<std::vector<UserRow>> list_users(const std::optional<CustomerId>& customer,
                                        store::DatabaseConnection& connection) {
  return select_users("WHERE customer_id = :c ORDER BY name_key", {owner_text(customer)},
                      connection);
}

Result<std::size_t> count_enabled_users(const std::optional<CustomerId>& customer,
                                        store::DatabaseConnection& connection) {
  auto rows = connection.query("SELECT id FROM users WHERE customer_id = :a AND is_enabled <> 0",
                               {owner_text(customer)});
  if (!rows) return forward(rows);
  return rows->size();
}

Result<void> forget_disabled_users(const std::optional<CustomerId>& customer, std::size_t kept_max,
                                   store::DatabaseConnection& connection) {
  auto rows = connection.query(
      "SELECT id FROM users WHERE customer_id = :a AND is_enabled = 0 "
      "ORDER BY created_ms DESC, id LIMIT 1000 OFFSET :b",
      {owner_text(customer), static_cast<std::int64_t>(kept_max)});
  if (!rows) return forward(rows);
  for (const auto& row : *rows) {
    // Sessions first: they refer to the user.
    for (const char* statement :
         {"DELETE FROM sessions WHERE user_id = :a", "DELETE FROM users WHERE id = :a"}) {
      auto done = connection.execute(statement, {row.text(0)});
      if (!done) return forward(done);
    }
  }
  return {};
}

Result<std::optional<UserRow>> find_user_by_name(const std::string& name,
                                                 store::DatabaseConnection& connection) {
  return select_one("WHERE name_key = :n", {name_key(name)}, connection);
}

// The owner is part of every condition: an id of another customer's is not found, in whatever way a
// caller got hold of it.
Result<std::optional<UserRow>> find_user(const std::optional<CustomerId>& customer,
                                         const std::string& id,
                                         store::DatabaseConnection& connection) {
  return select_one("WHERE id = :i AND customer_id = :c", {id, owner_text(customer)}, connection);
}

Result<bool> insert_user(const UserRow& user, store::DatabaseConnection& connection) {
  auto existing = find_user_by_name(user.name, connection);
  if (!existing) return forward(existing);
  if (*existing) return false;
  auto done = connection.execute(
      "INSERT INTO users (id, customer_id, name, name_key, password_hash, is_enabled, created_ms, "
      "last_login_ms) VALUES (:a, :b, :c, :d, :e, :f, :g, 0)",
      {user.id, owner_text(user.customer), user.name, name_key(user.name), user.password_hash,
       std::int64_t{user.is_enabled}, user.created_ms});
  if (!done) return forward(done);
  return true;
}

Result<bool> change_user(const std::optional<CustomerId>& customer, const std::string& id,
                         const UserChange& change, store::DatabaseConnection& connection) {
  auto done = connection.execute(
      "UPDATE users SET password_hash = COALESCE(:a, password_hash), "
      "is_enabled = COALESCE(:b, is_enabled) WHERE id = :c AND customer_id = :d",
      {store::value_or_null(change.password_hash), store::value_or_null(change.is_enabled), id,
       owner_text(customer)});
  if (!done) return forward(done);
  return *done > 0;
}

Result<bool> replace_password_hash(const std::string& user_id, const std::string& old_hash,
                                   const std::string& new_hash,
                                   store::DatabaseConnection& connection) {
  auto done =
      // Only while the hash is the one that was confirmed: of two changes at once, the second has
      // proved a password that is not valid any more.
      connection.execute("UPDATE users SET password_hash = :a WHERE id = :b AND password_hash = :c",
                         {new_hash, user_id, old_hash});
  if (!done) return forward(done);
  return *done > 0;
}

Result<void> note_login(const std::string& user_id, std::int64_t now_ms,
                        store::DatabaseConnection& connection) {
  auto done =
      connection.execute("UPDATE users SET last_login_ms = :a WHERE id = :b", {now_ms, user_id});
  if (!done) return forward(done);
  return {};
}

}  // namespace vigia::monitor::users
