// Why a delta point was not added up.
#pragma once

#include <cstdint>

namespace vigia::deltas {

enum class DeltaFault : std::uint8_t {
  kNoRoom,    ///< its stream would be one too many, or take too many bytes
  kRepeated,  ///< a point of that time was added, or it is older than what is remembered
  kUnfit,     ///< no finite number, a monotonic sum that falls, too wide, or no time
};

/// Which points of a request are added up, and what became of the others. Items are numbered as by
/// wire::otlp::walk.
class PointJudge {
 public:
  virtual ~PointJudge() = default;
  /// False: it stays as it is and adds nothing.
  virtual bool wants(std::uint32_t /*item*/) { return true; }
  virtual void refuse(std::uint32_t item, DeltaFault fault) = 0;
};

}  // namespace vigia::deltas
