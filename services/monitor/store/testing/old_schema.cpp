#include "services/monitor/store/testing/old_schema.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>

namespace vigia::monitor::store::testing {
namespace {

Result<void> drop_all(DatabaseConnection& connection) {
  const auto tables = connection.query("SELECT name FROM sqlite_master WHERE type = 'table'", {});
  if (!tables) return forward(tables);
  for (const auto& row : *tables) {
    auto dropped = connection.execute("DROP TABLE " + row.text(0), {});
    if (!dropped) return forward(dropped);
  }
  return {};
}

}  // namespace

Result<void> put_old_schema(int version, DatabaseConnection& connection) {
  const auto path = fmt::format("tests/golden/monitor/schema_v{}.sql", version);
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::kNotFound, path);
  auto done = drop_all(connection);
  if (!done) return done;
  // Triggers may stand before the table that they need.
  std::string tables;
  std::string triggers;
  for (std::string line; std::getline(file, line);) {
    (line.starts_with("CREATE TRIGGER") ? triggers : tables) += line + "\n";
  }
  // Since it is there the table of the database's own history always has a row.
  if (tables.find("CREATE TABLE history") != std::string::npos) {
    triggers += "INSERT INTO history VALUES ('old', 0, 1, 0, 0)\n";
  }
  std::istringstream lines(tables + triggers +
                           fmt::format("INSERT INTO schema_version VALUES ({})\n", version));
  for (std::string line; std::getline(lines, line);) {
    auto run = connection.execute(line, {});
    if (!run) return tl::unexpected<Error>(with_context(line, std::move(run.error())));
  }
  return {};
}

}  // namespace vigia::monitor::store::testing
