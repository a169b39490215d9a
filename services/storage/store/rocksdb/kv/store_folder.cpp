#include "services/storage/store/rocksdb/kv/store_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/ldb_tool.h>
#include <rocksdb/utilities/ldb_cmd.h>
#include <unistd.h>

#include "libs/base/bytes.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/kv/folder_files.hpp"
#include "services/storage/store/rocksdb/kv/folder_lock.hpp"
#include "services/storage/store/rocksdb/kv/record_file.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

// Exists while the MANIFEST is made anew: a database opened in the middle of it would take all
// tables for superfluous and delete them.
constexpr std::string_view kRebuildFlag = "vigia-rebuild";

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

// CURRENT holds nothing but the name of the MANIFEST in use: the newest, where it is damaged, or is
// one of earlier that was put back.
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
  std::string why = "it names no MANIFEST";
  {
    std::ifstream file(current);
    std::getline(file, name);
    std::getline(file, rest);
    const bool is_whole = !file.bad() && rest.empty();
    if (is_whole && std::binary_search(manifests.begin(), manifests.end(), name)) {
      const bool is_older = is_before_marked(name) && !is_before_marked(manifests.back());
      std::error_code error;
      if (fs::file_size(current, error) == name.size() + 1 && !is_older) return {};
      if (is_older) why = fmt::format("it names {}, but a newer one has been in use", name);
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
  quarantine_.note(taken, {"current", "CURRENT", why, "", 0, 0});
  return {};
}

// Before RocksDB looks: it would follow a footer wherever it points. One without an end that no
// MANIFEST names is what a kill left of a compaction, and stays where RocksDB deletes it: moved for
// a moment only, it would be taken for damage by whoever comes after a kill in that moment.
Result<void> StoreFolder::check_footers() {
  const auto named = named_tables();
  if (!named) return forward(named);
  std::vector<TakenTable> taken;
  for (const std::string& name : files("", kTableEnding)) {
    const auto checked = check_table_footer(path(name));
    if (checked || (named->has_value() && !(*named)->contains(number_in(name)))) continue;
    auto table = take_table(number_in(name), checked.error().message);
    if (table) taken.push_back(*std::move(table));
    if (!table && table.error().code == ErrorCode::kUnavailable) return forward(table);
  }
  for (const TakenTable& table : taken) (void)drop_taken(table);
  return {};
}

// Nothing where the MANIFEST does not tell all of them.
Result<std::optional<std::set<std::uint64_t>>> StoreFolder::named_tables() const {
  std::ifstream current(path("CURRENT"));
  std::string name;
  if (!std::getline(current, name)) return std::optional<std::set<std::uint64_t>>();
  auto version = read_version(path(name));
  if (!version) return forward(version);
  if (!version->is_whole()) return std::optional<std::set<std::uint64_t>>();
  return std::optional(std::move(version->tables));
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
