#include "services/monitor/bootstrap.hpp"

#include "services/monitor/api/object_ids.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor {

Result<bool> bootstrap_operator(const std::string& user, const std::string& password,
                                users::PasswordHasher& hasher, const Clock& clock,
                                store::Database& database) {
  auto present = database.read([](store::DatabaseConnection& connection) {
    return users::list_users(std::nullopt, connection);
  });
  if (!present) return forward(present);
  if (!present->empty()) return false;
  // Outside of the transaction, as wherever a password is hashed: it takes long, and a write keeps
  // all other writers out.
  auto hashed = hasher.hash(password);
  if (!hashed) return forward(hashed);
  users::UserRow made;
  made.id = api::new_id();
  made.name = user;
  made.password_hash = *hashed;
  made.created_ms = clock.wall_ms();
  return database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto inserted = users::insert_user(made, connection);
    if (!inserted) return forward(inserted);
    if (!*inserted) {
      return fail(ErrorCode::kInvalid, "bootstrap.operator.user: a customer's user has this name");
    }
    store::AuditEntry entry;
    entry.time_ms = made.created_ms;
    entry.actor = "system";
    entry.action = "user.bootstrap";
    entry.object = user;
    auto audited = store::append_audit(entry, connection);
    if (!audited) return forward(audited);
    return true;
  });
}

}  // namespace vigia::monitor
