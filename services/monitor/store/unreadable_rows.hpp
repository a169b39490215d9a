// Rows that a disk changed or that somebody wrote past this program: each costs itself and nobody
// else's.
#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

/// Of more the log has none and the count ends: some table is broken as a whole then.
inline constexpr std::size_t kUnreadableRowsMax = 1'000;

/// Thread contract: any thread.
class UnreadableRows {
 public:
  /// Logs and counts a row that was not known yet: lists are read every few seconds.
  void note(std::string_view table, std::string_view row, const Error& why);
  /// Since the start, each once; kUnreadableRowsMax stands for that many or more.
  std::size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> known_;  ///< guarded by mutex_
};

/// What tells a row from the others of its table: its first two columns, bounded, in one line.
std::string name_of_row(const Row& row);

/// What `read` makes of each row. A row that it gives an error of is noted and left out.
template <typename Read>
auto read_each(std::string_view table, const std::vector<Row>& rows, DatabaseConnection& connection,
               Read read) {
  using Thing = typename std::invoke_result_t<Read, const Row&>::value_type;
  std::vector<Thing> things;
  things.reserve(rows.size());
  for (const auto& row : rows) {
    auto thing = read(row);
    if (thing) {
      things.push_back(std::move(*thing));
    } else {
      connection.note_unreadable(table, name_of_row(row), thing.error());
    }
  }
  return things;
}

}  // namespace vigia::monitor::store
