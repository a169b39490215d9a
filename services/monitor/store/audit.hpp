// The audit log: who did what. Append-only (the database refuses changes), each entry's hash covers
// the entry and the hash before it (K1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

struct AuditEntry {
  std::int64_t sequence = 0;  ///< from 1, without gaps
  std::int64_t time_ms = 0;
  std::string actor;                   ///< "user:NAME", "token:NAME" or "system"
  std::string action;                  ///< "customer.create"
  std::optional<CustomerId> customer;  ///< whom it concerns
  std::string object;
  std::string detail;   ///< never a secret
  std::string address;  ///< where the request came from
  std::string hash;     ///< lower-case hex
};

struct AuditVerification {
  std::int64_t entries = 0;
  std::optional<std::int64_t> broken_at;  ///< sequence of the first entry that does not fit
};

/// Appends; sequence and hash are set here. Inside the transaction of the change that it notes, so
/// that none goes without the other.
Result<void> append_audit(AuditEntry entry, DatabaseConnection& connection);
/// Newest first; with a customer only its entries; with `before` > 0 only smaller sequences.
Result<std::vector<AuditEntry>> list_audit(const std::optional<CustomerId>& customer,
                                           std::int64_t before, std::int64_t limit,
                                           DatabaseConnection& connection);
/// The same of one customer, as it may see them itself: `sequence` and `before` count its own
/// entries from 1, for gaps between the log's numbers would tell how much others do.
Result<std::vector<AuditEntry>> list_own_audit(const CustomerId& customer, std::int64_t before,
                                               std::int64_t limit, DatabaseConnection& connection);
/// Walks everything, oldest first.
Result<AuditVerification> verify_audit(DatabaseConnection& connection);

}  // namespace vigia::monitor::store
