// What became of what was to be copied.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace vigia::storage::keep {

struct CopyCounts {
  std::uint64_t rows = 0;        ///< of samples, that were written
  std::uint64_t rows_there = 0;  ///< that lay there already
  /// Of them, those that were written with a later version, since another row lay in their place:
  /// of two values at one time the one that was there stays.
  std::uint64_t rows_behind = 0;
  std::uint64_t windows = 0;        ///< of roll-ups, that were written; days of histograms, too
  std::uint64_t windows_there = 0;  ///< that were there already, with the same in them
  /// Of which the other store's stays: it holds samples that the one of this store does not.
  std::uint64_t windows_kept = 0;
  std::uint64_t exemplars = 0;  ///< written, or there already
  std::uint64_t metadata = 0;   ///< of metrics, written
  std::uint64_t spans = 0;
  std::uint64_t records = 0;
  std::uint64_t repeats = 0;   ///< of spans and log records, that were there already
  std::uint64_t refused = 0;   ///< of them, that the other store does not take
  std::uint64_t damaged = 0;   ///< rows, spans and log records that cannot be read
  std::uint64_t old_rows = 0;  ///< older than the other store keeps: not copied, as the next
  std::uint64_t old_rollups =
      0;                         ///< rows of them, or of resolutions that one of both does not make
  std::uint64_t old_events = 0;  ///< spans and log records
  std::uint64_t old_exemplars = 0;
  std::uint64_t unkept = 0;           ///< exemplars, where the other store keeps none
  std::uint64_t unkept_metadata = 0;  ///< likewise
  /// Days of series whose samples had gone before roll-ups were made of them: the other store does
  /// not know that there were any.
  std::uint64_t days_lost = 0;
  /// Days of series that are still to be rolled up, of which the other store keeps no samples.
  std::uint64_t days_due = 0;
  std::uint64_t unwalkable = 0;  ///< customers of whom spans cannot be told, as they lie by trace

  CopyCounts& operator+=(const CopyCounts& more);
};

/// Told of each piece of damage, in words.
using SayDamage = std::function<void(const std::string& what)>;
/// `say`, for each text once: a day is read again after a store has refused, and to be compared.
/// Memory goes by some bytes of each.
SayDamage said_once(SayDamage say);

}  // namespace vigia::storage::keep
