#include "services/router/coverage/shard_coverage.hpp"

namespace vigia::router {

void ShardCoverage::forget() { count_ = 0; }

void ShardCoverage::replace(const std::vector<TimestampMs>& beats) {
  forget();
  append(beats);
}

void ShardCoverage::append(const std::vector<TimestampMs>& beats) {
  for (const TimestampMs beat : beats) {
    if (count_ > 0 && beat <= last_ms_) continue;
    if (count_ == 0 || beat - last_ms_ > gap_max_ms_) {
      first_ms_ = beat;
      count_ = 0;
    }
    last_ms_ = beat;
    ++count_;
  }
}

std::optional<TimestampMs> ShardCoverage::covered_from(TimestampMs now_ms) const {
  if (count_ == 0 || now_ms - last_ms_ > gap_max_ms_) return std::nullopt;
  return first_ms_;
}

}  // namespace vigia::router
