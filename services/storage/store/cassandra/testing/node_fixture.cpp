#include "services/storage/store/cassandra/testing/node_fixture.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <regex>
#include <string_view>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/random.hpp"
#include "services/storage/store/cassandra/schema.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::Session;

std::vector<std::string> tables_of(const SchemaSettings& settings) {
  static const std::regex kTable(R"(CREATE TABLE IF NOT EXISTS (\S+))");
  std::vector<std::string> tables;
  const auto text = read_schema(schema_cql(), settings).value();
  for (const SchemaStep& step : text.steps) {
    for (const std::string& statement : step.statements) {
      std::smatch found;
      if (!std::regex_search(statement, found, kTable)) continue;
      // The secret stays as long as the keyspace.
      if (found[1] != settings.keyspace + ".secrets") tables.push_back(found[1]);
    }
  }
  return tables;
}

// Whether what was deleted in it has a time of its own, a day: it hides what is written anew under
// that day, though no row is there to be seen.
bool hides_rows(std::string_view table) {
  constexpr std::array<std::string_view, 7> kTimed{".metrics",     ".series_ids",   ".series",
                                                   ".label_names", ".label_values", ".due_days",
                                                   ".kept_days"};
  return std::any_of(kTimed.begin(), kTimed.end(),
                     [table](std::string_view name) { return table.ends_with(name); });
}

// Emptying a table takes a node longer than to look whether it is empty.
void make_empty(SharedKeyspace& shared) {
  static const std::vector<std::string> kTables = tables_of(shared.settings);
  static std::vector<std::unique_ptr<vigia::cassandra::PreparedStatement>> looks;
  if (looks.empty()) {
    for (const std::string& table : kTables) {
      looks.push_back(shared.session->prepare({"SELECT * FROM " + table + " LIMIT 1"}).value());
    }
  }
  for (std::size_t i = 0; i < kTables.size(); ++i) {
    const auto page = shared.session->fetch({*looks[i], {}, "", std::chrono::seconds(20)});
    if (page.value().rows() == 0 && !hides_rows(kTables[i])) continue;
    CHECK(shared.session->run("TRUNCATE " + kTables[i]).has_value());
  }
}

}  // namespace

std::unique_ptr<Session> connected() {
  const char* const node = std::getenv("VIGIA_CASSANDRA");
  if (node == nullptr) return nullptr;
  vigia::cassandra::ConnectionSettings settings;
  settings.contact_points = {node};
  return std::make_unique<Session>(vigia::cassandra::connect(settings).value(),
                                   vigia::cassandra::SessionLimits{});
}

std::string fresh_keyspace() { return fmt::format("test_{:016x}", random_u64()); }

SharedKeyspace& empty_keyspace() {
  static SharedKeyspace shared;
  if (!shared.session) {
    shared.session = connected();
    CHECK(shared.session != nullptr);  // VIGIA_CASSANDRA names no node
    shared.settings.keyspace = fresh_keyspace();
    shared.settings.replication_factor = 1;
    const SystemClock clock;
    CHECK(migrate(*shared.session, shared.settings, 1, clock).has_value());
    // Else each table that is emptied is written to the node's disk before. What survives a kill is
    // tests/integration/test_cassandra_store.py's matter.
    CHECK(shared.session
              ->run("ALTER KEYSPACE " + shared.settings.keyspace + " WITH durable_writes = false")
              .has_value());
  }
  make_empty(shared);
  return shared;
}

}  // namespace vigia::storage::store::cassandra
