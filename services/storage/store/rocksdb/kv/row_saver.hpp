// Writes the rows of files that were set aside anew, as far as they can be read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/store/rocksdb/kv/mended_rows.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"
#include "services/storage/store/rocksdb/kv/quarantine.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// What the saver needs of the database beside its rows.
struct SaverHooks {
  /// Applies a record of a write-ahead log; how many writes it had. One that is none has none.
  std::function<Result<std::uint64_t>(std::string_view record)> apply_record;
  /// Called before a file is done with of whose rows the index may want some.
  std::function<Result<void>()> note_healing;
  /// Told of what is not done yet and is tried again.
  std::function<void(const Result<void>&)> report;
};

/// Thread contract: the mender's thread.
class RowSaver {
 public:
  /// `store` and `quarantine` must outlive it. `directory` is the store's.
  RowSaver(OrderedStore& store, Quarantine& quarantine, std::string directory, SaverHooks hooks)
      : store_(store),
        quarantine_(quarantine),
        directory_(std::move(directory)),
        hooks_(std::move(hooks)) {}

  /// Writes the rows of quarantined files anew that can be read: of logs in order, as they are
  /// newer than any table; of tables where no row is there yet, the newest table first.
  Result<void> save(bool wants_index_only);

 private:
  Result<void> save_in_order(std::vector<std::string> tables);
  Result<void> save_if_missing(MendedRows& rows, const std::string& family, std::string_view key,
                               std::string_view value);
  Result<void> save_log(const std::string& taken);
  void finish(const std::string& taken, const DamageNote& note, bool is_damaged);
  Result<void> save_table(const std::string& taken);

  OrderedStore& store_;
  Quarantine& quarantine_;
  const std::string directory_;
  const SaverHooks hooks_;
  // No row of what is read now was found to be missing yet, and that would be news.
  bool is_unnamed_ = false;
};

}  // namespace vigia::storage::store::rocksdb::kv
