#include "services/storage/ingest/copy_renewal.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <memory>
#include <tuple>

#include "libs/base/fault.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr std::size_t kKeepBytes = 1U << 20U;

/// All of the view, later ones behind earlier ones where they came so.
Result<SeriesBatch> samples_of(const heads::SeriesRef& series, heads::HeadView view) {
  SeriesBatch all{series.customer, series.id, false, {}, {}};
  const auto add_floats = [&all](std::string_view chunk) -> Result<void> {
    auto samples = chunk::read_samples(chunk);
    if (!samples) return forward(samples);
    all.samples.insert(all.samples.end(), samples->begin(), samples->end());
    return {};
  };
  for (const store::ChunkRow& row : view.closed) {
    if (row.encoding == store::Encoding::kFloats) {
      if (auto added = add_floats(row.data); !added) return forward(added);
      continue;
    }
    auto histograms = store::histograms_of(row);
    if (!histograms) return forward(histograms);
    std::move(histograms->begin(), histograms->end(), std::back_inserter(all.histograms));
  }
  if (!view.chunk.empty()) {
    if (auto added = add_floats(view.chunk); !added) return forward(added);
  }
  all.samples.insert(all.samples.end(), view.late.begin(), view.late.end());
  std::move(view.histograms.begin(), view.histograms.end(), std::back_inserter(all.histograms));
  return all;
}

}  // namespace

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
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (is_stopping()) return fail(ErrorCode::kUnavailable, "storage is stopping");
    const heads::SeriesRef& series = open[i];
    const bool is_told = i > 0 && open[i - 1].id == series.id;  // as open and as closed
    auto samples = is_told ? Result<SeriesBatch>() : samples_of(series, heads_.read(series.id));
    if (!samples) return forward(samples);
    if (!is_told) batch.series.push_back(*std::move(samples));
    const bool is_last = i + 1 == open.size() || open[i + 1].customer != series.customer;
    if (!is_last && batch.memory_bytes() < kKeepBytes) continue;
    if (auto kept = keep(batch, slot); !kept) return kept;
    batch.series.clear();
  }
  return {};
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
