// What must be in RocksDB's files after a restart: kept beside them, so that a file that ends early
// is not taken for one that was never longer. Format: docs/formats/cold-store.md.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::storage::store::rocksdb::kv {

struct StoreMarkValues {
  std::uint64_t synced_sequence = 0;  ///< every write up to this one is on disk
  std::uint64_t manifest_number = 0;  ///< of the MANIFEST in use; 0: not known
  std::uint64_t manifest_bytes = 0;   ///< it has been so long, on disk
};

inline constexpr std::string_view kMarkFile = "vigia-mark";

struct ReadMark {
  StoreMarkValues values;
  bool is_damaged = false;
};
/// The file, which is not changed; zeros where there is none or it is damaged.
ReadMark read_mark(const std::string& path);

/// Written after what it says is on disk, never synced itself: it may say less than is true, never
/// more. Thread contract: any thread.
class StoreMark {
 public:
  /// Reads the file `path`; zeros where there is none or it is damaged (is_damaged says so).
  explicit StoreMark(std::string path);
  StoreMark(const StoreMark&) = delete;
  StoreMark& operator=(const StoreMark&) = delete;
  ~StoreMark();

  StoreMarkValues values() const;
  bool is_damaged() const { return is_damaged_; }
  /// A lower number than the one noted changes nothing.
  void note_synced(std::uint64_t sequence);
  void note_manifest(std::uint64_t number, std::uint64_t bytes);
  /// After a repair, which may give the sequence and the MANIFEST anew.
  void reset(std::uint64_t sequence);

 private:
  void write();

  const std::string path_;
  bool is_damaged_ = false;
  mutable std::mutex mutex_;
  int file_ = -1;
  StoreMarkValues values_;
};

}  // namespace vigia::storage::store::rocksdb::kv
