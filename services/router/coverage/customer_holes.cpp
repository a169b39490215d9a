#include "services/router/coverage/customer_holes.hpp"

#include <algorithm>
#include <cmath>

namespace vigia::router::coverage {

void CustomerHoles::forget() {
  lost_.clear();
  waiting_.clear();
}

void CustomerHoles::replace(const Seconds& lost, const Seconds& waiting) {
  forget();
  update(lost, waiting);
}

void CustomerHoles::update(const Seconds& lost, const Seconds& waiting) {
  for (const auto& [customer, seconds] : lost) {
    // A loss stays one: a poll that sees less of it, since a collector has started anew, does not
    // make it whole again. What waits may come yet and is only what it is now.
    TimestampMs& known = lost_[customer];
    known = std::max(known, static_cast<TimestampMs>(std::llround(seconds * 1'000)));
  }
  waiting_ = waiting;
}

bool CustomerHoles::is_waiting(const std::optional<std::string>& customer) const {
  return customer ? waiting_.count(*customer) > 0 : !waiting_.empty();
}

std::optional<TimestampMs> CustomerHoles::whole_from(
    const std::optional<std::string>& customer) const {
  // By the end of the last loss, whatever was whole between two of them: hot is asked for a range
  // whole or not at all.
  std::optional<TimestampMs> from;
  for (const auto& [id, until] : lost_) {
    if (!customer || id == *customer) from = std::max(from.value_or(until), until);
  }
  return from;
}

}  // namespace vigia::router::coverage
