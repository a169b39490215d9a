#include "services/monitor/maintenance.hpp"

#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "libs/base/clock.hpp"
#include "libs/base/rfc3339.hpp"
#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/service/log.hpp"
#include "libs/tenancy/kept_directory.hpp"
#include "services/monitor/api/object_ids.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/file_lock.hpp"
#include "services/monitor/store/history.hpp"
#include "services/monitor/store/sqlite_file.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite://";
constexpr int kExitConfiguration = 2;

std::string state_of(const Settings& settings) {
  const std::string& given = settings.store.options.state_directory;
  return given.empty() ? settings.store.url.substr(kSqlitePrefix.size()) + ".state" : given;
}

/// SQLite's path; of PostgreSQL what stands behind the user, who may have a password there.
std::string shown_database(const Settings& settings) {
  if (settings.store.url.starts_with(kSqlitePrefix)) {
    return settings.store.url.substr(kSqlitePrefix.size());
  }
  // The last one: a password may hold an @ of its own.
  const auto user_end = settings.store.url.rfind('@');
  return user_end == std::string::npos ? "of PostgreSQL" : settings.store.url.substr(user_end + 1);
}

std::optional<tenancy::KeptDirectory> last_served(const Settings& settings, std::int64_t now_ms) {
  return tenancy::KeptFile(state_of(settings) + "/snapshot.json").load(now_ms).directory;
}

Result<std::unique_ptr<store::Database>> open_confirmed(
    const Settings& settings, const std::optional<tenancy::KeptDirectory>& served) {
  store::DatabaseOptions options = settings.store.options;
  // Collector and router keep out a directory whose revision goes back; a restored one starts above
  // what they have seen, so that they take it at once.
  options.confirmed_above = served ? served->snapshot.mark.revision : 0;
  auto database = store::Database::open(settings.store.url, 1, std::move(options));
  if (!database) return forward(database);
  if (std::string doubt = (*database)->doubt(); !doubt.empty()) {
    return fail(ErrorCode::kCorrupt, std::move(doubt));
  }
  return database;
}

Result<void> note(std::string action, std::string detail, std::int64_t now_ms,
                  store::DatabaseConnection& connection) {
  store::AuditEntry entry;
  entry.time_ms = now_ms;
  entry.actor = "system";
  entry.action = std::move(action);
  entry.detail = std::move(detail);
  return store::append_audit(entry, connection);
}

// What the kept snapshot does not hold (language, when it was created) is as for a new customer:
// better than one whose data is refused because the copy is older than it is.
Result<bool> add_customer(const json::JsonValue& node, const CustomerId& id, std::int64_t now_ms,
                          store::DatabaseConnection& connection) {
  customers::CustomerRow customer{.id = id,
                                  .name = node["name"].text().value_or(id.text()),
                                  .hot_shard = node["hot_shard"].text().value_or("hot-0")};
  customer.assigned_ms = node["assigned_ms"].integer().value_or(0);
  customer.created_ms = now_ms;
  for (const auto& limit : customers::kCustomerLimits) {
    customer.limits.*limit.value = node["limits"][limit.name].integer().value_or(0);
  }
  return customers::insert_customer(customer, connection);
}

/// Of one owner; their hashes go into `served`.
Result<std::size_t> add_tokens(const json::JsonValue& nodes, const std::optional<CustomerId>& owner,
                               std::set<std::string>& served, std::int64_t now_ms,
                               store::DatabaseConnection& connection) {
  std::size_t added = 0;
  for (const json::JsonValue& node : nodes.items()) {
    tokens::TokenRow token;
    token.token_sha256 = node["token_sha256"].text().value_or("");
    token.scope = node["scope"].text().value_or("");
    if (token.token_sha256.empty() || token.scope.empty()) continue;
    // Before anything else is decided of it: a token that was served last must not be revoked
    // below, also where its row is there already.
    served.insert(token.token_sha256);
    auto there = tokens::find_token_by_hash(token.token_sha256, connection);
    if (!there) return forward(there);
    if (*there) continue;
    token.id = api::new_id();
    token.customer = owner;
    token.name = "restored";
    token.created_by = "system";
    token.created_ms = now_ms;
    token.expires_ms = parse_rfc3339(node["expires"].text().value_or("")).value_or(0);
    auto inserted = tokens::insert_token(token, connection);
    if (!inserted) return forward(inserted);
    ++added;
  }
  return added;
}

Result<std::size_t> revoke_others(const std::set<std::string>& served, std::int64_t now_ms,
                                  store::DatabaseConnection& connection) {
  auto tokens = tokens::list_live_tokens(connection);
  if (!tokens) return forward(tokens);
  std::size_t revoked = 0;
  for (const tokens::TokenRow& token : *tokens) {
    // What is valid is what was served last: a token that was revoked after the copy was made would
    // be good again without this.
    if (served.contains(token.token_sha256)) continue;
    auto done = tokens::revoke_token(token.customer, token.id, now_ms, connection);
    if (!done) return forward(done);
    ++revoked;
  }
  return revoked;
}

Result<std::string> put_back(const Settings& settings, std::string copy, std::int64_t now_ms) {
  const std::string path = settings.store.url.substr(kSqlitePrefix.size());
  // The running monitor holds it: two at the file would lose one's writes.
  auto lock = store::FileLock::take(path + ".lock");
  if (!lock) return forward(lock);
  const std::string state = state_of(settings);
  if (copy.empty()) {
    const auto copies = store::list_backups(state + "/backups");
    if (copies.empty()) return fail(ErrorCode::kNotFound, state + "/backups: there is no copy");
    copy = copies.back().string();
  }
  if (::access(copy.c_str(), F_OK) != 0) {
    return fail(ErrorCode::kNotFound,
                fmt::format("{}: no such copy; they are in {}/backups", copy, state));
  }
  auto done = store::put_back_sqlite(copy, path, fmt::format("{}/replaced-{}", state, now_ms));
  if (!done) {
    return tl::unexpected<Error>(
        with_context(fmt::format("name another copy of {}/backups with --from", state),
                     std::move(done.error())));
  }
  return copy;
}

}  // namespace

Result<Reconciled> reconcile(std::string_view document, std::int64_t now_ms,
                             store::DatabaseConnection& connection) {
  auto root = json::parse_json(document);
  if (!root) return forward(root);
  Reconciled result;
  std::set<std::string> served;
  for (const json::JsonValue& node : (*root)["customers"].items()) {
    auto id = CustomerId::parse(node["id"].text().value_or(""));
    if (!id) return forward(id);
    auto added = add_customer(node, *id, now_ms, connection);
    if (!added) return forward(added);
    result.customers_added += *added ? 1 : 0;
    auto tokens = add_tokens(node["tokens"], *id, served, now_ms, connection);
    if (!tokens) return forward(tokens);
    result.tokens_added += *tokens;
  }
  auto tokens = add_tokens((*root)["operators"], std::nullopt, served, now_ms, connection);
  if (!tokens) return forward(tokens);
  result.tokens_added += *tokens;
  auto revoked = revoke_others(served, now_ms, connection);
  if (!revoked) return forward(revoked);
  result.tokens_revoked = *revoked;
  return result;
}

Result<std::string> restore_database(const Settings& settings, const std::string& copy,
                                     std::int64_t now_ms) {
  if (!settings.store.url.starts_with(kSqlitePrefix)) {
    return fail(ErrorCode::kInvalid,
                "restore is for SQLite: put PostgreSQL back with its own tools, then call accept");
  }
  const auto served = last_served(settings, now_ms);
  auto used = put_back(settings, copy, now_ms);
  if (!used) return forward(used);
  auto database = open_confirmed(settings, served);
  if (!database) return forward(database);
  auto reconciled =
      (*database)->write([&](store::DatabaseConnection& connection) -> Result<Reconciled> {
        Reconciled result;
        if (served) {
          auto done = reconcile(served->text, now_ms, connection);
          if (!done) return forward(done);
          result = *done;
        }
        auto noted = note("database.restore", *used, now_ms, connection);
        if (!noted) return forward(noted);
        return result;
      });
  if (!reconciled) return forward(reconciled);
  const std::string found =
      served
          ? fmt::format(
                "Brought to what was served last: {} customers and {} tokens added, {} "
                "tokens revoked again.",
                reconciled->customers_added, reconciled->tokens_added, reconciled->tokens_revoked)
          : "There is no kept snapshot: tokens revoked since the copy are good again.";
  return fmt::format(
      "{} is in place; what stood there is in {}/replaced-{}. {} Users, nodes, channels and "
      "sessions are those of the copy. Start vigia-monitor.",
      *used, state_of(settings), now_ms, found);
}

Result<std::string> accept_database(const Settings& settings, std::int64_t now_ms) {
  auto database = open_confirmed(settings, last_served(settings, now_ms));
  if (!database) return forward(database);
  auto history =
      (*database)->write([&](store::DatabaseConnection& connection) -> Result<store::History> {
        auto noted = note("database.accept", "", now_ms, connection);
        if (!noted) return forward(noted);
        return store::read_history(connection);
      });
  if (!history) return forward(history);
  return fmt::format(
      "The database {} is confirmed as it is, revision {}. Start vigia-monitor; collector and "
      "router take it at once.",
      shown_database(settings), history->directory_revision);
}

std::string maintenance_help() {
  return R"(
While vigia-monitor is stopped:
  vigia-monitor restore --config FILE [--from COPY]   puts a copy of the SQLite database back
                                                      (default: the newest)
  vigia-monitor accept --config FILE                  confirms the database as it is
)";
}

bool is_maintenance(int argument_count, char** arguments) {
  if (argument_count < 2) return false;
  const std::string_view first = arguments[1];
  return first == "restore" || first == "accept";
}

int run_maintenance(int argument_count, char** arguments) {
  std::string config;
  std::string copy;
  CLI::App app("What is done with vigia-monitor's database while it is stopped.", "vigia-monitor");
  auto* restore = app.add_subcommand("restore", "Puts a copy of the SQLite database back");
  restore->add_option("--config", config, "The configuration file (YAML)")->required();
  restore->add_option("--from", copy, "Which copy (default: the newest)");
  auto* accept = app.add_subcommand("accept", "Confirms the database as it is");
  accept->add_option("--config", config, "The configuration file (YAML)")->required();
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? 0 : kExitConfiguration;
  }
  service::configure_log(service::LogLevel::kWarn, service::LogFormat::kLogfmt, "vigia-monitor");
  auto done = [&]() -> Result<std::string> {
    auto file = service::ConfigFile::load(config);
    if (!file) return forward(file);
    auto settings = read_settings(*file);
    if (!settings) return forward(settings);
    const std::int64_t now_ms = SystemClock().wall_ms();
    return restore->parsed() ? restore_database(*settings, copy, now_ms)
                             : accept_database(*settings, now_ms);
  }();
  if (!done) {
    fmt::print(stderr, "vigia-monitor: {}\n", done.error().message);
    return kExitConfiguration;
  }
  fmt::print("{}\n", *done);
  return 0;
}

}  // namespace vigia::monitor
