#include "services/storage/ingest/copy_renewal.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr std::size_t kKeepBytes = 1U << 20U;

Result<void> add_row(const store::ChunkRow& row, SeriesBatch& all) {
  if (row.encoding != store::Encoding::kFloats) {
    auto histograms = store::histograms_of(row);
    if (!histograms) return forward(histograms);
    std::move(histograms->begin(), histograms->end(), std::back_inserter(all.histograms));
    return {};
  }
  const auto samples = chunk::read_samples(row.data);
  if (!samples) return forward(samples);
  all.samples.insert(all.samples.end(), samples->begin(), samples->end());
  return {};
}

}  // namespace

ReadableSamples readable_samples(const heads::SeriesRef& series, const heads::HeadView& view) {
  ReadableSamples all{{series.customer, series.id, false, {}, {}}, 0, {}};
  const auto add = [&all](const store::ChunkRow& row) {
    const auto added = add_row(row, all.series);
    if (added) return;
    if (all.unreadable++ == 0) all.why = added.error();
  };
  for (const store::ChunkRow& row : view.closed) add(row);
  if (!view.chunk.empty()) {
    store::ChunkRow open;
    open.encoding = store::Encoding::kFloats;
    open.data = view.chunk;
    add(open);
  }
  auto& samples = all.series.samples;
  samples.insert(samples.end(), view.late.begin(), view.late.end());
  auto& histograms = all.series.histograms;
  histograms.insert(histograms.end(), view.histograms.begin(), view.histograms.end());
  return all;
}

void CopyRenewal::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CopyRenewal::look(heads::Epoch waiting, store::OpenSlot now) {
  heads::Epoch until = copies_.due_until(now);
  if (waiting != heads::kNoEpoch && until >= waiting) until = waiting - 1;
  if (until == heads::kNoEpoch) return;
  const std::lock_guard lock(mutex_);
  if (wanted_ != heads::kNoEpoch) return;
  wanted_ = until;
  wanted_at_ = now;
  wake_.notify_all();
}

bool CopyRenewal::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

void CopyRenewal::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return is_stopping_ || wanted_ != heads::kNoEpoch; });
    if (is_stopping_) return;
    const heads::Epoch until = wanted_;
    const store::OpenSlot at = wanted_at_;
    lock.unlock();
    if (!contain_faults("storage: copying anew what is open", [&] { renew(until, at); })) {
      ++failures_;
    }
    lock.lock();
    wanted_ = heads::kNoEpoch;
  }
}

void CopyRenewal::renew(heads::Epoch until, store::OpenSlot now) {
  const OpenCopies::UnderWay under_way(copies_, now);
  const auto copied = copy_until(until, under_way.slot());
  if (copied) return copies_.renewed(until, under_way.slot());
  if (is_stopping()) return;
  ++failures_;
  service::log_warn(
      "what is open for hours could not be copied anew, trying again: another instance would "
      "find its old copies alone, which end after twelve hours",
      {{"why", copied.error().message}});
}

// By customer, since a row is of one.
Result<void> CopyRenewal::copy_until(heads::Epoch until, store::OpenSlot slot) {
  std::vector<heads::SeriesRef> open = heads_.open_until(until);
  std::stable_sort(open.begin(), open.end(), [](const auto& left, const auto& right) {
    return std::tie(left.customer, left.id.value) < std::tie(right.customer, right.id.value);
  });
  IngestBatch batch;
  has_told_unreadable_ = false;
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (is_stopping()) return fail(ErrorCode::kUnavailable, "storage is stopping");
    const heads::SeriesRef& series = open[i];
    const bool is_told = i > 0 && open[i - 1].id == series.id;  // as open and as closed
    if (!is_told) batch.series.push_back(samples_of(series));
    const bool is_last = i + 1 == open.size() || open[i + 1].customer != series.customer;
    if (!is_last && batch.memory_bytes() < kKeepBytes) continue;
    if (auto kept = keep(batch, slot); !kept) return kept;
    batch.series.clear();
  }
  return {};
}

SeriesBatch CopyRenewal::samples_of(const heads::SeriesRef& series) {
  ReadableSamples all = readable_samples(series, heads_.read(series.id));
  unreadable_ += all.unreadable;
  if (all.why && !std::exchange(has_told_unreadable_, true)) {
    service::log_warn(
        "a chunk that is open for hours cannot be unpacked, and is not copied anew; all else is "
        "(further ones are only counted)",
        {{"customer", std::to_string(series.customer.value)},
         {"series", std::to_string(series.id.value)},
         {"why", all.why->message}});
  }
  return std::move(all.series);
}

/// Waits: whoever sends samples goes before it.
Result<void> CopyRenewal::keep(IngestBatch& batch, store::OpenSlot slot) {
  const std::size_t items = batch.items();
  if (items == 0) return {};  // it was stored meanwhile
  auto rows = copies_.rows_of(batch);
  if (!rows) {
    // A number that nobody has: nobody could take it over, and the store keeps it as nobody's.
    service::log_warn("what is open for hours is copied but for this",
                      {{"why", rows.error().message}});
    return {};
  }
  const auto told = std::make_shared<std::promise<Result<void>>>();
  auto outcome = told->get_future();
  copies_.keep(slot, *std::move(rows),
               [told](Result<void> kept) { told->set_value(std::move(kept)); });
  auto kept = outcome.get();
  if (kept) samples_ += items;
  return kept;
}

}  // namespace vigia::storage::ingest
