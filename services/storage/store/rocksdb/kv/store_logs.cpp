// StoreFolder: its write-ahead logs.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/kv/folder_files.hpp"
#include "services/storage/store/rocksdb/kv/record_file.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 4U << 20U;

}  // namespace

struct StoreFolder::CheckedLog {
  RecordFileState state;
  std::uint64_t begin = 0;      // sequence of its first write
  std::uint64_t end = 0;        // one past its last write
  std::uint64_t rows_lost = 0;  // gaps in the sequence inside, and before it
  bool is_behind_gap = false;   // where rows are gone between the one before and this
};

namespace {

constexpr std::size_t kBatchHeaderBytes = 12;

// Sequence and count of a record of a write-ahead log.
struct BatchHead {
  std::uint64_t sequence = 0;
  std::uint32_t count = 0;
};

BatchHead batch_head(std::string_view record) {
  ByteReader reader(record.substr(0, kBatchHeaderBytes));
  BatchHead head;
  head.sequence = reader.read_u64();
  head.count = reader.read_u32();
  return head;
}

}  // namespace

std::uint64_t first_sequence_of(std::string_view record) { return batch_head(record).sequence; }

std::uint64_t last_sequence_of(std::string_view record) {
  const BatchHead head = batch_head(record);
  return head.count == 0 ? 0 : head.sequence + head.count - 1;
}

Result<StoreFolder::CheckedLog> StoreFolder::read_log(const std::string& name,
                                                      std::uint64_t expected) const {
  CheckedLog log;
  const auto note_record = [&](std::string_view record) {
    const BatchHead head = batch_head(record);
    if (log.end == 0) log.begin = head.sequence;
    if (log.end != 0 && head.sequence > log.end) log.rows_lost += head.sequence - log.end;
    log.end = std::max(log.end, head.sequence + head.count);
  };
  auto state = read_record_file(path(name), note_record);
  if (!state) return tl::unexpected<Error>(state.error());
  log.state = *state;
  log.is_behind_gap = expected != 0 && log.begin > expected;
  if (log.is_behind_gap) log.rows_lost += log.begin - expected;
  return log;
}

// RocksDB's write-ahead logs, read before it opens them: at damage it would drop the rest of a
// block, or all that follows, and say nothing of how much. Batches are numbered by their rows, so a
// gap between two of them, or two logs, is the number of rows that are gone. A log may end within a
// record: a kill tore it. It stays beside later ones until its rows are in tables, and is damaged
// only where the next one that holds rows does not go on where it ends.
Result<void> StoreFolder::check_logs() {
  const auto names = files("", ".log");
  std::vector<CheckedLog> logs;
  std::uint64_t expected = 0;
  for (const std::string& name : names) {
    auto log = read_log(name, expected);
    if (!log) return forward(log);
    if (log->end != 0) expected = log->end;
    logs.push_back(*std::move(log));
  }
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const CheckedLog& log = logs[i];
    const bool is_last = i + 1 == logs.size();
    const auto next = std::find_if(logs.begin() + static_cast<std::ptrdiff_t>(i) + 1, logs.end(),
                                   [](const CheckedLog& later) { return later.end != 0; });
    const bool is_torn = log.state.damaged_passages == 0 && log.state.tail_bytes > 0;
    if (log.state.damaged_passages > 0 || (is_torn && !is_last)) {
      const bool is_damage = !is_torn || (next != logs.end() && next->is_behind_gap);
      if (auto rewritten = rewrite_log(names[i], log, is_damage); !rewritten) return rewritten;
    } else if (is_torn) {
      auto kept = quarantine_.take(path(names[i]), true);
      if (!kept) return forward(kept);
      torn_log_ = *kept;
    }
  }
  return {};
}

// The readable records alone: RocksDB would drop the rest of a block, or all that follows.
Result<void> StoreFolder::rewrite_log(const std::string& name, const CheckedLog& log,
                                      bool is_damage) {
  const std::string draft = path(name + ".vigia");
  RecordFileWriter writer;
  Result<void> written = write_durably(draft, "", true);
  std::uint64_t expected = 0;
  std::string piece;
  const auto copied = read_record_file(path(name), [&](std::string_view record) {
    const BatchHead head = batch_head(record);
    if (!written || head.sequence < expected) return;
    expected = head.sequence + head.count;
    writer.append(record);
    piece += writer.take();
    if (piece.size() < kPieceBytes) return;
    written = write_durably(draft, std::exchange(piece, {}), false);
  });
  if (!copied) return tl::unexpected<Error>(copied.error());
  if (written) written = write_durably(draft, piece, false);
  if (!written) return written;
  const auto taken = is_damage ? quarantine_.take(path(name), true) : Result<std::string>("");
  if (!taken) return forward(taken);
  std::error_code error;
  fs::rename(draft, path(name), error);
  if (error) return refused(name + " cannot be replaced: " + error.message());
  sync_folder(directory_);
  if (!is_damage) return {};
  log_rows_lost_ += log.rows_lost;
  quarantine_.note(
      *taken,
      {"wal", name,
       fmt::format("{} damaged passages, {} bytes, the first at byte {}",
                   std::max<std::uint64_t>(log.state.damaged_passages, 1),
                   log.state.damaged_bytes + log.state.tail_bytes, log.state.first_damage),
       "spans, log records or rows of new series that were written shortly before the last stop",
       log.rows_lost, log.state.records});
  return {};
}

}  // namespace vigia::storage::store::rocksdb::kv
