#include "services/storage/store/rocksdb/events/known_origins.hpp"

namespace vigia::storage::store::rocksdb::events {

// A place has one slot, and the last one that came has it. By a secret seed: nobody can choose
// resources that keep others' out.
OriginPlace& KnownOrigins::slot_of(const OriginPlace& place) {
  const std::uint64_t own = (std::uint64_t{place.day} << 32U) | place.customer;
  std::uint64_t mixed = (place.hash.low ^ seed_) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ (mixed >> 32U) ^ own ^ place.hash.high) * 0xc2b2ae3d27d4eb4fU;
  return slots_[(mixed >> 32U) % kPlaces];
}

KnownOrigins::Answer KnownOrigins::look(const std::vector<OriginPlace>& places,
                                        std::uint64_t repairs) {
  Answer answer{std::vector<bool>(places.size()), 0};
  const std::lock_guard lock(mutex_);
  if (repairs != repairs_) {
    slots_.clear();
    ++generation_;
  }
  repairs_ = repairs;
  answer.generation = generation_;
  if (slots_.empty()) return answer;
  for (std::size_t i = 0; i < places.size(); ++i) {
    // A slot that nothing was noted in holds nobody's place.
    answer.are_known[i] = places[i].customer != 0 && slot_of(places[i]) == places[i];
  }
  return answer;
}

void KnownOrigins::note(const std::vector<OriginPlace>& places, std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  slots_.resize(kPlaces);
  for (const OriginPlace& place : places) slot_of(place) = place;
}

void KnownOrigins::forget() {
  const std::lock_guard lock(mutex_);
  slots_.clear();
  ++generation_;
}

}  // namespace vigia::storage::store::rocksdb::events
