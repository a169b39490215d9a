#include "services/storage/store/rocksdb/kv/folder_check.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "services/storage/store/rocksdb/kv/damage_text.hpp"
#include "services/storage/store/rocksdb/kv/folder_files.hpp"
#include "services/storage/store/rocksdb/kv/folder_lock.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"
#include "services/storage/store/rocksdb/kv/store_mark.hpp"
#include "services/storage/store/rocksdb/kv/store_version.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCostOfLogs =
    "spans, log records or rows of new series that were written shortly before the last stop";

class FolderCheck {
 public:
  FolderCheck(const std::string& directory, const RowCheck& check_row,
              const CheckProgress& progress)
      : directory_(directory), check_row_(check_row), progress_(progress) {}

  Result<CheckReport> run() {
    if (auto listed = list(); !listed) return forward(listed);
    const std::vector<std::string> tables = names(kTableEnding);
    const std::vector<std::string> logs = names(".log");
    if (tables.empty() && logs.empty() && !files_.contains("CURRENT")) {
      return fail(ErrorCode::kNotFound, "there is no store in " + directory_);
    }
    if (const auto manifest = check_current()) check_manifest(*manifest);
    std::size_t left = tables.size() + logs.size();
    for (const std::string& table : tables) {
      progress_(table, left--);
      check_table(table);
    }
    for (const std::string& log : logs) {
      progress_(log, left--);
      check_log(log, log == logs.back());
    }
    check_end(logs.empty() ? std::string() : logs.back());
    return std::move(report_);
  }

 private:
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  void count(const std::string& name) {
    std::error_code error;
    const auto bytes = fs::file_size(path(name), error);
    ++report_.files;
    report_.bytes += error ? 0 : bytes;
  }

  Result<void> list() {
    std::error_code error;
    for (fs::directory_iterator at(directory_, error), end; !error && at != end;
         at.increment(error)) {
      files_.insert(at->path().filename().string());
    }
    if (!error) return {};
    return fail(ErrorCode::kUnavailable, directory_ + " cannot be listed: " + error.message());
  }

  // By their numbers, the oldest first.
  std::vector<std::string> names(std::string_view ending) const {
    std::vector<std::string> found;
    for (const std::string& name : files_) {
      if (name.ends_with(ending) && number_in(name) != 0) found.push_back(name);
    }
    std::sort(found.begin(), found.end(), [](const std::string& left, const std::string& right) {
      return number_in(left) < number_in(right);
    });
    return found;
  }

  // The MANIFEST that it names; nothing where it names none that is there.
  std::optional<std::string> check_current() {
    const std::string text = read_whole(path("CURRENT"));
    count("CURRENT");
    const std::string name = text.substr(0, text.find('\n'));
    std::string why = "it names no MANIFEST that is there";
    std::string cost = "none: a start takes the newest MANIFEST";
    if (text == name + "\n" && name.starts_with(kManifestPrefix) && files_.contains(name)) {
      const std::uint64_t in_use = read_mark(path(std::string(kMarkFile))).values.manifest_number;
      if (number_in(name, kManifestPrefix.size()) >= in_use) return name;
      why = fmt::format("it names {}, but a newer one has been in use", name);
      cost += ", or all tables where that is gone";
    }
    report_.faults.push_back({"CURRENT", "current", why, cost, 0});
    return std::nullopt;
  }

  void check_manifest(const std::string& name) {
    count(name);
    const auto version = read_version(path(name));
    if (!version) {
      report_.faults.push_back({name, "manifest", version.error().message, "", 0});
      return;
    }
    if (!version->is_whole()) {
      report_.faults.push_back(
          {name, "manifest",
           fmt::format("{} damaged passages behind {} whole records",
                       std::max<std::uint64_t>(version->state.damaged_passages, 1),
                       version->state.records),
           "none where its copy is whole, else rows of files that it alone names", 0});
      return;
    }
    if (version->state.tail_bytes > 0) {
      report_.notes.push_back(fmt::format("{} ends within a record, as a kill leaves it", name));
    }
    named_ = version->tables;
    sequence_ = std::max(sequence_, version->last_sequence);
    for (const std::uint64_t table : version->tables) {
      if (files_.contains(table_name(table))) continue;
      report_.faults.push_back(
          {table_name(table), "table_missing", name + " names it", "all rows of that table", 0});
    }
  }

  // What no MANIFEST names is the rest of a kill, or all that is left where its end is lost: it is
  // read, and its damage is no fault.
  void note_table(FileFault fault) {
    if (!named_ || named_->contains(number_in(fault.file))) {
      report_.faults.push_back(std::move(fault));
      return;
    }
    report_.notes.push_back(
        fmt::format("{} is damaged ({}), and no MANIFEST names it", fault.file, fault.reason));
  }

  void check_table(const std::string& name) {
    count(name);
    std::uint64_t malformed = 0;
    std::string first_reason;
    const auto contents = read_table(path(name),
                                     [&](const std::string& family, std::string_view key,
                                         std::string_view value) -> Result<void> {
                                       const std::string_view known = name_of(family);
                                       ++report_.rows[std::string(known)];
                                       if (auto checked = check_row_(known, key, value);
                                           !checked && malformed++ == 0) {
                                         first_reason = checked.error().message;
                                       }
                                       return {};
                                     });
    if (!contents) {
      note_table({name, "table", contents.error().message, "all rows of it", 0});
      return;
    }
    if (!contents->gaps.empty()) {
      const std::uint64_t lost = contents->entries - std::min(contents->entries, contents->rows);
      note_table({name, "table", fmt::format("damaged blocks in {} places", contents->gaps.size()),
                  describe_gaps(contents->family, contents->gaps), lost});
    }
    if (contents->gaps.empty()) {  // what no row lies in, such as a filter
      if (auto checked = check_table_checksums(path(name)); !checked) {
        note_table({name, "table", checked.error().message, "no row", 0});
      }
    }
    if (malformed > 0) {
      note_table(
          {name, "row", first_reason,
           fmt::format("{} rows are malformed although their checksums are right", malformed),
           malformed});
    }
  }
  static std::string_view name_of(const std::string& family) {
    const auto known = family_named(family);
    return known ? kFamilyNames[static_cast<std::size_t>(*known)] : std::string_view("unknown");
  }

  // One that ends within a record was torn by a kill, and stays beside later ones for a while: it
  // is damaged only where the next one with rows does not go on where it ends.
  void check_log(const std::string& name, bool is_last) {
    count(name);
    const auto state = read_record_file(path(name), [this](std::string_view record) {
      if (torn_) end_torn(first_sequence_of(record) > sequence_ + 1);
      sequence_ = std::max(sequence_, last_sequence_of(record));
    });
    if (!state) {
      report_.faults.push_back({name, "wal", state.error().message, kCostOfLogs, 0});
      return;
    }
    report_.rows["records of RocksDB's own log"] += state->records;
    FileFault fault{name, "wal",
                    fmt::format("{} damaged passages, {} bytes, the first at byte {}",
                                std::max<std::uint64_t>(state->damaged_passages, 1),
                                state->damaged_bytes + state->tail_bytes, state->first_damage),
                    kCostOfLogs, 0};
    if (state->damaged_passages > 0) {
      report_.faults.push_back(std::move(fault));
    } else if (state->tail_bytes > 0) {
      torn_ = std::move(fault);
      if (is_last) end_torn(false);
    }
  }

  void end_torn(bool is_damage) {
    const FileFault torn = *std::exchange(torn_, std::nullopt);
    if (is_damage) return report_.faults.push_back(torn);
    report_.notes.push_back(fmt::format("{} ends within a record, as a kill leaves it", torn.file));
  }

  // As a start does: a log that ends between two records, or within one, ends where a kill left it,
  // or before.
  void check_end(const std::string& log) {
    if (torn_) end_torn(false);
    const ReadMark mark = read_mark(path(std::string(kMarkFile)));
    if (mark.is_damaged) {
      report_.faults.push_back({std::string(kMarkFile), "mark", "its checksum is wrong",
                                "whether the newest write-ahead log is whole cannot be told", 0});
    }
    const std::uint64_t synced = mark.values.synced_sequence;
    if (!named_ || sequence_ >= synced) return;
    report_.faults.push_back({log.empty() ? "the newest write-ahead log" : log, "wal_end",
                              "it ends before writes that were on disk", kCostOfLogs,
                              synced - sequence_});
  }

  const std::string& directory_;
  const RowCheck& check_row_;
  const CheckProgress& progress_;
  std::set<std::string> files_;                   // names in the folder
  std::optional<std::set<std::uint64_t>> named_;  // by a MANIFEST that is whole
  std::uint64_t sequence_ = 0;                    // of the last write that is there
  std::optional<FileFault> torn_;                 // a log behind which none with rows was read yet
  CheckReport report_;
};

}  // namespace

Result<CheckReport> check_folder(const std::string& directory, const RowCheck& check_row,
                                 const CheckProgress& progress) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return fail(ErrorCode::kNotFound, "there is no folder " + directory);
  }
  // A copy of a folder may have no lock; none is made for it.
  std::optional<FolderLock> lock;
  if (fs::exists(directory + "/LOCK", error)) {
    lock.emplace(directory);
    if (!lock->is_held()) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{} cannot be locked ({}); stop vigia-storage first", directory,
                              lock->why_not()));
    }
  }
  return FolderCheck(directory, check_row, progress).run();
}

}  // namespace vigia::storage::store::rocksdb::kv
