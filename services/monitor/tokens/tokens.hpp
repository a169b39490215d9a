// Tokens in the database: only their SHA-256 stands there (A3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::tokens {

/// Scopes: "ingest" and "read" of customers, "read" and "manage" of operators.
struct TokenRow {
  std::string id;
  std::optional<CustomerId> customer;  ///< nothing: an operator's
  std::string name;
  std::string scope;
  std::string token_sha256;
  std::string created_by;
  std::int64_t created_ms = 0;
  std::int64_t expires_ms = 0;  ///< 0: never
  std::int64_t revoked_ms = 0;  ///< 0: not revoked

  bool is_valid(std::int64_t now_ms) const {
    return revoked_ms == 0 && (expires_ms == 0 || now_ms < expires_ms);
  }
};

/// The tokens of a customer, or with nothing the operators'; newest first, revoked and expired ones
/// too, until they are forgotten.
Result<std::vector<TokenRow>> list_tokens(const std::optional<CustomerId>& customer,
                                          store::DatabaseConnection& connection);
/// Every token of everybody that is not revoked; for the snapshot.
Result<std::vector<TokenRow>> list_live_tokens(store::DatabaseConnection& connection);
Result<std::optional<TokenRow>> find_token_by_hash(const std::string& token_sha256,
                                                   store::DatabaseConnection& connection);
/// Nothing where that customer (or, with nothing, the operators) has no such token.
Result<std::optional<TokenRow>> find_token(const std::optional<CustomerId>& customer,
                                           const std::string& id,
                                           store::DatabaseConnection& connection);
/// How many of that customer's (or, with nothing, the operators') tokens are valid.
Result<std::size_t> count_valid_tokens(const std::optional<CustomerId>& customer,
                                       std::int64_t now_ms, store::DatabaseConnection& connection);
/// Forgets those that were revoked, or had expired, when the newest `made_since` were not made yet.
/// What was is in the audit log.
Result<void> forget_old_tokens(const std::optional<CustomerId>& customer, std::size_t made_since,
                               store::DatabaseConnection& connection);
Result<void> insert_token(const TokenRow& token, store::DatabaseConnection& connection);
/// False where that customer (or, with nothing, the operators) has no such token. One that is
/// revoked already stays as it is.
Result<bool> revoke_token(const std::optional<CustomerId>& customer, const std::string& id,
                          std::int64_t now_ms, store::DatabaseConnection& connection);

}  // namespace vigia::monitor::tokens
