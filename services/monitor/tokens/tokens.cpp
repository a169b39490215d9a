#include "services/monitor/tokens/tokens.hpp"

#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::tokens {
namespace {

constexpr std::string_view kSelect =
    "SELECT id, customer_id, name, scope, token_sha256, created_by, created_ms, expires_ms, "
    "revoked_ms FROM tokens ";

std::string owner_text(const std::optional<CustomerId>& customer) {
  return customer ? customer->text() : std::string();
}

Result<TokenRow> read_token(const store::Row& row) {
  TokenRow token;
  token.id = row.text(0);
  if (!row.text(1).empty()) {
    auto customer = CustomerId::parse(row.text(1));
    if (!customer) return forward(customer);
    token.customer = std::move(*customer);
  }
  token.name = row.text(2);
  token.scope = row.text(3);
  token.token_sha256 = row.text(4);
  token.created_by = row.text(5);
  token.created_ms = row.integer(6);
  token.expires_ms = row.integer(7);
  token.revoked_ms = row.integer(8);
  return token;
}

Result<std::vector<TokenRow>> select_tokens(const std::string& where,
                                            const std::vector<store::Value>& values,
                                            store::DatabaseConnection& connection) {
  auto rows = connection.query(std::string(kSelect) + where, values);
  if (!rows) return forward(rows);
  return store::read_each("tokens", *rows, connection, read_token);
}

}  // namespace

Result<std::vector<TokenRow>> list_tokens(const std::optional<CustomerId>& customer,
                                          store::DatabaseConnection& connection) {
  return select_tokens("WHERE customer_id = :c ORDER BY created_ms DESC, id",
                       {owner_text(customer)}, connection);
}

Result<std::vector<TokenRow>> list_live_tokens(store::DatabaseConnection& connection) {
  return select_tokens("WHERE revoked_ms = 0 ORDER BY customer_id, id", {}, connection);
}

Result<std::optional<TokenRow>> find_token_by_hash(const std::string& token_sha256,
                                                   store::DatabaseConnection& connection) {
  auto tokens = select_tokens("WHERE token_sha256 = :h", {token_sha256}, connection);
  if (!tokens) return forward(tokens);
  if (tokens->empty()) return std::nullopt;
  return std::optional(std::move(tokens->front()));
}

Result<std::optional<TokenRow>> find_token(const std::optional<CustomerId>& customer,
                                           const std::string& id,
                                           store::DatabaseConnection& connection) {
  auto tokens =
      select_tokens("WHERE id = :i AND customer_id = :c", {id, owner_text(customer)}, connection);
  if (!tokens) return forward(tokens);
  if (tokens->empty()) return std::nullopt;
  return std::optional(std::move(tokens->front()));
}

Result<std::size_t> count_valid_tokens(const std::optional<CustomerId>& customer,
                                       std::int64_t now_ms, store::DatabaseConnection& connection) {
  auto rows = connection.query(
      "SELECT id FROM tokens WHERE customer_id = :a AND revoked_ms = 0 "
      "AND (expires_ms = 0 OR expires_ms > :b)",
      {owner_text(customer), now_ms});
  if (!rows) return forward(rows);
  return rows->size();
}

Result<void> forget_old_tokens(const std::optional<CustomerId>& customer, std::size_t made_since,
                               store::DatabaseConnection& connection) {
  auto rows = connection.query(
      "SELECT created_ms FROM tokens WHERE customer_id = :a ORDER BY created_ms DESC "
      "LIMIT 1 OFFSET :b",
      {owner_text(customer), static_cast<std::int64_t>(made_since) - 1});
  if (!rows) return forward(rows);
  if (rows->empty()) return {};
  // By the time of the newest `made_since`: what ended before those were made goes, and a token
  // that is still valid never does.
  const std::int64_t since_ms = rows->front().integer(0);
  auto done = connection.execute(
      "DELETE FROM tokens WHERE customer_id = :a AND ((revoked_ms > 0 AND revoked_ms < :b) "
      "OR (expires_ms > 0 AND expires_ms < :c))",
      {owner_text(customer), since_ms, since_ms});
  if (!done) return forward(done);
  return {};
}

Result<void> insert_token(const TokenRow& token, store::DatabaseConnection& connection) {
  auto done = connection.execute(
      "INSERT INTO tokens (id, customer_id, name, scope, token_sha256, created_by, created_ms, "
      "expires_ms, revoked_ms) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, 0)",
      {token.id, owner_text(token.customer), token.name, token.scope, token.token_sha256,
       token.created_by, token.created_ms, token.expires_ms});
  if (!done) return forward(done);
  return {};
}

Result<bool> revoke_token(const std::optional<CustomerId>& customer, const std::string& id,
                          std::int64_t now_ms, store::DatabaseConnection& connection) {
  auto rows = connection.query("SELECT revoked_ms FROM tokens WHERE id = :a AND customer_id = :b",
                               {id, owner_text(customer)});
  if (!rows) return forward(rows);
  if (rows->empty()) return false;
  auto done = connection.execute(
      // A second revocation succeeds and keeps the first one's time.
      "UPDATE tokens SET revoked_ms = :a WHERE id = :b AND customer_id = :c AND revoked_ms = 0",
      {now_ms, id, owner_text(customer)});
  if (!done) return forward(done);
  return true;
}

}  // namespace vigia::monitor::tokens
