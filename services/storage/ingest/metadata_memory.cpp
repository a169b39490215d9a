#include "services/storage/ingest/metadata_memory.hpp"

#include <algorithm>

#include <xxhash.h>

namespace vigia::storage::ingest {
namespace {

constexpr Duration kReadAgain = std::chrono::hours(1);

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::int64_t minute_of(TimePoint now) {
  return std::chrono::duration_cast<std::chrono::minutes>(now.time_since_epoch()).count();
}

// A day that lies ahead was noted by a clock that did.
bool is_noted(const MetadataHash& hash, std::uint32_t day, std::uint32_t today) {
  constexpr std::uint32_t kSpread =
      MetadataMemory::kNotedDaysMax - MetadataMemory::kNotedDaysMin + 1;
  if (day > today) return day - today <= 1;
  return today - day < MetadataMemory::kNotedDaysMin + hash.metric % kSpread;
}

}  // namespace

// Each text's hash is the next one's seed: what moves from one to the other changes the hash.
MetadataHash hash_metadata(const MetadataText& text) {
  const std::uint64_t unit = hash_of(text.unit, text.type);
  const std::size_t bytes = text.metric.size() + text.unit.size() + text.help.size();
  return {hash_of(text.metric, 0), hash_of(text.help, unit),
          static_cast<std::uint16_t>(std::min<std::size_t>(bytes, UINT16_MAX))};
}

bool MetadataMemory::is_to_be_read(const CustomerId& customer, TimePoint now) const {
  const auto found = shelves_.find(customer);
  return found == shelves_.end() || found->second.read_at + kReadAgain <= now;
}

void MetadataMemory::begin_reading(const CustomerId& customer, TimePoint now) {
  Shelf& shelf = shelves_[customer];
  size_ -= shelf.metrics.size();
  shelf.before = std::move(shelf.metrics);
  shelf.metrics = {};
  shelf.bytes = 0;
  shelf.read_at = now;
  shelf.used_at = now;
}

void MetadataMemory::note_row(const CustomerId& customer, const MetadataHash& hash,
                              std::uint32_t day) {
  Shelf& shelf = shelves_[customer];
  Known known{hash.content, day, 0, hash.bytes};
  if (const auto before = shelf.before.find(hash.metric); before != shelf.before.end()) {
    known.changes = before->second.changes;
    known.minute = before->second.minute;
  }
  const auto [place, is_added] = shelf.metrics.try_emplace(hash.metric);
  if (is_added) ++size_;
  shelf.bytes += hash.bytes;
  shelf.bytes -= place->second.bytes;
  place->second = known;
}

bool MetadataMemory::is_stored(const CustomerId& customer, const MetadataHash& hash,
                               std::uint32_t today, TimePoint now) {
  const auto shelf = shelves_.find(customer);
  if (shelf == shelves_.end() || is_to_be_read(customer, now)) return false;
  shelf->second.used_at = now;
  const auto known = shelf->second.metrics.find(hash.metric);
  return known != shelf->second.metrics.end() && known->second.content == hash.content &&
         is_noted(hash, known->second.day, today);
}

Said MetadataMemory::take(const CustomerId& customer, const MetadataHash& hash, std::uint32_t today,
                          TimePoint now) {
  Shelf& shelf = shelves_[customer];
  shelf.used_at = now;
  shelf.before = {};
  const auto found = shelf.metrics.find(hash.metric);
  if (found == shelf.metrics.end()) {
    if (shelf.metrics.size() >= metrics_max_ || !shelf.has_room_for(hash.bytes, 0))
      return Said::kTooMany;
    shelf.metrics.emplace(hash.metric, Known{hash.content, today, 0, hash.bytes});
    shelf.bytes += hash.bytes;
    ++size_;
    make_room(customer);
    return Said::kNew;
  }
  Known& known = found->second;
  if (known.content == hash.content) {
    if (is_noted(hash, known.day, today)) return Said::kStored;
    known.day = today;
    return Said::kNew;
  }
  if (!shelf.has_room_for(hash.bytes, known.bytes)) return Said::kTooMany;
  const std::int64_t minute = minute_of(now);
  if (known.minute != minute) known.changes = 0;
  if (known.changes >= kChangesAMinute) return Said::kTooOften;
  ++known.changes;
  known.minute = minute;
  shelf.bytes += hash.bytes;
  shelf.bytes -= known.bytes;
  known.bytes = hash.bytes;
  known.content = hash.content;
  known.day = today;
  return Said::kNew;
}

void MetadataMemory::forget(const CustomerId& customer) {
  const auto found = shelves_.find(customer);
  if (found == shelves_.end()) return;
  size_ -= found->second.metrics.size();
  shelves_.erase(found);
}

bool MetadataMemory::has_before(const CustomerId& customer, std::uint32_t day) const {
  const auto shelf = shelves_.find(customer);
  if (shelf == shelves_.end()) return false;
  const auto& metrics = shelf->second.metrics;
  return std::any_of(metrics.begin(), metrics.end(),
                     [&](const auto& one) { return one.second.day < day; });
}

void MetadataMemory::make_room(const CustomerId& keep) {
  while (shelves_.size() > 1 && size_ > known_max_) {
    auto oldest = shelves_.end();
    for (auto one = shelves_.begin(); one != shelves_.end(); ++one) {
      if (one->first == keep) continue;
      if (oldest == shelves_.end() || one->second.used_at < oldest->second.used_at) oldest = one;
    }
    size_ -= oldest->second.metrics.size();
    shelves_.erase(oldest);
  }
}

}  // namespace vigia::storage::ingest
