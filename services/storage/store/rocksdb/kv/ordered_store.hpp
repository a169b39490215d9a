// An embedded map from byte strings to byte strings in key order: what chunks, index, spans and
// logs of one machine lie in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/damage.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Key spaces that do not see each other.
enum class Family : std::uint8_t {
  kIndex = 0,
  kChunks = 1,
  kSpans = 2,
  kLogs = 3,
  kIdentity = 4,  ///< a second copy of the few index rows without which all others mean nothing
  kRollup5m = 5,
  kRollup1h = 6,
  kRollup1d = 7,
  kDue = 8,  ///< days of which roll-ups are to be made
  kExemplars = 9,
  kMetadata = 10,  ///< type, unit and help of metrics
};
inline constexpr std::size_t kFamilies = 11;

struct KeyValue {
  Family family = Family::kIndex;
  std::string key;
  std::string value;
  bool is_gone = false;  ///< the key is forgotten; `value` is nothing
};

/// A row that is written only where the store still has what was read of it before.
struct GuardedWrite {
  KeyValue row;
  std::optional<std::string> read;  ///< nothing: there was none
};

/// When a write is on disk.
enum class Durability : std::uint8_t {
  kNow,    ///< before the call returns
  kLater,  ///< at the next sync, or when the store thinks fit; after a kill a prefix of the writes
           ///< is there
};

/// A walk over a range of keys, in order. Sees the store as it was when the walk began. Thread
/// contract: one thread.
class Scan {
 public:
  virtual ~Scan() = default;
  /// Moves to the next key (at first: to the first one). False at the end or on an error.
  virtual bool next() = 0;
  /// The next `next` gives the first key at or after `key`; backwards: at or before it.
  virtual void seek(std::string_view key) = 0;
  virtual std::string_view key() const = 0;    ///< valid until the next move
  virtual std::string_view value() const = 0;  ///< valid until the next move
  /// kUnavailable or kCorrupt where the walk ended early.
  virtual Result<void> status() const = 0;
};

/// Every key of DamageStats::found.
inline constexpr auto kDamageKinds = std::to_array<std::string_view>(
    {"table", "table_missing", "wal", "wal_end", "manifest", "current", "mark", "row", "unknown"});

/// Thread contract: any thread. Errors: kUnavailable where the disk refuses (full, broken) or while
/// a damaged file is being set aside, which takes seconds; kCorrupt where bytes are damaged that
/// cannot be set aside.
class OrderedStore {
 public:
  virtual ~OrderedStore() = default;
  /// All of the writes or none; an older value of a key is replaced.
  virtual Result<void> put(const std::vector<KeyValue>& writes, Durability durability) = 0;
  /// Those of the writes whose rows are still as they were read, however many others write
  /// meanwhile; how many. For whoever writes what lay elsewhere for a while: kLater.
  virtual Result<std::size_t> put_unchanged(const std::vector<GuardedWrite>& /*writes*/) {
    return fail(ErrorCode::kUnavailable, "this store has no guarded writes");
  }
  virtual Result<std::optional<std::string>> get(Family family, std::string_view key) = 0;
  /// Which of the keys are there, in their order. Many at once cost far less than one `get` each,
  /// and no more memory however large the values are.
  virtual Result<std::vector<bool>> contains(Family family,
                                             const std::vector<std::string_view>& keys) = 0;
  /// Keys from `from` up to, not including, `to` ("": to the end).
  virtual std::unique_ptr<Scan> scan(Family family, std::string_view from, std::string_view to) = 0;
  /// The same keys from the last one down.
  virtual std::unique_ptr<Scan> scan_back(Family family, std::string_view from,
                                          std::string_view to) = 0;
  /// Makes every write before the call durable.
  virtual Result<void> sync() = 0;
  /// Forgets the keys from `from` up to, not including, `to`, whole files at once where possible.
  virtual Result<void> drop_range(Family family, std::string_view from, std::string_view to) = 0;
  /// Takes rows that are malformed although their checksums are right out of the store and into its
  /// quarantine, where it has one; counted as `row` (DamageStats). Until then they stay where they
  /// are, so whoever meets them passes over them.
  virtual Result<void> set_aside(const std::vector<KeyValue>& /*rows*/,
                                 std::string_view /*reason*/) {
    return fail(ErrorCode::kUnavailable, "this store has no quarantine");
  }
  /// Writes everything out and packs it as densely as it goes: slow, for measuring and upkeep.
  virtual Result<void> compact() = 0;
  /// Size on disk, about.
  virtual std::uint64_t disk_bytes(Family family) const = 0;
  virtual DamageStats damage() const { return {}; }
  /// DamageStats::repairs, cheap enough for every request.
  virtual std::uint64_t repairs() const { return 0; }
  /// False while writes are refused (disk full). Never blocks.
  virtual bool is_writable() const { return true; }
};

}  // namespace vigia::storage::store::rocksdb::kv
