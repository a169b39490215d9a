// That another long-term store stands in the place of the known one.
#pragma once

#include <optional>
#include <string>

#include "libs/model/sample.hpp"

namespace vigia::router::coverage {

/// A store that is not the known one.
struct ColdReplacement {
  /// What was before is not in it; nothing where nobody knows what it lacks.
  std::optional<TimestampMs> new_since_ms;

  /// Whether something of the range that begins there may be missing in it.
  bool lacks(TimestampMs from_ms) const { return !new_since_ms || from_ms < *new_since_ms; }
  /// "the cold store is new since 2026-11-28T17:00:00Z: what was before is not in it"
  std::string text() const;

  bool operator==(const ColdReplacement&) const = default;
};

}  // namespace vigia::router::coverage
