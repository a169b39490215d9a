#include "services/storage/store/cassandra/event_places.hpp"

#include <algorithm>
#include <bit>

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "libs/base/random.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

// Of more parts a reader would have to look into too many.
constexpr std::uint64_t kEventPartsMax = 256;
constexpr Duration kCountedFor = std::chrono::hours(24);

}  // namespace

WrittenBytes::WrittenBytes(const Clock& clock)
    : clock_(clock), next_reset_(clock.steady() + kCountedFor), counters_(kCounters) {}

std::uint64_t WrittenBytes::add(std::uint64_t partition, std::size_t bytes) {
  if (clock_.steady() >= next_reset_.load()) {
    const std::lock_guard lock(reset_mutex_);
    if (clock_.steady() >= next_reset_.load()) {
      for (auto& counter : counters_) counter = 0;
      next_reset_ = clock_.steady() + kCountedFor;
    }
  }
  return counters_[partition % kCounters] += bytes;
}

bool NotedRows::has(std::uint64_t row) const {
  const std::lock_guard lock(mutex_);
  return rows_.contains(row);
}

void NotedRows::add(const std::vector<std::uint64_t>& rows) {
  const std::lock_guard lock(mutex_);
  // Rows have a time to live: they are written anew long before.
  const TimePoint now = clock_.steady();
  if (rows_.size() + rows.size() > kRowsMax || now >= begun_ + kCountedFor) {
    rows_.clear();
    begun_ = now;
  }
  rows_.insert(rows.begin(), rows.end());
}

EventPlaces::EventPlaces(vigia::cassandra::Session& session, const Clock& clock,
                         std::size_t part_bytes)
    : session_(session),
      part_bytes_(part_bytes),
      seed_(random_u64()),
      written_(clock),
      noted_(clock) {}

Result<void> EventPlaces::prepare(Preparation& preparation) {
  write_ = preparation.prepare(
      "INSERT INTO {}.event_places (customer_id, kind, day, name, slot, shard) VALUES (?, ?, ?, ?, "
      "?, ?) USING TTL ?");
  list_ = preparation.prepare(
      "SELECT slot, shard FROM {}.event_places WHERE customer_id = ? AND kind = ? AND day = ? AND "
      "name = ? AND slot >= ? AND slot <= ?");
  return preparation.outcome();
}

std::uint64_t EventPlaces::hash_of(std::string_view key) const {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed_);
}

std::uint64_t EventPlaces::hash_of(const CustomerId& customer, const EventPlace& place) const {
  std::string key;
  append_sized(key, customer.text());
  append_sized(key, place.name);
  append_varint(key, static_cast<std::uint64_t>(place.kind));
  append_u32(key, place.day);
  append_u32(key, static_cast<std::uint32_t>(place.slot));
  return hash_of(key);
}

Shard EventPlaces::shard_for(const CustomerId& customer, const EventPlace& place,
                             std::uint64_t hash, std::size_t bytes) {
  const std::uint64_t full = written_.add(hash_of(customer, place), bytes) / part_bytes_;
  const std::uint64_t parts = std::bit_floor(std::clamp<std::uint64_t>(full, 1, kEventPartsMax));
  return part_of(hash, static_cast<std::int32_t>(parts));
}

// By this process' own hash: nobody makes what lies all in one part.
Shard EventPlaces::part_of(std::uint64_t hash, std::int32_t parts) const {
  std::string bytes;
  append_u64(bytes, hash);
  return shard_of(SeriesId{hash_of(bytes) >> 1U}, parts);
}

void EventPlaces::write(const CustomerId& customer, const EventPlace& place, Shard shard,
                        std::int32_t live_seconds, Requests& requests,
                        std::vector<std::uint64_t>& noted) {
  const std::uint64_t row = hash_of(customer, place) ^
                            (static_cast<std::uint64_t>(shard.number) * 0x9e3779b97f4a7c15U) ^
                            (static_cast<std::uint64_t>(live_seconds) *
                             0xc2b2ae3d27d4eb4fU);  // else it may end too early
  if (noted_.has(row) || std::find(noted.begin(), noted.end(), row) != noted.end()) return;
  BoundCells cells;
  cells.add_text(customer.text()).add_tinyint(static_cast<std::int8_t>(place.kind));
  cells.add_int(day_column(place.day)).add_blob(place.name);
  cells.add_int(place.slot).add_int(shard.number).add_int(live_seconds);
  requests.add(*write_, cells);
  noted.push_back(row);
}

Result<std::vector<PlacedPart>> EventPlaces::list(const CustomerId& customer,
                                                  const EventPlace& place, std::int32_t last_slot,
                                                  const WorkLimit* limit) {
  BoundCells cells;
  cells.add_text(customer.text()).add_tinyint(static_cast<std::int8_t>(place.kind));
  cells.add_int(day_column(place.day)).add_blob(place.name);
  cells.add_int(place.slot).add_int(last_slot);
  Rows rows(session_, *list_, std::move(cells), customer.text(), limit);
  std::vector<PlacedPart> parts;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return parts;
    PlacedPart part;
    part.slot = (*row)->read_int();
    part.shard.number = (*row)->read_int();
    if (!(*row)->ok()) return malformed_row("event_places");
    parts.push_back(part);
  }
}

}  // namespace vigia::storage::store::cassandra
