// What a look at the files of a closed store has found, or at tables that several share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vigia::storage::store {

struct FileFault {
  std::string file;    ///< its name in the folder; of a table, the table's
  std::string what;    ///< kind of damage, as DamageStats::found has it
  std::string reason;  ///< the words of who found it
  std::string cost;    ///< which rows of which days and customers; "" where that cannot be told
  std::uint64_t rows_lost = 0;  ///< as far as known
};

struct CheckReport {
  std::uint64_t files = 0;                    ///< or tables
  std::uint64_t bytes = 0;                    ///< of these files
  std::map<std::string, std::uint64_t> rows;  ///< readable ones, by what they are of
  std::vector<FileFault> faults;
  std::vector<std::string>
      notes;                  ///< what is no damage and worth a line, as an end that a kill cut
  bool is_of_tables = false;  ///< each fault is one row, and no start sets anything aside
};

}  // namespace vigia::storage::store
