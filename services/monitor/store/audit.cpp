#include "services/monitor/store/audit.hpp"

#include <algorithm>

#include "libs/base/bytes.hpp"
#include "libs/base/hex.hpp"
#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::store {
namespace {

constexpr std::string_view kSelect =
    "SELECT sequence, time_ms, actor, action, customer_id, object, detail, address, hash "
    "FROM audit ";
constexpr std::int64_t kPageEntries = 1000;

Result<AuditEntry> read_entry(const Row& row) {
  AuditEntry entry;
  entry.sequence = row.integer(0);
  entry.time_ms = row.integer(1);
  entry.actor = row.text(2);
  entry.action = row.text(3);
  if (!row.text(4).empty()) {
    auto customer = CustomerId::parse(row.text(4));
    if (!customer) return forward(customer);
    entry.customer = std::move(*customer);
  }
  entry.object = row.text(5);
  entry.detail = row.text(6);
  entry.address = row.text(7);
  entry.hash = row.text(8);
  return entry;
}

std::string owner_text(const AuditEntry& entry) {
  return entry.customer ? entry.customer->text() : std::string();
}

// Fields carry their lengths, so that no two different entries have the same bytes.
std::string chain_hash(const std::string& previous, const AuditEntry& entry) {
  std::string bytes = previous;
  append_u64(bytes, static_cast<std::uint64_t>(entry.sequence));
  append_u64(bytes, static_cast<std::uint64_t>(entry.time_ms));
  for (const auto& field :
       {entry.actor, entry.action, owner_text(entry), entry.object, entry.detail, entry.address}) {
    append_sized(bytes, field);
  }
  return sha256_hex(bytes);
}

Result<std::vector<AuditEntry>> select_entries(const std::string& where,
                                               const std::vector<Value>& values,
                                               DatabaseConnection& connection) {
  auto rows = connection.query(std::string(kSelect) + where, values);
  if (!rows) return forward(rows);
  return read_each("audit", *rows, connection, read_entry);
}

}  // namespace

Result<void> append_audit(AuditEntry entry, DatabaseConnection& connection) {
  // Safe without a sequence of the database's: writes are one transaction after another.
  // Whatever else stands in the newest one: nobody's change may depend on whether it can be read.
  auto newest =
      connection.query("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1", {});
  if (!newest) return forward(newest);
  entry.sequence = newest->empty() ? 1 : newest->front().integer(0) + 1;
  entry.hash = chain_hash(newest->empty() ? std::string() : newest->front().text(1), entry);
  auto done = connection.execute(
      "INSERT INTO audit (sequence, time_ms, actor, action, customer_id, object, detail, address, "
      "hash) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)",
      {entry.sequence, entry.time_ms, entry.actor, entry.action, owner_text(entry), entry.object,
       entry.detail, entry.address, entry.hash});
  if (!done) return forward(done);
  return {};
}

Result<std::vector<AuditEntry>> list_audit(const std::optional<CustomerId>& customer,
                                           std::int64_t before, std::int64_t limit,
                                           DatabaseConnection& connection) {
  const std::int64_t below = before > 0 ? before : INT64_MAX;
  if (customer) {
    return select_entries(
        "WHERE customer_id = :c AND sequence < :b ORDER BY sequence DESC "
        "LIMIT :l",
        {customer->text(), below, limit}, connection);
  }
  return select_entries("WHERE sequence < :b ORDER BY sequence DESC LIMIT :l", {below, limit},
                        connection);
}

Result<std::vector<AuditEntry>> list_own_audit(const CustomerId& customer, std::int64_t before,
                                               std::int64_t limit, DatabaseConnection& connection) {
  auto counted = connection.query("SELECT CAST(COUNT(*) AS TEXT) FROM audit WHERE customer_id = :c",
                                  {customer.text()});
  if (!counted) return forward(counted);
  const std::int64_t all = counted->front().count(0);
  // Counted from the oldest, which stays the first whatever is appended meanwhile.
  const std::int64_t newest = before > 0 ? std::min(all, before - 1) : all;
  const std::int64_t taken = std::min(limit, newest);
  auto entries = select_entries("WHERE customer_id = :c ORDER BY sequence LIMIT :l OFFSET :o",
                                {customer.text(), taken, newest - taken}, connection);
  if (!entries) return entries;
  std::reverse(entries->begin(), entries->end());
  std::int64_t number = newest;
  for (auto& entry : *entries) entry.sequence = number--;
  return entries;
}

Result<AuditVerification> verify_audit(DatabaseConnection& connection) {
  AuditVerification outcome;
  std::string previous;
  while (true) {
    auto page =
        connection.query(std::string(kSelect) + "WHERE sequence > :s ORDER BY sequence LIMIT :l",
                         {outcome.entries, kPageEntries});
    if (!page) return forward(page);
    for (const auto& row : *page) {
      // One that cannot be read was changed, and is not left out here. A gap in the numbers is a
      // deleted entry; a cut end is not to be seen from here.
      const auto entry = read_entry(row);
      if (!entry || entry->sequence != outcome.entries + 1 ||
          entry->hash != chain_hash(previous, *entry)) {
        outcome.broken_at = row.integer(0);
        return outcome;
      }
      previous = entry->hash;
      ++outcome.entries;
    }
    if (page->empty()) return outcome;
  }
}

}  // namespace vigia::monitor::store
