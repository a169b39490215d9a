// Tells that samples of one series were stored.
#pragma once

#include <algorithm>
#include <exception>
#include <span>

#include "libs/chunk/histogram_record.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/customers/past_writes.hpp"

namespace vigia::storage::heads {

/// At its end, when they can be read: after an error or a throw, too, unless none were. One
/// block's.
class PastNote {
 public:
  /// `past`: null, where nobody is told. All must outlive it; `stored` is looked at at its end.
  PastNote(customers::PastWrites* past, customers::CustomerNumber customer,
           std::span<const Sample> samples, std::span<const chunk::HistogramSample> histograms,
           const std::uint64_t& stored)
      : past_(past), customer_(customer), stored_(stored) {
    if (past_ == nullptr) return;
    // Of what is given, which may be older than what of it is new.
    for (const Sample& each : samples) oldest_ms_ = std::min(oldest_ms_, each.timestamp_ms);
    for (const chunk::HistogramSample& each : histograms) {
      oldest_ms_ = std::min(oldest_ms_, each.timestamp_ms);
    }
  }
  PastNote(const PastNote&) = delete;
  PastNote& operator=(const PastNote&) = delete;
  ~PastNote() {
    if (past_ == nullptr) return;
    // What threw may have been stored before it was counted.
    if (stored_ > 0 || std::uncaught_exceptions() > 0) past_->note(customer_, oldest_ms_);
  }

 private:
  customers::PastWrites* const past_;
  const customers::CustomerNumber customer_;
  const std::uint64_t& stored_;
  TimestampMs oldest_ms_ = INT64_MAX;
};

}  // namespace vigia::storage::heads
