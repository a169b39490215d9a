#include "services/storage/store/rocksdb/kv/store_version.hpp"

#include <algorithm>
#include <vector>

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

// Tags of RocksDB's version edits (db/version_edit.h), as they are on disk.
enum Tag : std::uint64_t {
  kComparator = 1,
  kLogNumber = 2,
  kNextFileNumber = 3,
  kLastSequence = 4,
  kCompactCursor = 5,
  kDeletedFile = 6,
  kNewFile = 7,
  kPrevLogNumber = 9,
  kMinLogNumberToKeep = 10,
  kNewFile2 = 100,
  kNewFile3 = 102,
  kNewFile4 = 103,
  kColumnFamily = 200,
  kColumnFamilyAdd = 201,
  kColumnFamilyDrop = 202,
  kMaxColumnFamily = 203,
  kInAtomicGroup = 300,
};
// A tag with this bit is followed by a sized field that may be passed over.
constexpr std::uint64_t kMayBeIgnored = 1U << 13U;
constexpr std::uint64_t kEndOfFields = 1;  // of kNewFile4

struct TableChanges {
  std::vector<std::uint64_t> added;
  std::vector<std::uint64_t> removed;
  std::uint64_t last_sequence = 0;
};

void read_new_file(std::uint64_t tag, ByteReader& reader, TableChanges& changes) {
  reader.read_varint();  // level
  changes.added.push_back(reader.read_varint());
  if (tag == kNewFile3) reader.read_varint();  // path
  reader.read_varint();                        // size
  reader.read_sized();                         // smallest key
  reader.read_sized();                         // largest key
  if (tag == kNewFile) return;
  reader.read_varint();  // smallest sequence
  reader.read_varint();  // largest sequence
  if (tag != kNewFile4) return;
  while (reader.ok() && reader.read_varint() != kEndOfFields) reader.read_sized();
}

// False where the tag is not known.
bool read_field(std::uint64_t tag, ByteReader& reader, TableChanges& changes) {
  switch (tag) {
    case kLastSequence:
      changes.last_sequence = reader.read_varint();
      return true;
    case kLogNumber:
    case kNextFileNumber:
    case kPrevLogNumber:
    case kMinLogNumberToKeep:
    case kColumnFamily:
    case kMaxColumnFamily:
    case kInAtomicGroup:
      reader.read_varint();
      return true;
    case kComparator:
    case kColumnFamilyAdd:
      reader.read_sized();
      return true;
    case kColumnFamilyDrop:
      return true;
    case kCompactCursor:
      reader.read_varint();
      reader.read_sized();
      return true;
    case kDeletedFile:
      reader.read_varint();
      changes.removed.push_back(reader.read_varint());
      return true;
    case kNewFile:
    case kNewFile2:
    case kNewFile3:
    case kNewFile4:
      read_new_file(tag, reader, changes);
      return true;
    default:
      // A newer RocksDB's field of unknown shape: where the next one begins cannot be told.
      if ((tag & kMayBeIgnored) == 0) return false;
      reader.read_sized();
      return true;
  }
}

}  // namespace

// A table that only moves to another level is removed and added by the same edit.
bool apply_edit(std::string_view record, StoreVersion& version) {
  ByteReader reader(record);
  TableChanges changes;
  while (!reader.rest().empty()) {
    const std::uint64_t tag = reader.read_varint();
    if (!reader.ok() || !read_field(tag, reader, changes) || !reader.ok()) return false;
  }
  // Only when the whole edit could be read, so that half of one changes nothing.
  for (const std::uint64_t number : changes.removed) version.tables.erase(number);
  version.tables.insert(changes.added.begin(), changes.added.end());
  version.last_sequence = std::max(version.last_sequence, changes.last_sequence);
  return true;
}

bool apply_edit(std::string_view record, std::set<std::uint64_t>& tables) {
  StoreVersion version;
  version.tables.swap(tables);
  const bool is_known = apply_edit(record, version);
  version.tables.swap(tables);
  return is_known;
}

Result<StoreVersion> read_version(const std::string& path) {
  StoreVersion version;
  auto state = read_record_file(path, [&](std::string_view record) {
    if (!apply_edit(record, version)) version.is_read = false;
  });
  if (!state) return forward(state);
  version.state = *state;
  return version;
}

}  // namespace vigia::storage::store::rocksdb::kv
