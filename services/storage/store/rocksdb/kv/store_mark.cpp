#include "services/storage/store/rocksdb/kv/store_mark.hpp"

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr std::uint32_t kMagic = 0x4b4d4756;  // "VGMK"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kBytes = 36;
constexpr mode_t kMode = 0640;

std::string encode(const StoreMarkValues& values) {
  std::string bytes;
  append_u32(bytes, kMagic);
  append_u32(bytes, kVersion);
  append_u64(bytes, values.synced_sequence);
  append_u64(bytes, values.manifest_number);
  append_u64(bytes, values.manifest_bytes);
  append_u32(bytes, crc32c(bytes));
  return bytes;
}

bool decode(std::string_view bytes, StoreMarkValues& values) {
  if (bytes.size() != kBytes) return false;
  ByteReader reader(bytes);
  if (reader.read_u32() != kMagic || reader.read_u32() != kVersion) return false;
  values.synced_sequence = reader.read_u64();
  values.manifest_number = reader.read_u64();
  values.manifest_bytes = reader.read_u64();
  return reader.read_u32() == crc32c(bytes.substr(0, kBytes - sizeof(std::uint32_t)));
}

ReadMark read_from(int file) {
  ReadMark mark;
  std::array<char, kBytes + 1> bytes{};
  const ssize_t size = pread(file, bytes.data(), bytes.size(), 0);
  if (size == 0) return mark;
  mark.is_damaged =
      size < 0 || !decode({bytes.data(), static_cast<std::size_t>(size)}, mark.values);
  if (mark.is_damaged) mark.values = {};
  return mark;
}

}  // namespace

ReadMark read_mark(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ReadMark mark = read_from(file);
  close(file);
  return mark;
}

StoreMark::StoreMark(std::string path)
    : path_(std::move(path)), file_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode)) {
  if (file_ < 0) return;
  const ReadMark mark = read_from(file_);
  is_damaged_ = mark.is_damaged;
  values_ = mark.values;
}

StoreMark::~StoreMark() {
  if (file_ >= 0) close(file_);
}

StoreMarkValues StoreMark::values() const {
  const std::lock_guard lock(mutex_);
  return values_;
}

// It only grows: syncs that began later may end first, and the mark is of what is surely on disk.
void StoreMark::note_synced(std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  if (sequence <= values_.synced_sequence) return;
  values_.synced_sequence = sequence;
  write();
}

void StoreMark::note_manifest(std::uint64_t number, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (number == values_.manifest_number && bytes == values_.manifest_bytes) return;
  values_.manifest_number = number;
  values_.manifest_bytes = bytes;
  write();
}

void StoreMark::reset(std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  values_ = {sequence, 0, 0};
  // Emptied first: a kill in between leaves no mark, which promises nothing, and never the mark of
  // the store that was here before.
  if (file_ >= 0 && ftruncate(file_, 0) != 0) return;
  write();
}

// One write of less than a sector. Where it fails (disk full) the mark says less than is true.
void StoreMark::write() {
  if (file_ < 0) return;
  const std::string bytes = encode(values_);
  if (pwrite(file_, bytes.data(), bytes.size(), 0) < 0) return;
}

}  // namespace vigia::storage::store::rocksdb::kv
