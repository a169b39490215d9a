#include "services/storage/store/rocksdb/kv/store_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/ldb_tool.h>
#include <rocksdb/utilities/ldb_cmd.h>
#include <unistd.h>

#include "libs/base/bytes.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/kv/record_file.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTableEnding = ".sst";
// Exists while the MANIFEST is made anew: a database opened in the middle of it would take all
// tables for superfluous and delete them.
constexpr std::string_view kRebuildFlag = "vigia-rebuild";
constexpr std::size_t kPieceBytes = 4U << 20U;

tl::unexpected<Error> refused(const std::string& what) {
  return fail(ErrorCode::kUnavailable, "cold store: " + what);
}

constexpr std::string_view kManifestPrefix = "MANIFEST-";

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Result<void> write_durably(const std::string& path, std::string_view bytes, bool is_first) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (is_first ? O_TRUNC : O_APPEND);
  const int file = open(path.c_str(), flags, 0640);
  if (file < 0) return refused(path + " cannot be written");
  bool ok = true;
  while (ok && !bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    ok = written > 0;
    if (ok) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  ok = ok && fdatasync(file) == 0;
  close(file);
  if (!ok) return refused(path + " cannot be written: is the disk full?");
  return {};
}

void sync_folder(const std::string& directory) {
  const int folder = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

std::uint64_t number_in(const std::string& name, std::size_t at = 0) {
  return std::strtoull(name.c_str() + at, nullptr, 10);
}

// The folder's own lock, which RocksDB takes too: held while files are looked at.
class FolderLock {
 public:
  explicit FolderLock(const std::string& directory) {
    status_ = ::rocksdb::Env::Default()->LockFile(directory + "/LOCK", &lock_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (lock_ != nullptr) ::rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError();
  }
  bool is_held() const { return status_.ok(); }

 private:
  ::rocksdb::FileLock* lock_ = nullptr;
  ::rocksdb::Status status_;
};

}  // namespace

std::string table_name(std::uint64_t number) { return fmt::format("{:06}.sst", number); }

// RocksDB tries NAME.ldb where NAME.sst is missing, and speaks of that one then.
std::uint64_t table_in(const std::string& text) {
  for (const std::string_view ending : {std::string_view(kTableEnding), std::string_view(".ldb")}) {
    for (std::size_t end = text.find(ending); end != std::string::npos;
         end = text.find(ending, end + 1)) {
      std::size_t begin = end;
      while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') --begin;
      if (begin < end) return number_in(text, begin);
    }
  }
  return 0;
}

std::string manifest_copy(const std::string& directory, std::uint64_t number) {
  return fmt::format("{}/vigia-manifest-{:06}", directory, number);
}

Result<void> copy_manifest(const std::string& directory, std::uint64_t number,
                           std::uint64_t bytes) {
  const std::string copy = manifest_copy(directory, number);
  std::error_code error;
  const bool is_new = !fs::exists(copy);
  std::uint64_t at = is_new ? 0 : fs::file_size(copy, error);
  if (at > bytes) at = 0;
  if (at == bytes && !is_new) return {};
  std::ifstream manifest(fmt::format("{}/MANIFEST-{:06}", directory, number), std::ios::binary);
  manifest.seekg(static_cast<std::streamoff>(at));
  std::string more(bytes - at, '\0');
  if (!manifest.read(more.data(), static_cast<std::streamsize>(more.size()))) {
    return refused("the MANIFEST cannot be read");
  }
  if (auto written = write_durably(copy, more, at == 0); !written) return written;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string path = entry.path().string();
    if (path.find("/vigia-manifest-") != std::string::npos && path != copy) {
      fs::remove(path, error);
    }
  }
  return {};
}

struct StoreFolder::CheckedLog {
  RecordFileState state;
  std::uint64_t begin = 0;      // sequence of its first write
  std::uint64_t end = 0;        // one past its last write
  std::uint64_t rows_lost = 0;  // gaps in the sequence inside
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

std::vector<std::string> StoreFolder::files(const std::string& prefix,
                                            const std::string& ending) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    std::string name = at->path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(ending) && at->is_regular_file(error)) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> StoreFolder::prepare() {
  bool needs_rebuild = fs::exists(path(std::string(kRebuildFlag)));
  std::string reason = "a rebuild was cut short";
  {
    const FolderLock lock(directory_);
    if (!lock.is_held()) return refused("another process holds " + directory_);
    if (auto checked = check_files(needs_rebuild, reason); !checked) return checked;
  }
  if (needs_rebuild) return rebuild(reason);
  return check_footers();
}

Result<void> StoreFolder::check_files(bool& needs_rebuild, std::string& reason) {
  if (!needs_rebuild) {
    if (auto checked = check_current(needs_rebuild, reason); !checked) return checked;
  }
  if (!needs_rebuild) {
    if (auto checked = check_manifest(needs_rebuild, reason); !checked) return checked;
  }
  return check_logs();
}

// CURRENT holds nothing but the name of the MANIFEST in use: the newest, where it is damaged.
Result<void> StoreFolder::check_current(bool& needs_rebuild, std::string& reason) {
  const auto manifests = files("MANIFEST-", "");
  const std::string current = path("CURRENT");
  if (manifests.empty()) {
    needs_rebuild = fs::exists(current) || !files("", ".sst").empty();
    reason = "there is no MANIFEST";
    return {};
  }
  std::string name;
  std::string rest;
  {
    std::ifstream file(current);
    std::getline(file, name);
    std::getline(file, rest);
    const bool is_whole = !file.bad() && rest.empty();
    if (is_whole && std::binary_search(manifests.begin(), manifests.end(), name)) {
      std::error_code error;
      if (fs::file_size(current, error) == name.size() + 1) return {};
    }
  }
  std::string taken;
  if (fs::exists(current)) {
    auto moved = quarantine_.take(current);
    if (!moved) return forward(moved);
    taken = *moved;
  }
  const std::string draft = path("CURRENT.vigia");
  if (auto written = write_durably(draft, manifests.back() + "\n", true); !written) return written;
  std::error_code error;
  fs::rename(draft, current, error);
  if (error) return refused(current + " cannot be written: " + error.message());
  sync_folder(directory_);
  quarantine_.note(taken, {"current", "CURRENT", "it names no MANIFEST", "", 0, 0});
  return {};
}

// What of the copy may stand in for the MANIFEST: all of it, or nothing.
struct StoreFolder::ManifestCopy {
  std::string bytes;  // "" where there is none that is whole
  StoreVersion version;
};

// RocksDB deletes every table that the MANIFEST does not name: it is left none. A MANIFEST that may
// be older than the tables, by what the mark says and by which tables are there, is not believed.
Result<void> StoreFolder::check_manifest(bool& needs_rebuild, std::string& reason) {
  std::ifstream current(path("CURRENT"));
  std::string name;
  if (!std::getline(current, name)) return {};  // a new database
  const auto version = read_version(path(name));
  if (!version) return forward(version);
  const ManifestCopy copy = read_copy(name);
  reason = manifest_fault(name, *version, copy);
  Result<bool> is_usable = false;
  if (reason.empty()) {
    is_usable = keep_manifest(*version, is_marked(name));
    reason = fmt::format("{}: it may be older than tables that it does not name", name);
  } else {
    is_usable = restore_manifest(name, copy, reason);
  }
  if (!is_usable) return forward(is_usable);
  needs_rebuild = !*is_usable;
  return {};
}

bool StoreFolder::is_marked(const std::string& name) const {
  return number_in(name, kManifestPrefix.size()) == mark_.values().manifest_number;
}

bool StoreFolder::has_been_longer(const std::string& name, const StoreVersion& version) const {
  return is_marked(name) && version.state.records_end < mark_.values().manifest_bytes;
}

// "" where there is none.
std::string StoreFolder::manifest_fault(const std::string& name, const StoreVersion& version,
                                        const ManifestCopy& copy) const {
  const RecordFileState& state = version.state;
  if (state.records == 0 || state.damaged_passages > 0) {
    return fmt::format("{}: damaged at byte {}", name, state.first_damage);
  }
  if (has_been_longer(name, version)) {
    return fmt::format("{}: it was {} bytes long", name, mark_.values().manifest_bytes);
  }
  if (state.records_end < copy.version.state.records_end) {
    return fmt::format("{}: it is shorter than its copy", name);
  }
  return {};
}

StoreFolder::ManifestCopy StoreFolder::read_copy(const std::string& name) const {
  const std::string path = manifest_copy(directory_, number_in(name, kManifestPrefix.size()));
  if (!fs::exists(path)) return {};
  auto version = read_version(path);
  if (!version || !version->is_whole()) return {};
  std::string bytes = read_whole(path);
  bytes.resize(std::min<std::size_t>(bytes.size(), version->state.records_end));
  return {std::move(bytes), std::move(*version)};
}

StoreFolder::Differences StoreFolder::compare(const StoreVersion& version) const {
  Differences differences{version.tables, {}};
  for (const std::string& name : files("", kTableEnding)) {
    const std::uint64_t number = number_in(name);
    if (differences.missing.erase(number) == 0) differences.unnamed.insert(number);
  }
  return differences;
}

// What it does not name is, most often, what a kill left of a compaction: its rows are in tables
// that are named, and nothing of it will be written anew. False: the version cannot be believed.
Result<bool> StoreFolder::keep_manifest(const StoreVersion& version, bool is_marked) {
  const Differences differences = compare(version);
  if (differences.unnamed.empty()) return true;
  const bool may_be_older =
      version.state.tail_bytes > 0 || !version.is_read || !differences.missing.empty();
  if (!is_marked && may_be_older) return false;
  if (!differences.missing.empty() && names_index_table(differences.unnamed)) return false;
  if (auto taken = take_unnamed(differences, false); !taken) return forward(taken);
  return true;
}

// Rows of the index are replaced by newer ones, all others are written once: so a table of the
// index that a version lacks may hold what it has an older value of.
bool StoreFolder::names_index_table(const std::set<std::uint64_t>& tables) const {
  return std::any_of(tables.begin(), tables.end(), [&](std::uint64_t number) {
    const auto family = family_named(table_family(path(table_name(number))));
    return family == Family::kIndex || family == Family::kIdentity;
  });
}

// Their rows are written anew where the store has none. One without an end is no table yet.
Result<void> StoreFolder::take_unnamed(const Differences& differences, bool wants_unfinished) {
  for (const std::uint64_t number : differences.unnamed) {
    const std::string table = path(table_name(number));
    std::error_code error;
    const bool is_table = check_table_footer(table).has_value();
    if (!is_table && (!wants_unfinished || fs::file_size(table, error) == 0)) continue;
    const auto taken = quarantine_.take(table, false, is_table ? kMovedTag : std::string_view());
    if (!taken) return forward(taken);
    if (!is_table) {
      quarantine_.annotate(*taken,
                           "no MANIFEST names it and its end is missing: a compaction had "
                           "not finished it, or it is damaged");
    }
  }
  return {};
}

// The copy, and what the MANIFEST itself has behind it; or the copy alone.
Result<bool> StoreFolder::restore_manifest(const std::string& name, const ManifestCopy& copy,
                                           const std::string& reason) {
  if (copy.bytes.empty()) return false;
  const std::string original = read_whole(path(name));
  const std::string draft = path(name + ".vigia");
  std::vector<std::string> candidates = {copy.bytes};
  if (original.size() > copy.bytes.size()) {
    candidates.insert(candidates.begin(), copy.bytes + original.substr(copy.bytes.size()));
  }
  for (const std::string& bytes : candidates) {
    if (auto written = write_durably(draft, bytes, true); !written) return forward(written);
    const auto is_used = use_restored(name, draft, reason);
    if (!is_used || *is_used) return is_used;
  }
  std::error_code error;
  fs::remove(draft, error);
  return false;
}

// False where the draft may be older than the tables.
Result<bool> StoreFolder::use_restored(const std::string& name, const std::string& draft,
                                       const std::string& reason) {
  const auto version = read_version(draft);
  if (!version) return forward(version);
  if (!version->is_whole() || has_been_longer(name, *version)) return false;
  const Differences differences = compare(*version);
  const bool is_newest = is_marked(name) && differences.missing.empty();
  if (!is_newest && !differences.unnamed.empty()) return false;
  if (names_index_table(differences.unnamed)) return false;
  if (auto moved = take_unnamed(differences, true); !moved) return forward(moved);
  auto taken = quarantine_.take(path(name), true);
  if (!taken) return forward(taken);
  std::error_code error;
  fs::rename(draft, path(name), error);
  if (error) return refused(name + " cannot be replaced: " + error.message());
  sync_folder(directory_);
  std::string cost;
  if (!differences.unnamed.empty()) {
    cost = fmt::format(
        "{} tables that it does not name are kept, their rows written anew where the store has "
        "none: deleted ones may be there again until the next expiry",
        differences.unnamed.size());
  }
  if (!differences.missing.empty()) {
    cost += fmt::format("{}{} tables that it names are not there", cost.empty() ? "" : "; ",
                        differences.missing.size());
  }
  quarantine_.note(*taken, {"manifest", name, reason, cost, 0, 0});
  return true;
}

Result<void> StoreFolder::check_logs() {
  const auto names = files("", ".log");
  std::uint64_t expected = 0;
  for (const std::string& name : names) {
    CheckedLog log;
    const auto note_record = [&](std::string_view record) {
      const BatchHead head = batch_head(record);
      if (log.end == 0) log.begin = head.sequence;
      if (log.end != 0 && head.sequence > log.end) log.rows_lost += head.sequence - log.end;
      log.end = std::max(log.end, head.sequence + head.count);
    };
    auto state = read_record_file(path(name), note_record);
    if (!state) return forward(state);
    log.state = *state;
    if (expected != 0 && log.begin > expected) log.rows_lost += log.begin - expected;
    if (log.end != 0) expected = log.end;
    const bool is_last = name == names.back();
    if (log.state.damaged_passages > 0 || (log.state.tail_bytes > 0 && !is_last)) {
      if (auto rewritten = rewrite_log(name, log); !rewritten) return rewritten;
    } else if (log.state.tail_bytes > 0) {
      auto kept = quarantine_.take(path(name), true);
      if (!kept) return forward(kept);
      torn_log_ = *kept;
    }
  }
  return {};
}

// The readable records alone: RocksDB would drop the rest of a block, or all that follows.
Result<void> StoreFolder::rewrite_log(const std::string& name, const CheckedLog& log) {
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
  if (!copied) return forward(copied);
  if (written) written = write_durably(draft, piece, false);
  if (!written) return written;
  auto taken = quarantine_.take(path(name), true);
  if (!taken) return forward(taken);
  std::error_code error;
  fs::rename(draft, path(name), error);
  if (error) return refused(name + " cannot be replaced: " + error.message());
  sync_folder(directory_);
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

// Before RocksDB looks: it would follow a footer wherever it points. A file that no MANIFEST names
// is what a kill left of a compaction; RocksDB deletes it.
Result<void> StoreFolder::check_footers() {
  std::vector<TakenTable> taken;
  for (const std::string& name : files("", ".sst")) {
    const auto checked = check_table_footer(path(name));
    if (checked) continue;
    auto table = take_table(number_in(name), checked.error().message);
    if (table) taken.push_back(*std::move(table));
    if (!table && table.error().code == ErrorCode::kUnavailable) return forward(table);
  }
  for (const TakenTable& table : taken) (void)drop_taken(table);
  return {};
}

Result<void> StoreFolder::drop_table(std::uint64_t number, const std::string& reason) {
  const auto taken = take_table(number, reason);
  if (!taken) return forward(taken);
  return drop_taken(*taken);
}

Result<StoreFolder::TakenTable> StoreFolder::take_table(std::uint64_t number,
                                                        const std::string& reason) {
  TakenTable table{number, reason, {}};
  const std::string file = path(table_name(number));
  if (!fs::exists(file)) return table;
  auto moved = quarantine_.take(file);
  if (!moved) return forward(moved);
  table.file = *std::move(moved);
  return table;
}

// RocksDB's tool opens all tables that the MANIFEST names: this one must be away by then.
Result<void> StoreFolder::drop_taken(const TakenTable& table) {
  const std::string name = table_name(table.number);
  if (auto removed = remove_from_manifest(table.number); !removed) {
    std::error_code ignored;
    if (!table.file.empty()) fs::rename(table.file, path(name), ignored);
    return removed;
  }
  if (!table.file.empty()) {
    service::log_error("a damaged table is set aside; what can be read of it is written anew",
                       {{"file", name}, {"why", table.reason}});
  } else if (!quarantine_.holds(name)) {
    quarantine_.note("", {"table_missing", name, table.reason, "all rows of the file", 0, 0});
  }
  return {};
}

Result<void> StoreFolder::remove_from_manifest(std::uint64_t number) {
  ::rocksdb::Options options;
  options.paranoid_checks = false;  // other tables may be damaged too
  const std::vector<std::string> words = {"--db=" + directory_, "unsafe_remove_sst_file",
                                          fmt::to_string(number)};
  const std::unique_ptr<::rocksdb::LDBCommand> command(
      ::rocksdb::LDBCommand::InitFromCmdLineArgs(words, options, ::rocksdb::LDBOptions(), nullptr));
  if (command == nullptr) return fail(ErrorCode::kInternal, "cold store: no such command");
  command->Run();
  if (command->GetExecuteState().IsFailed()) {
    return fail(ErrorCode::kCorrupt, fmt::format("cold store: table {} cannot be taken out: {}",
                                                 number, command->GetExecuteState().ToString()));
  }
  return {};
}

// Nothing is deleted: the files move, and their rows are written anew from there.
Result<void> StoreFolder::rebuild(const std::string& reason) {
  service::log_error(
      "the cold store's MANIFEST and its copy are damaged: the database is made anew from the rows "
      "of all its files, which needs their size again on the disk; what is not written yet is "
      "missing from answers",
      {{"why", reason}, {"directory", directory_}});
  if (auto flagged = write_durably(path(std::string(kRebuildFlag)), reason, true); !flagged) {
    return flagged;
  }
  sync_folder(directory_);
  for (const char* ending : {".log", ".sst"}) {
    for (const std::string& name : files("", ending)) {
      if (auto taken = quarantine_.take(path(name), false, kMovedTag); !taken) {
        return forward(taken);
      }
    }
  }
  std::string taken;
  for (const char* prefix : {"MANIFEST-", "CURRENT"}) {
    for (const std::string& name : files(prefix, "")) {
      auto moved = quarantine_.take(path(name));
      if (!moved) return forward(moved);
      if (!taken.empty()) quarantine_.annotate(taken, "the database was made anew");
      taken = *moved;
    }
  }
  quarantine_.note(taken, {"manifest", "MANIFEST", reason,
                           "nothing but the order of versions: days that had expired may be there "
                           "again until the next expiry",
                           0, 0});
  std::error_code ignored;
  fs::remove(path(std::string(kRebuildFlag)), ignored);
  sync_folder(directory_);
  is_rebuilt_ = true;
  return {};
}

}  // namespace vigia::storage::store::rocksdb::kv
