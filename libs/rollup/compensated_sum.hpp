// A sum that keeps what rounding takes from it.
#pragma once

#include <cmath>

namespace vigia::rollup {

/// Neumaier's: what rounding takes from the total is gathered beside it. PromQL adds like this, and
/// a plain sum of a day's samples would be off by more than roll-ups may be.
class CompensatedSum {
 public:
  void start() { *this = CompensatedSum(); }
  void add(double value) {
    const double total = total_ + value;
    if (std::isinf(total)) {
      lost_ = 0;  // else infinity less infinity would make a NaN of an infinite sum
    } else if (std::abs(total_) >= std::abs(value)) {
      lost_ += (total_ - total) + value;
    } else {
      lost_ += (value - total) + total_;
    }
    total_ = total;
  }
  double value() const { return std::isinf(total_) ? total_ : total_ + lost_; }

 private:
  double total_ = 0;
  double lost_ = 0;
};

}  // namespace vigia::rollup
