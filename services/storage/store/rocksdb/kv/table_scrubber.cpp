#include "services/storage/store/rocksdb/kv/table_scrubber.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/fault.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr std::uint32_t kMagic = 0x43534756;  // "VGSC"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kBytes = 20;

std::string encode(std::uint64_t last) {
  std::string bytes;
  append_u32(bytes, kMagic);
  append_u32(bytes, kVersion);
  append_u64(bytes, last);
  append_u32(bytes, crc32c(bytes));
  return bytes;
}

// One that is damaged or missing costs no more than a pass that begins anew.
std::uint64_t read_note(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.size() != kBytes) return 0;
  ByteReader reader(bytes);
  if (reader.read_u32() != kMagic || reader.read_u32() != kVersion) return 0;
  const std::uint64_t last = reader.read_u64();
  return reader.read_u32() == crc32c(bytes.substr(0, kBytes - sizeof(std::uint32_t))) ? last : 0;
}

std::optional<ScrubTable> first_behind(const std::vector<ScrubTable>& tables, std::uint64_t last) {
  std::optional<ScrubTable> next;
  for (const ScrubTable& table : tables) {
    if (table.number > last && (!next || table.number < next->number)) next = table;
  }
  return next;
}

std::uint64_t bytes_of(const std::vector<ScrubTable>& tables) {
  return std::accumulate(
      tables.begin(), tables.end(), std::uint64_t{0},
      [](std::uint64_t sum, const ScrubTable& table) { return sum + table.bytes; });
}

// Of `pass` as much as the table is of all.
Duration part_of(Duration pass, std::uint64_t bytes, std::uint64_t all) {
  const double part = all == 0 ? 1.0 : static_cast<double>(bytes) / static_cast<double>(all);
  const Duration pause(static_cast<std::int64_t>(static_cast<double>(pass.count()) * part));
  return std::clamp<Duration>(pause, kScrubPauseMin, kScrubPauseMax);
}

}  // namespace

TableScrubber::TableScrubber(ScrubbedStore store, std::string note, Duration pass)
    : store_(std::move(store)), note_(std::move(note)), pass_(pass), last_(read_note(note_)) {}

TableScrubber::~TableScrubber() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void TableScrubber::start(Duration wait) {
  thread_ = std::thread([this, wait] { run(wait); });
}

ScrubStats TableScrubber::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

Duration TableScrubber::step() {
  const std::vector<ScrubTable> tables = store_.live();
  if (tables.empty()) return kScrubPauseMax;
  auto next = first_behind(tables, last_);
  if (!next) {
    {
      const std::lock_guard lock(mutex_);
      ++stats_.passes;
    }
    next = first_behind(tables, 0);
  }
  check(*next);
  last_ = next->number;
  note_last();
  return part_of(pass_, next->bytes, bytes_of(tables));
}

void TableScrubber::check(const ScrubTable& table) {
  const auto checked = store_.check(table.number);
  const bool is_damaged = !checked && checked.error().code == ErrorCode::kCorrupt;
  {
    const std::lock_guard lock(mutex_);
    ++stats_.tables;
    stats_.bytes += table.bytes;
    if (!checked && !is_damaged) ++stats_.failures;
  }
  if (is_damaged) store_.found_damaged(table.number, checked.error().message);
}

// Never synced: after a crash some tables are read once more.
void TableScrubber::note_last() const {
  std::ofstream file(note_, std::ios::binary | std::ios::in | std::ios::out);
  if (!file) file.open(note_, std::ios::binary);
  const std::string bytes = encode(last_);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void TableScrubber::run(Duration pause) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return is_stopping_; })) {
    lock.unlock();
    pause = kScrubPauseMax;  // of a step that a fault has ended
    contain_faults("storage: scrubber", [&] { pause = step(); });
    lock.lock();
  }
}

}  // namespace vigia::storage::store::rocksdb::kv
