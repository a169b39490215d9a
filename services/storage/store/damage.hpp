// What of a store was found damaged, and what became of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace vigia::storage::store {

/// Of a look at all files for damage that nobody has met.
struct ScrubStats {
  std::uint64_t tables = 0;    ///< read since the start
  std::uint64_t bytes = 0;     ///< of these
  std::uint64_t passes = 0;    ///< ends of a pass over all tables since the start
  std::uint64_t failures = 0;  ///< tables that could not be read for another reason than damage
};

struct DamageStats {
  std::map<std::string, std::uint64_t> found;  ///< since the store opened, by kind
  std::uint64_t rows_lost = 0;                 ///< since the store opened, as far as is known
  std::uint64_t rows_saved = 0;                ///< read from damaged files and written anew
  std::uint64_t quarantined_files = 0;         ///< that lie in the quarantine now
  std::uint64_t unsaved_files = 0;  ///< their rows are still to be written anew: answers lack them
  /// Another number whenever more was found, over restarts too, unless that could not be written
  /// (a full disk). Emptying the quarantine changes it as well.
  std::uint64_t mark = 0;
  std::uint64_t repairs = 0;  ///< grows whenever rows may have vanished while the store was open
  std::optional<ScrubStats> scrub;  ///< nothing where no such look is made
};

}  // namespace vigia::storage::store
