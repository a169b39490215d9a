#include "services/storage/heads/stored_series.hpp"

#include "libs/base/check.hpp"

namespace vigia::storage::heads {

// A number that somebody has is his for ever. One that nobody has is asked for anew each time: the
// index is mended while we run.
std::optional<CustomerId> StoredSeries::id_of(customers::CustomerNumber customer) {
  const std::lock_guard lock(mutex_);
  if (const auto at = ids_.find(customer.value); at != ids_.end()) return at->second;
  auto id = numbers_.id_of(customer);
  if (id.has_value()) ids_.emplace(customer.value, *id);
  return id;
}

Result<store::SeriesKey> StoredSeries::key_of(const CustomerId& customer,
                                              store::SeriesId series) const {
  if (!chunks_.needs_metric()) return store::SeriesKey{"", series};
  CHECK(catalog_ != nullptr);
  auto metrics = catalog_->metrics_of(customer, {series});
  if (!metrics) return forward(metrics);
  return store::SeriesKey{std::move(metrics->front()), series};
}

// One question for all of them: a store that is reached by a network would else be asked for each
// chunk, each time a turn there and back.
Result<void> StoredSeries::add_metrics(const CustomerId& customer,
                                       std::span<store::ClosedChunk> chunks) const {
  if (!chunks_.needs_metric()) return {};
  CHECK(catalog_ != nullptr);
  std::vector<store::SeriesId> ids;
  ids.reserve(chunks.size());
  for (const store::ClosedChunk& chunk : chunks) ids.push_back(chunk.row.series);
  auto metrics = catalog_->metrics_of(customer, ids);
  if (!metrics) return forward(metrics);
  for (std::size_t i = 0; i < chunks.size(); ++i) chunks[i].metric = std::move((*metrics)[i]);
  return {};
}

Result<void> StoredSeries::put(customers::CustomerNumber customer,
                               std::span<store::ClosedChunk> chunks) {
  const auto id = id_of(customer);
  if (!id.has_value()) return numbers_.keep_unowned(customer, chunks);
  if (auto added = add_metrics(*id, chunks); !added) return added;
  return store::put_now(chunks_, *id, chunks);
}

Result<std::string> StoredSeries::keep_aside(customers::CustomerNumber customer,
                                             const store::ClosedChunk& chunk) {
  if (quarantine_ == nullptr) return fail(ErrorCode::kUnavailable, "there is no quarantine");
  return quarantine_->keep({customer, id_of(customer), 0, chunk.row, chunk.resolution});
}

Result<std::vector<store::ChunkRow>> StoredSeries::read(customers::CustomerNumber customer,
                                                        store::SeriesId series, TimestampMs from_ms,
                                                        TimestampMs to_ms) {
  const auto id = id_of(customer);
  if (!id.has_value()) return std::vector<store::ChunkRow>();
  const auto key = key_of(*id, series);
  if (!key) return tl::unexpected<Error>(key.error());
  return store::read_rows(chunks_, *id, *key, {from_ms, to_ms});
}

Result<std::optional<TimestampMs>> StoredSeries::newest(customers::CustomerNumber customer,
                                                        store::SeriesId series,
                                                        TimestampMs from_ms) {
  const auto id = id_of(customer);
  if (!id.has_value()) return std::optional<TimestampMs>();
  const auto key = key_of(*id, series);
  if (!key) return tl::unexpected<Error>(key.error());
  return chunks_.newest(*id, *key, from_ms);
}

}  // namespace vigia::storage::heads
