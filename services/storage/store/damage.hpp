// What of a store was found damaged, and what became of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace vigia::storage::store {

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
};

}  // namespace vigia::storage::store
