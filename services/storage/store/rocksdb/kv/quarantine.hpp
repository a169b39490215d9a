// The folder of a store's damaged files: moved aside, never deleted, each with a note of what it
// costs. Format: docs/formats/cold-store.md; what an operator does: docs/deployment.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// What one damage was and cost: a log line, a counter, and a note beside the file.
struct DamageNote {
  std::string what;    ///< one of kDamageKinds: label of the counter
  std::string file;    ///< as it was called
  std::string reason;  ///< the words of who found it
  std::string cost;    ///< which rows of which days and customers; "" where none
  std::uint64_t rows_lost = 0;
  std::uint64_t rows_saved = 0;  ///< read from the file and written anew
};

/// Thread contract: any thread.
class Quarantine {
 public:
  /// Beside the folder lies `vigia-damage-count`: how many damages were noted.
  explicit Quarantine(std::string directory);

  /// Moves `path` into the folder under a name that is free there ("0007-000012.sst"); a link
  /// where `keep` is true, for a file that is still in use. `tag` stands before the old name.
  /// Gives the new path.
  Result<std::string> take(const std::string& path, bool keep = false, std::string_view tag = {});
  /// Keeps rows in a file of their own; without its note it is there for a person alone.
  Result<std::string> take_rows(const std::vector<KeyValue>& rows);
  /// A note of one line for a file that goes with another one; neither counted nor logged.
  void annotate(const std::string& taken, const std::string& text);
  /// Writes the note of a file that `take` gave, which is thereby done with; "" where there is no
  /// file to keep. Counts it and says it in the log.
  void note(const std::string& taken, const DamageNote& note);
  /// Before rows that the store has lost are written anew from a file that only lay beside it, and
  /// once they are there: the mark is another one. Until then such a file (kUnnamedTag) is no
  /// damage.
  void note_rows_missing();
  /// Files without a note: their rows have not been saved yet.
  std::vector<std::string> unfinished() const;
  bool holds(const std::string& file_name) const;  ///< unfinished, under its old name
  /// Lets a file go that turned out not to be needed.
  void release(const std::string& taken);

  /// As DamageStats'. The folder is listed once for all of them.
  struct State {
    std::uint64_t files = 0;          ///< with a note
    std::uint64_t unsaved_files = 0;  ///< tables and logs among the unfinished
    std::uint64_t mark = 0;
  };
  State state() const;
  std::map<std::string, std::uint64_t> found() const;
  std::uint64_t rows_lost() const { return rows_lost_; }
  std::uint64_t rows_saved() const { return rows_saved_; }
  const std::string& directory() const { return directory_; }

 private:
  void count_note();

  const std::string directory_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> found_;
  std::uint64_t noted_ = 0;  // damages, by all processes: the folder can be emptied
  std::atomic<std::uint64_t> rows_lost_{0};
  std::atomic<std::uint64_t> rows_saved_{0};
};

/// In the name of a file that is not damaged but moved because the MANIFEST was.
inline constexpr std::string_view kMovedTag = "moved-";
/// Of one that no MANIFEST names, though it is whole: what a kill leaves.
inline constexpr std::string_view kUnnamedTag = "moved-unnamed-";

/// "0007-000012.sst" -> "000012.sst".
std::string old_name_of(const std::string& taken);

}  // namespace vigia::storage::store::rocksdb::kv
