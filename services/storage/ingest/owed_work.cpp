#include "services/storage/ingest/owed_work.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::storage::ingest {
namespace {

// Of a time in a set, with its node.
constexpr std::size_t kTimeBytes = 48;

std::size_t bytes_of(const heads::StoreWork& work) {
  std::size_t bytes = sizeof(work) + work.samples.size() * (sizeof(Sample) + kTimeBytes);
  for (const auto& histogram : work.histograms) {
    bytes += sizeof(histogram) + histogram.encoded.size() + kTimeBytes;
  }
  return bytes;
}

// Of one time the first stays, whatever it says: who sends again the same for an hour owes it once.
template <typename T>
void leave_new(std::vector<T>& samples, const std::set<TimestampMs>& known) {
  std::set<TimestampMs> own;
  std::erase_if(samples, [&](const T& sample) {
    return known.contains(sample.timestamp_ms) || !own.insert(sample.timestamp_ms).second;
  });
}

std::string lane_of(const heads::StoreWork& work) {
  return std::to_string(work.series.customer.value);
}

}  // namespace

OwedWork::OwedWork(heads::HeadSet& heads, std::size_t bytes_max)
    : heads_(heads), bytes_("late samples that the store refused", bytes_max) {}

void OwedWork::Entry::recount() {
  times.clear();
  histogram_times.clear();
  bytes = 0;
  for (const heads::StoreWork& work : works) {
    bytes += bytes_of(work);
    for (const Sample& sample : work.samples) times.insert(sample.timestamp_ms);
    for (const auto& sample : work.histograms) histogram_times.insert(sample.timestamp_ms);
  }
  held.shrink_to(bytes);
}

void OwedWork::Entry::erase_before(heads::Epoch oldest) {
  if (std::erase_if(works, [&](const auto& work) { return work.epoch < oldest; }) > 0) recount();
}

Result<heads::AppendCounts> OwedWork::append(heads::StoreWork work) {
  if (auto settled = settle(work); !settled) {
    owe(std::move(work));
    return forward(settled);
  }
  // What is given away is not there to be owed. Without memory for it nothing has been taken yet.
  heads::StoreWork copy;
  if (!contain_faults("storage: a late sample's copy", [&] { copy = work; })) {
    owe(std::move(work));
    return fail(ErrorCode::kUnavailable, "no memory");
  }
  auto done = heads_.append_stored(std::move(copy));
  if (!done) owe(std::move(work));
  return done;
}

// The store's answer stays what it was, whatever becomes of this.
void OwedWork::owe(heads::StoreWork work) {
  contain_faults("storage: keeping a late sample that the store refused",
                 [&] { add(std::move(work)); });
}

void OwedWork::add(heads::StoreWork work) {
  const store::SeriesId series = work.series.id;
  auto entry = take(series);
  if (entry == nullptr) entry = std::make_unique<Entry>(bytes_, lane_of(work));
  leave_new(work.samples, entry->times);
  leave_new(work.histograms, entry->histogram_times);
  const std::size_t items = work.items();
  if (items > 0 && entry->held.grow_to(entry->bytes + bytes_of(work))) {
    entry->works.push_back(std::move(work));
    entry->recount();
  } else {
    const std::lock_guard lock(mutex_);
    forgotten_ += items;
  }
  put_back(series, std::move(entry));
}

// Without the lock: the store may let it wait.
Result<void> OwedWork::settle(const heads::StoreWork& next) {
  auto entry = take(next.series.id);
  if (entry == nullptr) return {};
  if (next.epoch > kOwedFor) entry->erase_before(next.epoch - kOwedFor);
  Result<void> settled;
  std::size_t done = 0;
  for (; done < entry->works.size(); ++done) {
    heads::StoreWork copy = entry->works[done];
    const auto appended = heads_.append_stored(std::move(copy));
    if (!appended) {
      settled = forward(appended);
      break;
    }
  }
  entry->works.erase(entry->works.begin(),
                     entry->works.begin() + static_cast<std::ptrdiff_t>(done));
  if (done > 0) entry->recount();
  put_back(next.series.id, std::move(entry));
  return settled;
}

void OwedWork::let_go(heads::Epoch oldest) {
  const std::lock_guard lock(mutex_);
  const heads::Epoch before = std::exchange(last_oldest_, oldest);
  for (auto at = entries_.begin(); at != entries_.end();) {
    at->second->erase_before(before);
    at = at->second->works.empty() ? entries_.erase(at) : std::next(at);
  }
}

std::unique_ptr<OwedWork::Entry> OwedWork::take(store::SeriesId series) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(series.value);
  if (at == entries_.end()) return nullptr;
  auto entry = std::move(at->second);
  entries_.erase(at);
  return entry;
}

void OwedWork::put_back(store::SeriesId series, std::unique_ptr<Entry> entry) {
  if (entry->works.empty()) return;
  const std::lock_guard lock(mutex_);
  entries_.emplace(series.value, std::move(entry));
}

OwedStats OwedWork::stats() const {
  const std::lock_guard lock(mutex_);
  OwedStats stats{0, forgotten_};
  for (const auto& [series, entry] : entries_) {
    for (const heads::StoreWork& work : entry->works) stats.items += work.items();
  }
  return stats;
}

}  // namespace vigia::storage::ingest
