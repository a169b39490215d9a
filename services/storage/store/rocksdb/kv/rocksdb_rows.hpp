// Rows of RocksDB's files read one by one, past what is damaged in them: for files that RocksDB
// itself gives up as a whole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Keys behind `after` and before `before` that could not be read; "" is the end of the file.
struct KeyGap {
  std::string after;
  std::string before;
};

struct TableContents {
  std::string family;         ///< name of its column family
  std::uint64_t entries = 0;  ///< as the file itself says
  std::uint64_t rows = 0;     ///< read
  std::vector<KeyGap> gaps;
};

/// `family`: as in TableContents.
using VisitRow = std::function<Result<void>(const std::string& family, std::string_view key,
                                            std::string_view value)>;

/// Calls `visit` for each readable row of a table file, in no order: a damaged block costs the rows
/// that lie in it. kCorrupt where the file cannot be opened at all; an error of `visit` ends it.
Result<TableContents> read_table(const std::string& path, const VisitRow& visit);

/// Reads all blocks of a table file, also those in which no rows lie. kCorrupt where one of them is
/// not what was written, kUnavailable where it cannot be read.
Result<void> check_table_checksums(const std::string& path);

/// The name of a table file's column family; "" where it cannot be told.
std::string table_family(const std::string& path);

/// What the keys and values of a table file take, unpacked; the file's size where it does not say.
std::uint64_t table_row_bytes(const std::string& path);

/// Looks at the last bytes of a table file, which no checksum covers: RocksDB would follow whatever
/// stands there. kCorrupt with the reason, kUnavailable where the disk does not read them now.
Result<void> check_table_footer(const std::string& path);

/// Makes the footer of the table file right again where a flipped bit or overwritten constants are
/// all that is wrong with it. False where that does not help; the file is then as it was.
bool mend_table_footer(const std::string& path);

struct LoggedWrite {
  enum class Kind : std::uint8_t { kPut, kDelete, kDeleteRange };
  Kind kind = Kind::kPut;
  std::uint32_t family = 0;  ///< number of its column family
  std::string_view key;
  std::string_view value;  ///< of kDeleteRange: where it ends
};

/// The writes of a record of a write-ahead log, in order. kCorrupt where it is none.
Result<void> read_write_batch(std::string_view record,
                              const std::function<Result<void>(const LoggedWrite&)>& visit);

}  // namespace vigia::storage::store::rocksdb::kv
