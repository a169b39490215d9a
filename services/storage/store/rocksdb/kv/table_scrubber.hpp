// Reads all tables again and again, slowly: rows that nobody asks for rot unseen otherwise, until
// nothing is left to mend them from.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "services/storage/store/damage.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// In the store's folder.
inline constexpr std::string_view kScrubFile = "vigia-scrub";

/// As long as it runs, whatever else: a store of one small table is read once an hour, and a
/// large one goes on at ten tables a second.
inline constexpr Duration kScrubPauseMax = std::chrono::hours(1);
inline constexpr Duration kScrubPauseMin = std::chrono::milliseconds(100);

struct ScrubTable {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;  ///< of the file
};

/// What is read. All are called on the scrubber's thread.
struct ScrubbedStore {
  std::function<std::vector<ScrubTable>()> live;  ///< now; none where the store is not open
  /// kCorrupt: a block is not what was written. kUnavailable: it could not be read, or is gone.
  std::function<Result<void>(std::uint64_t number)> check;
  std::function<void(std::uint64_t number, const std::string& reason)> found_damaged;
};

/// One table after the other by its number, `pass` for all of them, each its part by its size. Goes
/// on behind the one that was read last, over restarts too (docs/formats/cold-store.md,
/// `vigia-scrub`). Steady time alone counts. Thread contract: stats from any thread; step from one
/// at a time, and not while the thread of start runs.
class TableScrubber {
 public:
  /// `note`: the file that says how far it is. `pass` > 0.
  TableScrubber(ScrubbedStore store, std::string note, Duration pass);
  TableScrubber(const TableScrubber&) = delete;
  TableScrubber& operator=(const TableScrubber&) = delete;
  /// Waits for the table that is being read.
  ~TableScrubber();

  /// `wait`: before the first table.
  void start(Duration wait);
  /// Reads the next table. How long to wait after it.
  Duration step();
  ScrubStats stats() const;

 private:
  void run(Duration pause);
  void check(const ScrubTable& table);
  void note_last() const;

  const ScrubbedStore store_;
  const std::string note_;
  const Duration pass_;
  std::uint64_t last_ = 0;  // number of the table that was read last; 0: a pass begins

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  ScrubStats stats_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::store::rocksdb::kv
