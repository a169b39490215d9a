#include "services/storage/ingest/metadata_keeper.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr Duration kDayAskedAgain = std::chrono::seconds(10);
constexpr Duration kLogEach = std::chrono::seconds(10);
constexpr Duration kRoomMadeAgain = std::chrono::hours(1);
// What is still said is noted within kNotedDaysMax.
constexpr std::uint32_t kUnsaidDays = 2 * MetadataMemory::kNotedDaysMax;

MetadataHash hash_of(const store::MetricMetadata& metric) {
  return hash_metadata({metric.metric, metric.type, metric.unit, metric.help});
}

std::size_t bytes_of(const OwnedMetadata& owned) {
  std::size_t bytes = 0;
  for (const auto& one : owned.metrics) {
    bytes += sizeof(one) + one.metric.size() + one.unit.size() + one.help.size();
  }
  return bytes;
}

std::size_t count(const std::vector<OwnedMetadata>& metadata) {
  std::size_t all = 0;
  for (const OwnedMetadata& owned : metadata) all += owned.metrics.size();
  return all;
}

}  // namespace

MetadataKeeper::MetadataKeeper(store::MetadataStore& store, const Clock& clock, Today today,
                               const MetadataKeeperSettings& settings)
    : store_(store),
      clock_(clock),
      today_(std::move(today)),
      waiting_("metadata of metrics under way", settings.waiting_bytes_max),
      memory_(settings.metrics_max, settings.known_max),
      work_("storage: keeping metadata", [this](std::vector<Item>& items) { work(items); }) {}

MetadataKeeperStats MetadataKeeper::stats() const {
  const std::lock_guard lock(mutex_);
  MetadataKeeperStats stats = stats_;
  stats.known = memory_.size();
  return stats;
}

bool MetadataKeeper::is_stored(const CustomerId& customer, const MetadataHash& hash) {
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  return memory_.is_stored(customer, hash, today_at(now), now);
}

// The lock is held. It may be asked for each series.
std::uint32_t MetadataKeeper::today_at(TimePoint now) {
  if (day_ == 0 || now >= day_until_) {
    day_ = today_();
    day_until_ = now + kDayAskedAgain;
  }
  return day_;
}

void MetadataKeeper::keep(std::vector<OwnedMetadata> metadata, Done done) {
  Item item{std::move(metadata), std::move(done), {}, {}};
  const std::uint64_t refused = take_shares(item);
  if (!item.metadata.empty()) {
    if (work_.add(item)) return note_failed(refused);
    item.kept = fail(ErrorCode::kUnavailable, "storage is stopping");
  }
  note_failed(refused + count(item.metadata));
  item.done(std::move(item.kept));
}

// Takes out those who have no room, and only them; how many metrics that were.
std::uint64_t MetadataKeeper::take_shares(Item& item) {
  std::set<CustomerId> refused;
  for (const OwnedMetadata& owned : item.metadata) {
    auto held = std::make_unique<lanes::HeldShare>(waiting_, owned.customer.text());
    if (auto grown = held->grow_to(bytes_of(owned)); !grown) {
      item.kept = grown;
      refused.insert(owned.customer);
    }
    item.held.push_back(std::move(held));
  }
  const std::uint64_t all = count(item.metadata);
  std::erase_if(item.metadata, [&](const auto& owned) { return refused.contains(owned.customer); });
  return all - count(item.metadata);
}

void MetadataKeeper::note_failed(std::uint64_t metrics) {
  const std::lock_guard lock(mutex_);
  stats_.failed += metrics;
}

void MetadataKeeper::work(std::vector<Item>& items) {
  if (!contain_faults("storage: keeping metadata", [&] { write(items); })) {
    contain_faults("storage: letting metadata go", [&] {
      let_go(items, {ErrorCode::kInternal, "storage: a fault of this program"});
    });
  }
  for (Item& item : items) {
    item.held.clear();
    contain_faults("storage: answering a write",
                   [&] { item.done(std::exchange(item.kept, Result<void>())); });
  }
}

// One sync for all requests that came while the one before was under way. A store that does not
// answer is asked once a turn: each question may take it seconds.
void MetadataKeeper::write(std::vector<Item>& items) {
  const std::uint64_t before = stats().written;
  std::optional<Error> silence;
  for (Item& item : items) {
    for (OwnedMetadata& owned : item.metadata) {
      Result<void> done = fail(ErrorCode::kInternal, "storage: a fault of this program");
      if (silence) {
        done = tl::unexpected<Error>(*silence);
      } else {
        contain_faults("storage: putting metadata", [&] { done = put(owned); });
      }
      if (!done && done.error().code == ErrorCode::kDeadline) silence = done.error();
      if (!done) let_go(item, owned, done.error());
    }
  }
  if (stats().written == before) return;
  if (const auto synced = store_.sync(); !synced) let_go(items, synced.error());
}

// What of it is in the store nobody knows.
void MetadataKeeper::let_go(std::vector<Item>& items, const Error& why) {
  for (Item& item : items) {
    item.kept = tl::unexpected<Error>(why);
    for (OwnedMetadata& owned : item.metadata) let_go(item, owned, why);
  }
}

// Memory says that it is stored: what is, is read again. Others of the request are kept.
void MetadataKeeper::let_go(Item& item, OwnedMetadata& owned, const Error& why) {
  item.kept = tl::unexpected<Error>(why);
  const std::size_t metrics = std::exchange(owned.metrics, {}).size();
  if (metrics == 0) return;
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  stats_.failed += metrics;
  memory_.forget(owned.customer);
  if (now < next_log_) return;
  next_log_ = now + kLogEach;
  service::log_warn("metadata of metrics is not kept",
                    {{"customer", owned.customer.text()}, {"error", why.message}});
}

Result<void> MetadataKeeper::put(const OwnedMetadata& owned) {
  if (auto read = read_known(owned.customer); !read) return read;
  bool is_full = false;
  std::vector<store::MetricMetadata> rows = choose(owned, is_full);
  if (!rows.empty()) {
    if (auto put = store_.put(owned.customer, rows); !put) return put;
    const std::lock_guard lock(mutex_);
    stats_.written += rows.size();
  }
  if (!is_full || !make_room(owned.customer)) return {};
  // For what is said next.
  const std::lock_guard lock(mutex_);
  memory_.forget(owned.customer);
  return {};
}

Result<void> MetadataKeeper::read_known(const CustomerId& customer) {
  const TimePoint now = clock_.steady();
  {
    const std::lock_guard lock(mutex_);
    if (!memory_.is_to_be_read(customer, now)) return {};
  }
  std::vector<std::pair<MetadataHash, std::uint32_t>> rows;
  const auto note = [&](const store::MetricMetadata& metric) {
    rows.emplace_back(hash_of(metric), metric.day);
    return true;
  };
  if (auto read = store_.read(customer, "", note, unlimited_); !read) return read;
  const std::lock_guard lock(mutex_);
  memory_.begin_reading(customer, now);
  for (const auto& [hash, day] : rows) memory_.note_row(customer, hash, day);
  memory_.make_room(customer);
  return {};
}

// What is to be written, each metric once: what was said last.
std::vector<store::MetricMetadata> MetadataKeeper::choose(const OwnedMetadata& owned,
                                                          bool& is_full) {
  std::vector<store::MetricMetadata> rows;
  std::unordered_map<std::string_view, std::size_t> at;  // by the names in `owned`
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const std::uint32_t today = today_at(now);
  for (const store::MetricMetadata& metric : owned.metrics) {
    switch (memory_.take(owned.customer, hash_of(metric), today, now)) {
      case Said::kStored:
        ++stats_.repeated;
        continue;
      case Said::kTooMany:
        ++stats_.limited;
        is_full = true;
        continue;
      case Said::kTooOften:
        ++stats_.held;
        continue;
      case Said::kNew:
        break;
    }
    const auto [place, is_first] = at.emplace(metric.metric, rows.size());
    if (is_first) {
      rows.emplace_back();
    } else {
      ++stats_.repeated;
    }
    rows[place->second] = metric;
    rows[place->second].day = today;
  }
  return rows;
}

// False where it was done lately, or nothing can go: then what is said stays let go. Whoever is
// full of what is still said costs the store nothing.
bool MetadataKeeper::make_room(const CustomerId& customer) {
  const TimePoint now = clock_.steady();
  const std::uint32_t today = today_();
  std::erase_if(rooms_made_, [&](const auto& one) { return one.second + kRoomMadeAgain <= now; });
  if (today < kUnsaidDays || !rooms_made_.emplace(customer, now).second) return false;
  const std::uint32_t unsaid = today - kUnsaidDays;
  {
    const std::lock_guard lock(mutex_);
    if (!memory_.has_before(customer, unsaid)) return false;
  }
  store::ExpiryCuts cuts(0);
  cuts.own.emplace(customer, static_cast<TimestampMs>(unsaid) * store::kDayMs);
  const auto forgotten = store_.expire(cuts);
  if (!forgotten) {
    service::log_warn("metadata that is not said any more stays",
                      {{"customer", customer.text()}, {"error", forgotten.error().message}});
  }
  return forgotten && *forgotten > 0;
}

}  // namespace vigia::storage::ingest
