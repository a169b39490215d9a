#include "libs/model/sample.hpp"

#include <bit>
#include <cmath>

namespace vigia {

double stale_mark() { return std::bit_cast<double>(kStaleBits); }

bool is_stale_mark(double value) { return std::bit_cast<std::uint64_t>(value) == kStaleBits; }

// NaNs differ in bits that mean nothing and would make equal samples conflict; one of them, the
// stale mark, does mean something.
double normalized(double value) {
  if (!std::isnan(value) || is_stale_mark(value)) return value;
  return std::bit_cast<double>(kNormalNanBits);
}

bool is_same_value(double left, double right) {
  return std::bit_cast<std::uint64_t>(left) == std::bit_cast<std::uint64_t>(right);
}

}  // namespace vigia
