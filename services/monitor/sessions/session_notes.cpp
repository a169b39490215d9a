#include "services/monitor/sessions/session_notes.hpp"

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"
#include "services/monitor/access/client_address.hpp"
#include "services/monitor/sessions/limits.hpp"
#include "services/monitor/users/limits.hpp"

namespace vigia::monitor::sessions {
namespace {

constexpr Duration kWindow = std::chrono::minutes(10);
constexpr std::string_view kRefused = "session.refused";

// Neither is the name of a customer.
std::string group_of(const SessionEvent& event) {
  if (event.action == kRefused) return "(refused)";
  return event.customer ? event.customer->text() : "(operators)";
}

}  // namespace

store::AuditEntry SessionNotes::entry_of(const SessionEvent& event) const {
  store::AuditEntry entry;
  entry.time_ms = clock_.wall_ms();
  entry.actor = "user:" + event.user.substr(0, users::kUserCharactersMax);
  entry.action = event.action;
  entry.customer = event.customer;
  entry.address = event.address;
  return entry;
}

bool SessionNotes::is_entry(const SessionEvent& event) {
  const bool is_refused = event.action == kRefused;
  const auto user = event.user.substr(0, users::kUserCharactersMax);
  const std::scoped_lock lock(mutex_);
  // A window begins with its first event: nothing has to wake up where nothing happens.
  if (groups_.empty()) window_end_ = clock_.steady() + kWindow;
  Group& group = groups_[group_of(event)];
  const auto key = std::tuple(event.action, user, access::caller_key(event.address));
  const auto found = group.kinds.find(key);
  if (found != group.kinds.end()) {
    ++found->second.more;
    return false;
  }
  // Whoever guesses invents names, so their number says nothing there.
  auto& of_user = group.kinds_of_user[is_refused ? std::string() : user];
  const std::size_t of_user_max = is_refused ? kRefusedKindsMax : kSessionKindsOfUserMax;
  const std::size_t kinds_max = is_refused ? kRefusedKindsMax : kSessionKindsMax;
  if (of_user >= of_user_max || group.kinds.size() >= kinds_max) {
    if (group.rest.more++ == 0) {
      group.rest.event = SessionEvent{event.action, "(others)", event.customer, ""};
      group.rest.first_ms = clock_.wall_ms();
    }
    return false;
  }
  ++of_user;
  group.kinds.emplace(key, Repeats{event, clock_.wall_ms(), 0});
  return true;
}

Result<void> SessionNotes::note(const SessionEvent& event) {
  auto flushed = flush();
  if (!flushed) return flushed;
  if (!is_entry(event)) return {};
  return database_.write([&](store::DatabaseConnection& connection) {
    return store::append_audit(entry_of(event), connection);
  });
}

Result<void> SessionNotes::flush() {
  {
    const std::scoped_lock lock(mutex_);
    if (groups_.empty() || clock_.steady() < window_end_) return {};
  }
  return flush_now();
}

Result<void> SessionNotes::flush_now() {
  Groups groups;
  {
    const std::scoped_lock lock(mutex_);
    // Taken first, written without the lock. Counts are lost where the write fails, entries are
    // not.
    groups.swap(groups_);
  }
  return write(groups);
}

Result<void> SessionNotes::write(const Groups& groups) {
  std::vector<store::AuditEntry> entries;
  const auto add = [&](const Repeats& repeats) {
    if (repeats.more == 0) return;
    auto entry = entry_of(repeats.event);
    entry.detail = fmt::format("times={} since={}", repeats.more,
                               format_rfc3339(repeats.first_ms).value_or("?"));
    entries.push_back(std::move(entry));
  };
  for (const auto& [name, group] : groups) {
    for (const auto& [key, repeats] : group.kinds) add(repeats);
    add(group.rest);
  }
  if (entries.empty()) return {};
  return database_.write([&](store::DatabaseConnection& connection) -> Result<void> {
    for (const auto& entry : entries) {
      auto appended = store::append_audit(entry, connection);
      if (!appended) return appended;
    }
    return {};
  });
}

}  // namespace vigia::monitor::sessions
