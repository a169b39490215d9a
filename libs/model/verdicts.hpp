// What the collector decided about each item of a batch. Decided once, before the acknowledgement,
// and kept beside the body in the disk log, so that nothing is decided anew after it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia {

/// Why an item was refused. The numbers are on disk: never reuse one.
enum class RejectReason : std::uint8_t {
  kNone = 0,              ///< accepted
  kForeign = 1,           ///< its resource names another customer than the token
  kNoCustomer = 2,        ///< its resource names no customer
  kReserved = 3,          ///< a name or job that a customer may not make
  kOverLimit = 4,         ///< over the customer's active_series
  kUntranslatable = 5,    ///< a metric type or shape without a Prometheus form
  kTemporality = 6,       ///< a delta where only cumulative values can be taken
  kFuture = 7,            ///< time stamp more than 5 minutes ahead
  kInvalid = 8,           ///< bad UTF-8, nested too deep, bucket counts that do not fit the bounds
  kLabelValueBytes = 9,   ///< a label longer than the customer's label_value_bytes
  kLabelsPerSeries = 10,  ///< more labels than the customer's labels_per_series
  kAttributes = 11,       ///< a span or log record with more attributes than one may have
  kResourceBytes = 12,    ///< its resource or scope is larger than one may be
  kExpandedBytes = 13,    ///< the request becomes more bytes than one may, from this item on
  kDeltaStreams = 14,     ///< a stream of deltas more than the customer may have, or than has room
  kRepeated = 15,         ///< a delta of a time that was added before, or too late to know
};
inline constexpr std::size_t kRejectReasonCount = 16;

/// Value of the label `reason`: "foreign", "no_customer", …
std::string_view to_string(RejectReason reason);

/// One verdict an item, items numbered from 0 in the order of their bytes in the body: for metrics
/// each data point, for traces each span, for logs each record.
class Verdicts {
 public:
  Verdicts() = default;
  /// All accepted.
  explicit Verdicts(std::uint32_t items) : items_(items) {}

  /// Marks an item; items from items() on are added as accepted before it.
  void reject(std::uint32_t item, RejectReason reason);
  void set_items(std::uint32_t items) { items_ = items; }

  std::uint32_t items() const { return items_; }
  std::uint32_t rejected() const { return rejected_; }
  std::uint32_t accepted() const { return items_ - rejected_; }
  std::uint32_t rejected_for(RejectReason reason) const;
  RejectReason reason_of(std::uint32_t item) const {
    return item < reasons_.size() ? static_cast<RejectReason>(reasons_[item]) : RejectReason::kNone;
  }
  bool is_rejected(std::uint32_t item) const { return reason_of(item) != RejectReason::kNone; }

  /// Item count, then runs (varint length, reason) up to the last refused item: one byte or two for
  /// a batch without refusals.
  std::string encode() const;
  /// The same, and something else behind it, which is no part of it.
  std::string encode_before(std::string_view more) const;
  /// kCorrupt where the bytes are not what encode or encode_before writes.
  static Result<Verdicts> decode(std::string_view bytes);
  /// What encode_before has written behind; "" where there is nothing, or damage before it.
  static std::string_view behind(std::string_view bytes);

 private:
  std::uint32_t items_ = 0;
  std::uint32_t rejected_ = 0;
  std::vector<std::uint8_t> reasons_;  // empty while nothing is refused
  std::array<std::uint32_t, kRejectReasonCount> by_reason_{};
};

}  // namespace vigia
