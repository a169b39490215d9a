#include "services/storage/store/rocksdb/events/indexed_days.hpp"

#include "libs/base/bytes.hpp"
#include "libs/base/random.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Of the index, with its copy: epoch u64, first day u32 of which all items were indexed as they
// came.
std::string row_of(Signal signal) {
  return signal == Signal::kTraces ? "m/span_index" : "m/log_index";
}

std::string_view what_becomes_of(Signal signal) {
  return signal == Signal::kTraces
             ? "spans that are in the store are indexed anew, by day, when they are asked for"
             : "log records that are in the store are searched without an index of their streams";
}
constexpr std::chrono::minutes kBetweenEpochs(1);

}  // namespace

std::uint64_t IndexedDays::damage_now() const {
  const DamageStats damage = store_.damage();
  std::uint64_t sum = damage.rows_lost + damage.rows_saved;
  for (const auto& [what, count] : damage.found) sum += count;
  return sum;
}

bool IndexedDays::has_unseen_damage() const {
  const std::uint64_t damage = damage_now();
  const std::lock_guard lock(mutex_);
  return damage != damage_seen_;
}

// Where both rows are gone nothing is known of the days that there are.
Result<void> IndexedDays::load() {
  const std::lock_guard lock(mutex_);
  damage_seen_ = damage_now();
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    const auto row = store_.get(family, row_of(signal_));
    if (!row) return forward(row);
    if (!row->has_value()) continue;
    ByteReader reader(**row);
    const std::uint64_t epoch = reader.read_u64();
    const std::uint32_t first = reader.read_u32();
    if (!reader.ok()) continue;
    epoch_ = epoch;
    first_ = first;
    return damage_seen_ == 0 ? Result<void>() : begin_anew();
  }
  return begin_anew();
}

Result<void> IndexedDays::look() {
  const std::uint64_t damage = damage_now();
  const std::lock_guard lock(mutex_);
  if (damage == damage_seen_) return {};
  const TimePoint now = clock_.steady();
  if (begun_at_ && now < *begun_at_ + kBetweenEpochs) return {};
  if (auto begun = begin_anew(); !begun) return begun;
  damage_seen_ = damage;
  begun_at_ = now;
  return {};
}

Result<void> IndexedDays::begin_anew() {
  const auto days = days_.between(0, UINT32_MAX);
  const std::uint32_t first = days.empty() ? 0 : days.back() + 1;
  const std::uint64_t epoch = random_u64();
  std::string value;
  append_u64(value, epoch);
  append_u32(value, first);
  const auto put = store_.put({{kv::Family::kIndex, row_of(signal_), value},
                               {kv::Family::kIdentity, row_of(signal_), value}},
                              kv::Durability::kNow);
  if (!put) return put;
  if (!days.empty()) {
    service::log_warn(what_becomes_of(signal_), {{"days", std::to_string(days.size())}});
  }
  first_ = first;
  epoch_ = epoch;
  return {};
}

}  // namespace vigia::storage::store::rocksdb::events
