#include "libs/service/fault_places.hpp"

#include <utility>

namespace vigia::service {

FaultPlaces::Noted FaultPlaces::note(std::string_view where, TimePoint now) {
  const std::lock_guard lock(mutex_);
  auto at = places_.find(where);
  if (at == places_.end()) {
    at = places_.try_emplace(std::string(places_.size() < kPlacesMax ? where : "elsewhere")).first;
  }
  Place& place = at->second;
  ++place.count;
  if (place.count > 1 && now < place.next_line) {
    ++place.left_out;
    return {};
  }
  place.next_line = now + kLineEach;
  return {true, std::exchange(place.left_out, 0)};
}

std::map<std::string, std::uint64_t, std::less<>> FaultPlaces::counts() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::uint64_t, std::less<>> counts;
  for (const auto& [where, place] : places_) counts.emplace(where, place.count);
  return counts;
}

// A function's own, as the count of libs/base/fault.cpp: faults come while globals are made.
FaultPlaces& process_faults() {
  static FaultPlaces places;
  return places;
}

}  // namespace vigia::service
