#include "services/monitor/store/settings.hpp"

#include <cstdint>

#include "services/monitor/config/positive_duration.hpp"

namespace vigia::monitor::store {
namespace {

constexpr std::string_view kPostgres = "postgresql://";
constexpr std::int64_t kBackupsMax = 10'000;

}  // namespace

StoreSettings read_store(const service::ConfigNode& root) {
  StoreSettings settings;
  const auto database = root.child("database");
  settings.url = database.required_text();
  if (!settings.url.empty() && !settings.url.starts_with("sqlite://") &&
      !settings.url.starts_with(kPostgres)) {
    database.note_error("give sqlite:///path/to/file or postgresql://user@host/name");
  }
  auto& options = settings.options;
  const auto state = root.child("state_directory");
  options.state_directory = state.text();
  if (options.state_directory.empty() && settings.url.starts_with(kPostgres)) {
    state.note_error(
        "a folder is needed with PostgreSQL: that the database lost its end is seen from there");
  }
  const auto backups = root.child("backups");
  options.backup_interval =
      config::read_positive(backups.child("interval"), options.backup_interval);
  options.backups_kept = static_cast<std::size_t>(backups.child("keep").integer(
      static_cast<std::int64_t>(options.backups_kept), 1, kBackupsMax));
  return settings;
}

}  // namespace vigia::monitor::store
