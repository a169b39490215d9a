// Files in RocksDB's log format: its write-ahead logs and its MANIFESTs. Read here record by record
// beside RocksDB, which drops the rest of a 32 KiB block, or all that follows, at the first flipped
// bit, and says nothing. Format: docs/formats/cold-store.md, "RocksDB's own files".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::storage::store::rocksdb::kv {

struct RecordFileState {
  std::uint64_t records = 0;           ///< whole ones
  std::uint64_t damaged_passages = 0;  ///< with a readable record behind them in the file
  std::uint64_t damaged_bytes = 0;     ///< of these passages
  std::uint64_t first_damage = 0;      ///< where the first of them begins
  std::uint64_t records_end = 0;       ///< where the last whole record ends
  /// Bytes behind the last whole record that are no zeros: what a kill cut off, or damage.
  std::uint64_t tail_bytes = 0;
};

/// A flipped bit in a record's bytes costs that record; one in the size of a fragment costs what
/// begins in the rest of its 32 KiB block. Calls `visit` for each whole record, in order; the view
/// is valid until it returns. kUnavailable where the file cannot be read.
Result<RecordFileState> read_record_file(const std::string& path,
                                         const std::function<void(std::string_view)>& visit);

/// Writes records one after the other into a new file.
class RecordFileWriter {
 public:
  void append(std::string_view record);
  /// All so far; the writer begins a new piece of the same file.
  std::string take();

 private:
  void add_fragment(std::uint8_t type, std::string_view payload);

  std::string bytes_;
  std::size_t in_block_ = 0;
};

}  // namespace vigia::storage::store::rocksdb::kv
