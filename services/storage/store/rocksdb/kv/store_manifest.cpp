// StoreFolder: its MANIFEST, the copy of it, and which of the two is believed.
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
  if (!version) return tl::unexpected<Error>(version.error());
  const ManifestCopy copy = read_copy(name);
  reason = manifest_fault(name, *version, copy);
  Result<bool> is_usable = false;
  if (reason.empty()) {
    is_usable = keep_manifest(*version, is_marked(name));
    reason = fmt::format("{}: it may be older than tables that it does not name", name);
  } else {
    is_usable = restore_manifest(name, copy, reason);
  }
  if (!is_usable) return tl::unexpected<Error>(is_usable.error());
  needs_rebuild = !*is_usable;
  return {};
}

bool StoreFolder::is_marked(const std::string& name) const {
  return number_in(name, kManifestPrefix.size()) == mark_.values().manifest_number;
}

bool StoreFolder::is_before_marked(const std::string& name) const {
  return number_in(name, kManifestPrefix.size()) < mark_.values().manifest_number;
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
  if (is_before_marked(name)) return name + ": a newer one has been in use";
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
    const auto taken = quarantine_.take(table, false, is_table ? kUnnamedTag : std::string_view());
    if (!taken) return tl::unexpected<Error>(taken.error());
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
  if (!version) return tl::unexpected<Error>(version.error());
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

}  // namespace vigia::storage::store::rocksdb::kv
