// The folder of chunks that the store never took: a file for each, until a start can give it to
// the store again.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"
#include "services/storage/quarantine/quarantined_chunk.hpp"

namespace vigia::storage::quarantine {

struct QuarantineSettings {
  std::string directory;  ///< made with the first chunk
  /// On disk, a file counting whole blocks of 4 KiB. Past half of it one customer may hold a
  /// quarter.
  std::uint64_t bytes_max = 256U << 20U;
};

struct QuarantineStats {
  std::uint64_t chunks = 0;   ///< that lie here
  std::uint64_t bytes = 0;    ///< on disk, damaged ones included
  std::uint64_t damaged = 0;  ///< files that are no chunk any more: kept for a person
};

/// A chunk is here once it is on disk with its name, and goes when the store has it on disk: a kill
/// in between leaves it in both, which is one row. Nothing here is ever deleted otherwise.
/// Thread contract: any thread.
class ChunkQuarantine {
 public:
  /// `files` and `clock` must outlive it. Looks at what lies there; what cannot be looked at counts
  /// as nothing, and the log says so.
  ChunkQuarantine(QuarantineSettings settings, disk_log::FileSystem& files, const Clock& clock);

  /// On disk when it returns, under the name that it gives; `taken_ns` is the clock's. The same
  /// chunk again is the same file. kOverLimit past the bound or the customer's share of it,
  /// kUnavailable where the disk refuses: then it is not here.
  Result<std::string> keep(QuarantinedChunk chunk);

  /// Of all chunks that lie here, in order.
  std::vector<std::string> names() const;
  /// As `decode`; kUnavailable where the disk does not say.
  Result<QuarantinedChunk> read(const std::string& name) const;
  /// REQUIRES: the store has them on disk.
  Result<void> remove(const std::vector<std::string>& names);
  /// A file that is no chunk any more becomes NAME.damaged, which nobody reads again.
  void mark_damaged(const std::string& name);

  QuarantineStats stats() const;
  /// The numbers of those whose chunks lie here, damaged ones too. Never waits for the disk.
  std::vector<customers::CustomerNumber> owners() const;
  const std::string& directory() const { return settings_.directory; }

 private:
  std::string path_of(const std::string& name) const { return settings_.directory + "/" + name; }
  void look();
  Result<void> check_room(const std::string& owner, std::uint64_t bytes) const;
  Result<void> write(const std::string& name, const std::string& file);
  void count(const std::string& name, std::uint64_t bytes);
  void note_owners();

  const QuarantineSettings settings_;
  disk_log::FileSystem& files_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> bytes_by_name_;   // damaged ones included
  std::map<std::string, std::uint64_t> bytes_by_owner_;  // the name's first part
  std::uint64_t bytes_ = 0;
  mutable std::mutex owners_mutex_;
  std::vector<customers::CustomerNumber> owners_;  // guarded by the one above
};

}  // namespace vigia::storage::quarantine
