#include "services/storage/store/rocksdb/kv/folder_check.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "services/storage/store/rocksdb/kv/damage_text.hpp"
#include "services/storage/store/rocksdb/kv/folder_files.hpp"
#include "services/storage/store/rocksdb/kv/folder_lock.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"
#include "services/storage/store/rocksdb/kv/store_version.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

class FolderCheck {
 public:
  FolderCheck(const std::string& directory, const RowCheck& check_row,
              const CheckProgress& progress)
      : directory_(directory), check_row_(check_row), progress_(progress) {}

  Result<CheckReport> run() {
    const auto manifest = check_current();
    std::set<std::uint64_t> tables = numbers_of(kTableEnding);
    if (manifest) {
      if (auto checked = check_manifest(*manifest, tables); !checked) return forward(checked);
    }
    const std::vector<std::string> logs = logs_there();
    std::size_t left = tables.size() + logs.size();
    for (const std::uint64_t table : tables) {
      progress_(table_name(table), left--);
      check_table(table_name(table));
    }
    for (const std::string& log : logs) {
      progress_(log, left--);
      if (auto checked = check_log(log, log == logs.back()); !checked) return forward(checked);
    }
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

  std::vector<std::string> names(std::string_view ending) const {
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator at(directory_, error), end; !error && at != end;
         at.increment(error)) {
      std::string name = at->path().filename().string();
      if (name.ends_with(ending) && number_in(name) != 0) found.push_back(std::move(name));
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::set<std::uint64_t> numbers_of(std::string_view ending) const {
    std::set<std::uint64_t> numbers;
    for (const std::string& name : names(ending)) numbers.insert(number_in(name));
    return numbers;
  }
  std::vector<std::string> logs_there() const { return names(".log"); }

  // The MANIFEST that it names; nothing where it names none that is there.
  std::optional<std::string> check_current() {
    std::string name = read_whole(path("CURRENT"));
    count("CURRENT");
    if (name.ends_with('\n')) name.pop_back();
    if (name.starts_with(kManifestPrefix) && fs::exists(path(name))) return name;
    report_.faults.push_back({"CURRENT", "current", "it names no MANIFEST that is there",
                              "none: a start takes the newest MANIFEST", 0});
    return std::nullopt;
  }

  Result<void> check_manifest(const std::string& name, std::set<std::uint64_t>& tables) {
    count(name);
    const auto version = read_version(path(name));
    if (!version) return forward(version);
    if (!version->is_whole()) {
      // What it leaves named may be too few or too many: every table that is there is looked at.
      report_.faults.push_back(
          {name, "manifest",
           fmt::format("{} damaged passages behind {} whole records",
                       std::max<std::uint64_t>(version->state.damaged_passages, 1),
                       version->state.records),
           "none where its copy is whole, else rows of files that it alone names", 0});
      return {};
    }
    if (version->state.tail_bytes > 0) {
      report_.notes.push_back(fmt::format("{} ends within a record, as a kill leaves it", name));
    }
    for (const std::uint64_t table : version->tables) {
      if (tables.contains(table)) continue;
      report_.faults.push_back(
          {table_name(table), "table_missing", name + " names it", "all rows of that table", 0});
    }
    tables = intersection(tables, version->tables);
    return {};
  }
  static std::set<std::uint64_t> intersection(const std::set<std::uint64_t>& there,
                                              const std::set<std::uint64_t>& named) {
    std::set<std::uint64_t> both;
    std::set_intersection(there.begin(), there.end(), named.begin(), named.end(),
                          std::inserter(both, both.end()));
    return both;
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
      report_.faults.push_back({name, "table", contents.error().message, "all rows of it", 0});
      return;
    }
    if (!contents->gaps.empty()) {
      const std::uint64_t lost = contents->entries - std::min(contents->entries, contents->rows);
      report_.faults.push_back({name, "table",
                                fmt::format("damaged blocks in {} places", contents->gaps.size()),
                                describe_gaps(contents->family, contents->gaps), lost});
    }
    if (malformed > 0) {
      report_.faults.push_back(
          {name, "row", first_reason,
           fmt::format("{} rows are malformed although their checksums are right", malformed),
           malformed});
    }
  }
  static std::string_view name_of(const std::string& family) {
    const auto known = family_named(family);
    return known ? kFamilyNames[static_cast<std::size_t>(*known)] : std::string_view("unknown");
  }

  // Only the last one may end within a record: a kill tore it.
  Result<void> check_log(const std::string& name, bool is_last) {
    count(name);
    const auto state = read_record_file(path(name), [](std::string_view) {});
    if (!state) return forward(state);
    report_.rows["records of RocksDB's own log"] += state->records;
    if (state->damaged_passages > 0 || (state->tail_bytes > 0 && !is_last)) {
      report_.faults.push_back(
          {name, "wal",
           fmt::format("{} damaged passages, {} bytes, the first at byte {}",
                       std::max<std::uint64_t>(state->damaged_passages, 1),
                       state->damaged_bytes + state->tail_bytes, state->first_damage),
           "spans, log records or rows of new series that were written shortly before the last "
           "stop",
           0});
    } else if (state->tail_bytes > 0) {
      report_.notes.push_back(fmt::format("{} ends within a record, as a kill leaves it", name));
    }
    return {};
  }

  const std::string& directory_;
  const RowCheck& check_row_;
  const CheckProgress& progress_;
  CheckReport report_;
};

}  // namespace

Result<CheckReport> check_folder(const std::string& directory, const RowCheck& check_row,
                                 const CheckProgress& progress) {
  if (!fs::exists(directory + "/CURRENT") && !fs::is_directory(directory)) {
    return fail(ErrorCode::kNotFound, "there is no folder " + directory);
  }
  const FolderLock lock(directory);
  if (!lock.is_held()) {
    return fail(ErrorCode::kUnavailable,
                "another process holds " + directory + "; stop vigia-storage first");
  }
  return FolderCheck(directory, check_row, progress).run();
}

}  // namespace vigia::storage::store::rocksdb::kv
