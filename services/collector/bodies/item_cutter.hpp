// An OTLP request as several smaller ones.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "libs/model/verdicts.hpp"

namespace vigia::collector::bodies {

struct CutLimits {
  std::uint32_t items_max = 0;
  std::size_t bytes_max = 0;  ///< of the items alone; what encloses them stands in each piece
  /// Of the whole piece, where it has more than one item.
  std::size_t piece_bytes_max = std::numeric_limits<std::size_t>::max();
  /// Of what encloses an item, and so stands in each piece that has some of it; more is kTooLarge.
  std::size_t enclosing_bytes_max = std::numeric_limits<std::size_t>::max();
};

/// Takes one piece: a whole Export*ServiceRequest of so many items. False ends the cutting.
using TakePiece = std::function<bool(std::string&& message, std::uint32_t items)>;

/// What is cut: a request's body and what was found of its items. Holds references.
struct CutSource {
  Signal signal = Signal::kMetrics;
  std::string_view body;
  const Verdicts& verdicts;
  std::uint32_t first = 0;  ///< the item to begin with
};

/// Cuts the accepted items from `first` on; items are numbered as wire::otlp::walk does. Resource,
/// scope, metric and their other fields are repeated in each piece that has items of theirs; what
/// holds no item is left out. Returns the item to go on with where it was ended, else nothing.
/// kInvalid where the bytes are no such message; kTooLarge as the limits say.
Result<std::optional<std::uint32_t>> cut_items(const CutSource& source, const CutLimits& limits,
                                               const TakePiece& take);

}  // namespace vigia::collector::bodies
