#include "libs/cassandra/in_flight.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace vigia::cassandra {

InFlightPlace::InFlightPlace(InFlightPlace&& other) noexcept
    : places_(std::exchange(other.places_, nullptr)), owner_(std::move(other.owner_)) {}

InFlightPlace::~InFlightPlace() {
  if (places_ != nullptr) places_->leave(owner_);
}

InFlight::InFlight(std::size_t places_max) : places_max_(std::max<std::size_t>(places_max, 1)) {}

Result<InFlightPlace> InFlight::enter(std::string_view owner, Duration wait) {
  std::unique_lock lock(mutex_);
  const auto has_room = [&] {
    const auto held = by_owner_.find(owner);
    return (held == by_owner_.end() ? 0 : held->second) < places_max_ - count_;
  };
  if (!left_.wait_for(lock, wait, has_room)) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("Cassandra: {} requests are under way, and none of them has ended "
                            "within {}",
                            count_, format_duration(wait)));
  }
  ++count_;
  ++by_owner_.try_emplace(std::string(owner), 0).first->second;
  return InFlightPlace(*this, std::string(owner));
}

void InFlight::wait_for_none() {
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return count_ == 0; });
}

std::size_t InFlight::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void InFlight::leave(const std::string& owner) noexcept {
  // Told under the lock: whoever waits for none may destroy this right after.
  const std::lock_guard lock(mutex_);
  --count_;
  const auto held = by_owner_.find(owner);
  if (--held->second == 0) by_owner_.erase(held);
  left_.notify_all();
}

}  // namespace vigia::cassandra
