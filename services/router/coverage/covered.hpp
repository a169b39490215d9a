// What is known of a hot shard at one time, as a value.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/model/sample.hpp"

namespace vigia::router::coverage {

struct Covered {
  std::optional<TimestampMs> from;  ///< since when it holds everything; nothing: nobody knows
  /// How often the shard was suspected, ever. What it answers between two times of which this
  /// differs may be the answer of a store that lacked what `from` promised.
  std::uint64_t suspicions = 0;

  bool operator==(const Covered&) const = default;
};

}  // namespace vigia::router::coverage
