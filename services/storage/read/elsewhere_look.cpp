#include "services/storage/read/elsewhere_look.hpp"

#include <utility>

#include "services/storage/read/head_rows.hpp"

namespace vigia::storage::read {
namespace {

// Of an entry that is known to be empty, with its node.
constexpr std::size_t kEntryBytes = 96;

}  // namespace

Result<void> ElsewhereLook::prepare(std::span<const SelectedSeries> series, std::size_t place,
                                    TimestampMs from_ms, TimestampMs to_ms) {
  if (talk_ == nullptr || knows(series[place], from_ms, to_ms)) return {};
  rows_.clear();
  (void)held_.set(0);  // less never fails
  const CustomerId& customer = series[place].customer;
  std::vector<store::SeriesId> ids;
  for (const SelectedSeries& one : series.subspan(place)) {
    if (ids.size() == kSeriesMax || one.customer != customer) break;
    ids.push_back(one.id);
  }
  auto answer = talk_->ask(customer, {ids, from_ms, to_ms}, memory_);
  if (!answer) return forward(answer);
  if (auto noted = note_lack(); !noted) return noted;
  ids.resize(answer->series);
  std::size_t bytes = kEntryBytes * ids.size();
  for (const store::ChunkRow& row : answer->rows) bytes += memory_of(row);
  if (auto fits = held_.set(bytes); !fits) return fits;
  for (const store::SeriesId id : ids) rows_.try_emplace(id);
  for (store::ChunkRow& row : answer->rows) {
    const auto at = rows_.find(row.series);
    if (at != rows_.end()) at->second.push_back(std::move(row));
  }
  customer_ = customer;
  from_ms_ = from_ms;
  to_ms_ = to_ms;
  return {};
}

bool ElsewhereLook::knows(const SelectedSeries& series, TimestampMs from_ms,
                          TimestampMs to_ms) const {
  return from_ms_ == from_ms && to_ms_ == to_ms && knows(series.customer, series.id);
}

bool ElsewhereLook::knows(const CustomerId& customer, store::SeriesId series) const {
  return talk_ == nullptr || (customer_ == customer && rows_.contains(series));
}

const std::vector<store::ChunkRow>* ElsewhereLook::rows_of(store::SeriesId series) const {
  const auto at = rows_.find(series);
  return at == rows_.end() ? nullptr : &at->second;
}

Result<void> ElsewhereLook::note_lack() {
  const std::lock_guard lock(mutex_);
  if (!talk_->lacks_some() || lacks_some_) return {};
  if (is_settled_) {
    return fail(ErrorCode::kUnavailable,
                "storage: another instance does not answer any more, ask again");
  }
  lacks_some_ = true;
  return {};
}

bool ElsewhereLook::settle() {
  const std::lock_guard lock(mutex_);
  is_settled_ = true;
  return lacks_some_;
}

}  // namespace vigia::storage::read
