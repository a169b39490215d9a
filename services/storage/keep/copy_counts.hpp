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
  std::uint64_t exemplars = 0;  ///< written, or there already
  std::uint64_t metadata = 0;   ///< of metrics, written
  std::uint64_t spans = 0;
  std::uint64_t records = 0;
  std::uint64_t repeats = 0;     ///< of spans and log records, that were there already
  std::uint64_t refused = 0;     ///< of them, that the other store does not take
  std::uint64_t damaged = 0;     ///< rows, spans and log records that cannot be read
  std::uint64_t old_rows = 0;    ///< older than the other store keeps: not copied, as the next
  std::uint64_t old_events = 0;  ///< spans and log records
  std::uint64_t old_exemplars = 0;
  std::uint64_t unkept = 0;           ///< exemplars, where the other store keeps none
  std::uint64_t unkept_metadata = 0;  ///< likewise
  std::uint64_t unwalkable = 0;  ///< customers of whom spans cannot be told, as they lie by trace

  CopyCounts& operator+=(const CopyCounts& more);
};

/// Told of each piece of damage, in words.
using SayDamage = std::function<void(const std::string& what)>;
/// `say`, for each text once: a day is read again after a store has refused, and to be compared.
/// Memory goes by some bytes of each.
SayDamage said_once(SayDamage say);

}  // namespace vigia::storage::keep
