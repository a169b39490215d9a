#include "services/storage/store/rocksdb/kv/row_saver.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/kv/damage_text.hpp"
#include "services/storage/store/rocksdb/kv/flipped_bits.hpp"
#include "services/storage/store/rocksdb/kv/ordered_tables.hpp"
#include "services/storage/store/rocksdb/kv/record_file.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

// Index rows must be there before the index is read. What cannot be told is taken for one.
bool is_index_table(const std::string& path) {
  const std::string family = table_family(path);
  return family != kFamilyNames[1] && family != kFamilyNames[2] && family != kFamilyNames[3];
}

void note_cost(const Result<TableContents>& contents, DamageNote& note) {
  if (!contents) {
    note.reason = contents.error().message;
    note.cost = "all rows of the file: which ones cannot be told";
    return;
  }
  note.cost = describe_gaps(contents->family, contents->gaps);
  // Probing may visit a row twice, so more may be read than the table has.
  note.rows_lost = contents->entries - std::min(contents->entries, contents->rows);
}

}  // namespace

Result<void> RowSaver::save(bool wants_index_only) {
  std::vector<std::string> tables;
  for (const std::string& taken : quarantine_.unfinished()) {
    const std::string name = old_name_of(taken);
    if (name.ends_with(".sst")) tables.push_back(taken);
    // Logs before tables: their writes are newer than any table's, and a table's row is only taken
    // where none is there.
    if (!name.ends_with(".log")) continue;
    if (auto saved = save_log(taken); !saved) return saved;
  }
  std::sort(tables.begin(), tables.end(), [](const std::string& left, const std::string& right) {
    // Newest first, for the same reason. Numbers rise with time, though a compaction gives old rows
    // a new number: save_in_order() is for the family where that matters.
    return table_in(left) > table_in(right);
  });
  if (auto ordered = save_in_order(tables); !ordered) return ordered;
  for (const std::string& taken : tables) {
    if (wants_index_only && !is_index_table(taken)) continue;
    if (auto saved = save_table(taken); !saved) return saved;
  }
  return {};
}

// Of the index alone are rows replaced. Where it fails, or tables are damaged, save_table takes
// what it can, the newest file first.
Result<void> RowSaver::save_in_order(std::vector<std::string> tables) {
  std::erase_if(tables, [](const std::string& taken) {
    return taken.find(kMovedTag) == std::string::npos || !is_index_table(taken);
  });
  if (tables.size() < 2) return {};
  MendedRows rows(store_);
  is_unnamed_ = std::any_of(tables.begin(), tables.end(), [](const std::string& taken) {
    return taken.find(kUnnamedTag) != std::string::npos;
  });
  const auto save = [&](const std::string& family, std::string_view key,
                        std::string_view value) -> Result<void> {
    return save_if_missing(rows, family, key, value);
  };
  const auto read = read_tables_in_order(directory_ + "/vigia-order", tables, save);
  if (!read && read.error().code != ErrorCode::kCorrupt) return read;
  if (!read) hooks_.report(tl::unexpected<Error>(read.error()));
  return rows.finish();
}

Result<void> RowSaver::save_if_missing(MendedRows& rows, const std::string& family,
                                       std::string_view key, std::string_view value) {
  const auto known = family_named(family);
  if (!known.has_value()) return {};
  const auto newer = store_.get(*known, key);
  if (!newer) return forward(newer);
  // Asked of the store, not of a list of what was saved: a write of this minute is newer, too.
  if (newer->has_value()) return {};
  if (std::exchange(is_unnamed_, false)) quarantine_.note_rows_missing();
  return rows.add({{*known, std::string(key), std::string(value)}, std::nullopt});
}

Result<void> RowSaver::save_log(const std::string& taken) {
  DamageNote note{"wal", old_name_of(taken), "damaged records", "", 0, 0};
  Result<void> written;
  const auto state = read_record_file(taken, [&](std::string_view record) {
    if (!written) return;
    auto applied = hooks_.apply_record(record);
    if (applied) {
      note.rows_saved += *applied;
    } else {
      written = forward(applied);
    }
  });
  if (!state) return forward(state);
  if (!written) return written;
  // The note that follows says the file is done with; it must not be on disk before the rows are.
  if (auto synced = store_.sync(); !synced) return synced;
  if (state->damaged_passages + state->tail_bytes > 0) note.cost = "its damaged records";
  if (auto noted = hooks_.note_healing(); !noted) return noted;
  finish(taken, note, !note.cost.empty());
  return {};
}

// A file that was only moved, and is read to its end, holds nothing that is not written anew.
void RowSaver::finish(const std::string& taken, const DamageNote& note, bool is_damaged) {
  if (is_damaged || taken.find(kMovedTag) == std::string::npos) {
    return quarantine_.note(taken, note);
  }
  service::log_info("rows of a file are written anew",
                    {{"file", note.file}, {"rows", fmt::to_string(note.rows_saved)}});
  quarantine_.release(taken);
}

Result<void> RowSaver::save_table(const std::string& taken) {
  DamageNote note{"table", old_name_of(taken), "damaged", "", 0, 0};
  MendedRows rows(store_);
  const bool is_unnamed = taken.find(kUnnamedTag) != std::string::npos;
  is_unnamed_ = is_unnamed;
  const auto save = [&](const std::string& family, std::string_view key,
                        std::string_view value) -> Result<void> {
    ++note.rows_saved;
    return save_if_missing(rows, family, key, value);
  };
  auto contents = read_table(taken, save);
  // Cheapest first: a footer is tried in some milliseconds, a flipped bit needs each damaged
  // block's checksum for each of its bits.
  if (!contents && contents.error().code == ErrorCode::kCorrupt && mend_table_footer(taken)) {
    contents = read_table(taken, save);
  }
  const auto is_damaged_inside = [&] {
    return contents ? !contents->gaps.empty() : contents.error().code == ErrorCode::kCorrupt;
  };
  if (const auto mended = is_damaged_inside() ? mend_flipped_bits(taken) : 0; mended > 0) {
    note.reason =
        fmt::format("damaged; a flipped bit is put right in the file in {} blocks", mended);
    // The whole table is read again, and rows of the first reading are met as already there.
    note.rows_saved = 0;
    contents = read_table(taken, save);
  }
  if (!contents && contents.error().code != ErrorCode::kCorrupt) return forward(contents);
  note_cost(contents, note);
  if (auto written = rows.finish(); !written) return written;
  const bool is_damaged = !note.cost.empty() || note.rows_lost > 0;
  if (is_damaged || rows.written() > 0) {
    if (auto noted = hooks_.note_healing(); !noted) return noted;
    if (is_unnamed) quarantine_.note_rows_missing();
  }
  finish(taken, note, is_damaged);
  return {};
}

}  // namespace vigia::storage::store::rocksdb::kv
