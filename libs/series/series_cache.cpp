#include "libs/series/series_cache.hpp"

#include <algorithm>

// Not its xxh_x86dispatch.h, which chooses the widest registers: between code without them each
// turn to them and back costs some processors 130 ns, three times what the hash of a point's
// attributes takes by those that all have, and gains the others 15.
#include <xxhash.h>

#include "libs/base/check.hpp"
#include "libs/base/random.hpp"
#include "libs/series/series_shard.hpp"

namespace vigia::series {
namespace {

// Of bytes_max, what is remembered of series that have left.
constexpr std::uint64_t kLeftSeriesParts = 4;
constexpr std::size_t kSecretBytes = 192;  // XXH3 wants 136 at least
constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kSweepEntries = 16;
/// Who sends at least each minute comes again: of such series no age says which one comes last.
constexpr std::uint32_t kRegular_s = 120;
// Of the smallest entries, room for the largest one that can come (kSeriesLabelBytesMax).
constexpr std::size_t kSweepRoundsMax = 1024;
// Of a resource's map node and strings, beside its label bytes.
constexpr std::uint64_t kResourceOverhead = 256;

std::uint64_t resource_bytes(const ResourceEntry& resource) {
  std::uint64_t bytes = kResourceOverhead + sizeof(ResourceEntry) +
                        resource.labels.shared.bytes.size() + resource.labels.target_info.size();
  for (const wire::prometheus::LabelPair& label : resource.labels.shared.labels) {
    bytes += sizeof(wire::prometheus::LabelPair) + label.first.capacity() + label.second.capacity();
  }
  return bytes;
}

// An entry, and its slots at a quarter to half load.
constexpr std::uint64_t kEntryBytes = sizeof(PointEntry) + 12;

std::uint32_t weight_of(const PointEntry& entry, const ResourceEntry& resource) {
  return ActiveSeries::weight(
      entry.series,
      entry.forms_bytes + std::uint64_t{entry.series} * resource.labels.shared.bytes.size());
}

std::uint32_t in_seconds(Duration duration) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

SeriesCache::Shard::Shard(const SeriesCacheSettings& cache_settings,
                          std::atomic<std::uint64_t>& total_bytes)
    : settings_(cache_settings), total_bytes_(total_bytes), slots_(kFirstSlots) {}

/// Ends since at most half of the slots are taken (insert).
std::uint32_t SeriesCache::Shard::number_of(const SeriesKey& key) const {
  for (std::size_t slot = slot_of(key);; slot = (slot + 1) & (slots_.size() - 1)) {
    const Slot& found = slots_[slot];
    if (found.is_empty()) return kNoEntry;
    if (found.may_be(key) && at(found.entry()).key == key) return found.entry();
  }
}

void SeriesCache::Shard::prefetch_slot(const SeriesKey& key) const {
  __builtin_prefetch(&slots_[slot_of(key)]);
}

void SeriesCache::Shard::prefetch_entry(const SeriesKey& key) const {
  const Slot& found = slots_[slot_of(key)];
  if (!found.is_empty()) prefetch(found.entry());
}

void SeriesCache::Shard::prefetch(std::uint32_t number) const {
  if (number >= entries_) return;
  // Half of the entries lie on two lines of the cache, and all of an entry is read.
  const PointEntry& entry = at(number);
  __builtin_prefetch(&entry, 1);
  __builtin_prefetch(reinterpret_cast<const char*>(&entry + 1) - 1, 1);
}

PointEntry& SeriesCache::Shard::insert(PointEntry entry, std::string_view forms) {
  CHECK(!is_full());
  if ((entries_ - free_.size() + 1) * 2 > slots_.size()) grow();
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = entries_++;
    // Pages never move: growing costs no copy of entries, and no moment with twice the memory.
    if (index % kPage == 0) pages_.push_back(std::make_unique<PointEntry[]>(kPage));
  } else {
    index = free_.back();
    free_.pop_back();
  }
  entry.is_used = true;
  const std::uint64_t forms_before = forms_.bytes();
  entry.forms = forms_.keep(forms);
  entry.forms_bytes = static_cast<std::uint32_t>(forms.size());
  total_bytes_ += kEntryBytes + forms_.bytes() - forms_before;
  series += entry.series;
  ResourceEntry& resource = *numbered_[entry.resource];
  ++resource.points;
  if (entry.is_counted) resource.active_series->enter(entry.key, weight_of(entry, resource));
  std::size_t slot = slot_of(entry.key);
  while (!slots_[slot].is_empty()) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = Slot(entry.key, index);
  return at(index) = std::move(entry);
}

void SeriesCache::Shard::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& moved : old) {
    if (moved.is_empty()) continue;
    std::size_t slot = slot_of(at(moved.entry()).key);
    while (!slots_[slot].is_empty()) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = moved;
  }
}

void SeriesCache::Shard::erase_slot(std::size_t slot) {
  // Moves back what was pushed past this slot, so that no probe ends too early.
  const std::size_t mask = slots_.size() - 1;
  std::size_t next = slot;
  for (;;) {
    next = (next + 1) & mask;
    if (slots_[next].is_empty()) break;
    const std::size_t home = slot_of(at(slots_[next].entry()).key);
    if (((next - home) & mask) >= ((next - slot) & mask)) {
      slots_[slot] = slots_[next];
      slot = next;
    }
  }
  slots_[slot] = Slot{};
}

void SeriesCache::Shard::remove(std::uint32_t index, std::uint32_t now_s) {
  PointEntry& entry = at(index);
  std::size_t slot = slot_of(entry.key);
  while (slots_[slot].entry() != index) slot = (slot + 1) & (slots_.size() - 1);
  erase_slot(slot);
  const std::uint64_t forms_before = forms_.bytes();
  forms_.release(entry.forms, entry.forms_bytes);
  total_bytes_ -= kEntryBytes + forms_before - forms_.bytes();
  series -= entry.series;
  ResourceEntry& resource = *numbered_[entry.resource];
  if (entry.is_counted)
    resource.active_series->put_out(entry.key, weight_of(entry, resource), now_s);
  entry = PointEntry{};
  free_.push_back(index);
  --resource.points;
  erase_if_unused(resource);
}

void SeriesCache::Shard::erase_if_unused(ResourceEntry& resource) {
  // Its series know it by number; with the last of them, and no reader inside, nobody does.
  if (resource.points > 0 || resource.pins > 0) return;
  total_bytes_ -= resource_bytes(resource);
  numbered_[resource.number] = nullptr;
  free_numbers_.push_back(resource.number);
  resources_.erase(SeriesKey(resource.key));
}

void SeriesCache::Shard::sweep(std::uint32_t now_s, std::uint64_t incoming) {
  // Ends after a whole turn in vain: what is over may lie in other shards.
  std::size_t in_vain = 0;
  for (std::size_t round = 0; round < kSweepRoundsMax; ++round) {
    in_vain = sweep_some(now_s, incoming) ? 0 : in_vain + kSweepEntries;
    if (total_bytes_ + incoming <= settings_.bytes_max || in_vain > entries_) return;
  }
}

bool SeriesCache::Shard::sweep_some(std::uint32_t now_s, std::uint64_t incoming) {
  const std::uint32_t idle_s = in_seconds(settings_.idle_max);
  std::uint32_t oldest = kNoEntry;
  std::uint32_t any = kNoEntry;
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(kSweepEntries, entries_); ++i) {
    // A clock hand over all entries, a few at a time: no list in order of use, which would cost two
    // pointers an entry and a write at each look-up.
    hand_ = hand_ + 1 < entries_ ? hand_ + 1 : 0;
    const PointEntry& entry = at(hand_);
    if (!entry.is_used) continue;
    // Both tests: another thread may have used it after our now was read, and the difference of two
    // unsigned numbers would be huge.
    if (now_s - entry.used_s > idle_s && now_s > entry.used_s) {
      remove(hand_, now_s);
    } else if (oldest == kNoEntry || entry.used_s < at(oldest).used_s) {
      oldest = hand_;
    }
    if (at(hand_).is_used && random_.below(++seen) == 0) any = hand_;
  }
  const bool is_over = total_bytes_ + incoming > settings_.bytes_max;
  if (!is_over || oldest == kNoEntry || !at(oldest).is_used) return false;
  // Senders come round and round: where there is room for most of their series, the longest unused
  // would always be the one that comes next, and nothing would ever be found.
  const bool is_regular = now_s - at(oldest).used_s <= kRegular_s || now_s < at(oldest).used_s;
  remove(is_regular && any != kNoEntry && at(any).is_used ? any : oldest, now_s);
  ++evicted;
  return true;
}

ResourceEntry* SeriesCache::Shard::find_resource(const SeriesKey& key) {
  const auto found = resources_.find(key);
  return found == resources_.end() ? nullptr : found->second.get();
}

ResourceEntry& SeriesCache::Shard::insert_resource(ResourceEntry entry) {
  auto& slot = resources_[entry.key];
  slot = std::make_unique<ResourceEntry>(std::move(entry));
  if (free_numbers_.empty()) {
    slot->number = static_cast<std::uint32_t>(numbered_.size());
    numbered_.push_back(slot.get());
  } else {
    slot->number = free_numbers_.back();
    free_numbers_.pop_back();
    numbered_[slot->number] = slot.get();
  }
  total_bytes_ += resource_bytes(*slot);
  return *slot;
}

void SeriesCache::Shard::unpin(ResourceEntry& resource) {
  --resource.pins;
  erase_if_unused(resource);
}

SeriesCache::SeriesCache(SeriesCacheSettings settings, const Clock& clock)
    : settings_(settings),
      clock_(clock),
      secret_(random_bytes(kSecretBytes)),
      left_series_{settings.bytes_max / kLeftSeriesParts},
      uncounted_series_(total_bytes_, left_series_, 0) {
  for (auto& shard : shards_) shard = std::make_unique<Shard>(settings_, total_bytes_);
  hash("");  // XXH looks at the processor once, before there are threads that hash
}

SeriesCache::~SeriesCache() = default;

SeriesCacheStats SeriesCache::stats() const {
  SeriesCacheStats stats;
  stats.bytes = total_bytes_;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    stats.series += shard->series;
    stats.misses += shard->misses;
    stats.evicted += shard->evicted;
  }
  return stats;
}

ActiveSeries& SeriesCache::active_series(const CustomerId& customer) {
  const std::lock_guard lock(customers_mutex_);
  auto& active = customers_[customer];
  if (!active)
    active = std::make_unique<ActiveSeries>(total_bytes_, left_series_,
                                            in_seconds(settings_.kept_by_stores));
  return *active;
}

void SeriesCache::count_collisions(const CustomerId& customer, std::uint64_t joined) {
  const std::lock_guard lock(customers_mutex_);
  collisions_[customer] += joined;
}

std::map<CustomerId, std::uint64_t> SeriesCache::collisions() const {
  const std::lock_guard lock(customers_mutex_);
  return collisions_;
}

SeriesCache::Shard& SeriesCache::shard(const SeriesKey& resource) {
  return *shards_[resource.low % kShards];
}

/// Keyed: a sender that could make two sets of labels meet would write into another's series.
SeriesKey SeriesCache::hash(std::string_view bytes) const {
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size());
  return {hash.low64, hash.high64};
}

std::uint32_t SeriesCache::now_s() const {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(clock_.steady().time_since_epoch()).count());
}

}  // namespace vigia::series
