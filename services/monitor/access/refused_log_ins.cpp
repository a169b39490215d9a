#include "services/monitor/access/refused_log_ins.hpp"

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"
#include "services/monitor/access/client_address.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/audit.hpp"

namespace vigia::monitor {
namespace {

constexpr Duration kWindow = std::chrono::minutes(10);

AuditEntry entry_of(const std::string& user, const std::string& address, std::int64_t now_ms) {
  AuditEntry entry;
  entry.time_ms = now_ms;
  entry.actor = "user:" + user.substr(0, kUserCharactersMax);
  entry.action = "session.refused";
  entry.address = address;
  return entry;
}

}  // namespace

Result<void> RefusedLogIns::note(const std::string& user, const std::string& address) {
  auto flushed = flush();
  if (!flushed) return flushed;
  const auto now_ms = clock_.wall_ms();
  {
    const std::scoped_lock lock(mutex_);
    if (counts_.empty()) window_end_ = clock_.steady() + kWindow;
    const auto key = std::pair(user.substr(0, kUserCharactersMax), caller_key(address));
    const auto found = counts_.find(key);
    if (found != counts_.end()) {
      ++found->second.more;
      return {};
    }
    if (counts_.size() >= kRefusedKindsMax) {
      if (rest_.more++ == 0) rest_.first_ms = now_ms;
      return {};
    }
    counts_.emplace(key, Repeats{key.first, address, now_ms, 0});
  }
  return database_.write([&](Connection& connection) {
    return append_audit(entry_of(user, address, now_ms), connection);
  });
}

Result<void> RefusedLogIns::flush() {
  {
    const std::scoped_lock lock(mutex_);
    if (counts_.empty() || clock_.steady() < window_end_) return {};
  }
  return flush_now();
}

Result<void> RefusedLogIns::flush_now() {
  Counts counts;
  Repeats rest;
  {
    const std::scoped_lock lock(mutex_);
    counts.swap(counts_);
    std::swap(rest, rest_);
  }
  return write(counts, rest);
}

Result<void> RefusedLogIns::write(const Counts& counts, const Repeats& rest) {
  std::vector<AuditEntry> entries;
  const auto now_ms = clock_.wall_ms();
  const auto add = [&](const std::string& user, const Repeats& repeats) {
    if (repeats.more == 0) return;
    auto entry = entry_of(user, repeats.address, now_ms);
    entry.detail = fmt::format("times={} since={}", repeats.more,
                               format_rfc3339(repeats.first_ms).value_or("?"));
    entries.push_back(std::move(entry));
  };
  for (const auto& [key, repeats] : counts) add(repeats.user, repeats);
  add("(others)", rest);
  if (entries.empty()) return {};
  return database_.write([&](Connection& connection) -> Result<void> {
    for (const auto& entry : entries) {
      auto appended = append_audit(entry, connection);
      if (!appended) return appended;
    }
    return {};
  });
}

}  // namespace vigia::monitor
