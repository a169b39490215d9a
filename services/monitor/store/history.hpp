// Where a database stands in its own history: the one row of table `history`.
#pragma once

#include <cstdint>
#include <string>

#include "services/monitor/store/anchor.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

struct History {
  std::string database;                 ///< random, made with it
  std::int64_t revision = 0;            ///< grows with every write
  std::int64_t directory_revision = 0;  ///< grows with every change of customers or tokens
  std::int64_t customers_removed = 0;   ///< how many were ever removed
  std::int64_t confirmed_revision = 0;  ///< the directory_revision that a person has confirmed

  bool operator==(const History&) const = default;
};

Result<History> read_history(DatabaseConnection& connection);
/// Counts one write; inside its transaction, before anything else.
Result<DatabaseMark> count_write(DatabaseConnection& connection);
/// A person says that this database is right, whatever came after it: revisions go on above those
/// that were served, so that collector and router take it at once.
Result<History> confirm_history(std::int64_t revision_above, std::int64_t directory_revision_above,
                                DatabaseConnection& connection);

}  // namespace vigia::monitor::store
