#include "services/storage/ingest/open_copies.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace vigia::storage::ingest {
namespace {

// A node refuses a row that is half as large as a segment of its commit log: 16 MiB usually, 4
// where its memory is small.
constexpr std::size_t kRowBytesMax = 256U << 10U;
constexpr std::int64_t kMinuteMs = 60'000;
// Chunks are closed within two hours and three quarters; rows end after twelve. What is an hour
// from being due goes along, so that one that grows old each minute is not a renewal each minute.
constexpr store::OpenSlot kRenewedAt = 4 * 60;
constexpr store::OpenSlot kRenewedFrom = 3 * 60;

std::size_t bytes_of(const Sample& /*sample*/) { return sizeof(Sample) + 4; }
std::size_t bytes_of(const chunk::HistogramSample& sample) {
  return sizeof(Sample) + sample.encoded.size();
}

/// Rows of one customer, filled one after the other.
class RowFiller {
 public:
  RowFiller(CustomerId customer, std::vector<store::OpenRow>& out)
      : customer_(std::move(customer)), out_(out) {}

  void add(const SeriesBatch& series) {
    add_each(series, series.samples, &SeriesBatch::samples);
    add_each(series, series.histograms, &SeriesBatch::histograms);
  }
  void finish() {
    if (!batch_.series.empty()) out_.push_back({customer_, batch_.encode()});
    batch_.series.clear();
    bytes_ = 0;
  }

 private:
  template <typename List>
  void add_each(const SeriesBatch& series, const List& all, List SeriesBatch::* where) {
    bool is_begun = false;
    for (const auto& one : all) {
      if (bytes_ > 0 && bytes_ + bytes_of(one) > kRowBytesMax) {
        finish();
        is_begun = false;
      }
      if (!is_begun) {
        // Numbers of customers are this instance's: the row's key names him.
        batch_.series.push_back({{}, series.id, false, {}, {}});
        bytes_ += sizeof(SeriesBatch);
        is_begun = true;
      }
      (batch_.series.back().*where).push_back(one);
      bytes_ += bytes_of(one);
    }
  }

  const CustomerId customer_;
  std::vector<store::OpenRow>& out_;
  IngestBatch batch_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<std::vector<store::OpenRow>> open_rows_of(const IngestBatch& batch,
                                                 const customers::CustomerNumbers& numbers) {
  std::vector<store::OpenRow> rows;
  std::map<customers::CustomerNumber, RowFiller> fillers;
  for (const SeriesBatch& series : batch.series) {
    auto at = fillers.find(series.customer);
    if (at == fillers.end()) {
      auto id = numbers.id_of(series.customer);
      if (!id) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("no customer has the number {}", series.customer.value));
      }
      at = fillers.try_emplace(series.customer, *std::move(id), rows).first;
    }
    at->second.add(series);
  }
  for (auto& [number, filler] : fillers) filler.finish();
  return rows;
}

void SlotClock::start(store::OpenSlot first, const Clock& clock) {
  const std::lock_guard lock(mutex_);
  slot_ = first;
  since_ = clock.steady();
}

store::OpenSlot SlotClock::now(const Clock& clock) {
  const std::lock_guard lock(mutex_);
  const TimePoint steady = clock.steady();
  const auto minutes = std::chrono::floor<std::chrono::minutes>(steady - since_).count();
  const auto by_wall =
      static_cast<store::OpenSlot>(std::max<std::int64_t>(clock.wall_ms() / kMinuteMs, 0));
  const auto by_steady = slot_ + static_cast<store::OpenSlot>(minutes);
  if (by_wall > by_steady) {
    slot_ = by_wall;
    since_ = steady;
  }
  return std::max(by_wall, by_steady);
}

OpenCopies::UnderWay::UnderWay(OpenCopies& copies, store::OpenSlot now)
    : copies_(copies), slot_(now) {
  const std::lock_guard lock(copies_.mutex_);
  slot_ = std::max(slot_, copies_.released_);
  ++copies_.under_way_[slot_];
}

OpenCopies::UnderWay::~UnderWay() {
  const std::lock_guard lock(copies_.mutex_);
  const auto at = copies_.under_way_.find(slot_);
  if (--at->second == 0) copies_.under_way_.erase(at);
}

void OpenCopies::applied(store::OpenSlot slot, heads::Epoch epoch) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_first] = oldest_slots_.try_emplace(epoch, slot);
  if (!is_first) at->second = std::min(at->second, slot);
}

void OpenCopies::release(heads::Epoch oldest, store::OpenSlot now) {
  store::OpenSlot before = now;
  {
    const std::lock_guard lock(mutex_);
    if (oldest == heads::kNoEpoch) {
      oldest_slots_.clear();
    } else {
      oldest_slots_.erase(oldest_slots_.begin(), oldest_slots_.lower_bound(oldest));
    }
    for (const auto& [epoch, slot] : oldest_slots_) before = std::min(before, slot);
    if (!under_way_.empty()) before = std::min(before, under_way_.begin()->first);
    released_ = std::max(released_, before);
  }
  if (before > 0) rows_.release(before);
}

heads::Epoch OpenCopies::due_until(store::OpenSlot now) const {
  const std::lock_guard lock(mutex_);
  heads::Epoch until = heads::kNoEpoch;
  bool is_due = false;
  for (const auto& [epoch, slot] : oldest_slots_) {
    // Of before the start it is not known in which; epochs are minutes, too.
    const store::OpenSlot kept = slot == 0 ? epoch : slot;
    if (now < kept + kRenewedFrom) continue;
    until = std::max(until, epoch);
    is_due = is_due || now >= kept + kRenewedAt;
  }
  return is_due ? until : heads::kNoEpoch;
}

void OpenCopies::renewed(heads::Epoch until, store::OpenSlot slot) {
  const std::lock_guard lock(mutex_);
  const auto end = oldest_slots_.upper_bound(until);
  if (end == oldest_slots_.begin()) return;  // all of it is stored by now
  oldest_slots_.erase(oldest_slots_.begin(), end);
  oldest_slots_.emplace(until, slot);
}

void AnswerOfBoth::applied(Result<heads::AppendCounts> counts) {
  std::unique_lock lock(mutex_);
  counts_ = std::move(counts);
  answer_if_whole(std::move(lock));
}

void AnswerOfBoth::kept(Result<void> outcome) {
  std::unique_lock lock(mutex_);
  kept_ = std::move(outcome);
  answer_if_whole(std::move(lock));
}

void AnswerOfBoth::answer_if_whole(std::unique_lock<std::mutex> lock) {
  if (!counts_ || !kept_) return;
  const Done done = std::move(done_);
  lock.unlock();
  if (*counts_ && !*kept_) return done(tl::unexpected<Error>(kept_->error()));
  done(std::move(*counts_));
}

}  // namespace vigia::storage::ingest
