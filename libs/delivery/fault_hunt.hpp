// Which record of a log brings a fault of ours to light.
#pragma once

#include <cstddef>
#include <optional>

#include "libs/disk_log/disk_log.hpp"

namespace vigia::delivery {

/// Whoever sends what a log holds takes many records at once. When that ends in a fault (a defect
/// that shows, or memory that is short), the records are read again, one at a time, and the one
/// with which the fault comes again and again is given up, so that it costs itself and no other.
/// Thread contract: one thread.
class FaultHunt {
 public:
  /// How many records to take at once, where it is `usual` otherwise.
  std::size_t records_max(std::size_t usual) const { return singles_left_ > 0 ? 1 : usual; }
  /// True of a record with which every try has ended in a fault.
  bool is_given_up(const disk_log::LogPosition& record) const;

  /// A turn has ended in a fault with `in_hand` records; `alone`: the only one that can be to
  /// blame, where there is one.
  void note_fault(std::size_t in_hand, const std::optional<disk_log::LogPosition>& alone);
  /// A turn went well, or what was given up is behind us.
  void note_done();

  /// A fault that passes must not cost what was acknowledged.
  static constexpr int kFaultsMax = 5;

 private:
  std::size_t singles_left_ = 0;
  int faults_ = 0;  // in a row, with the record below
  disk_log::LogPosition fault_at_;
};

}  // namespace vigia::delivery
